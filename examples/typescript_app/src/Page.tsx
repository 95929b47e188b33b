/** A member's page: points, streak, calendar, and why a day or a loss is as it is. */

import { useState } from "react";
import { Shown, useAnswer } from "./answer";
import { api } from "./api";
import { Calendar } from "./Calendar";
import type { Account, AccountStatus, Member, Streak } from "./schema";
import { Why } from "./Why";

/** Your app knows who is logged in, and takes the id from its session; this page takes it from its address. */
export function Page({ memberId }: { memberId: string | null }) {
  const id = memberId?.trim();
  return id ? <MemberPage key={id} memberId={id} /> : <AskWho />;
}

function AskWho() {
  return (
    <form>
      <h1>Whose points?</h1>
      <label htmlFor="member">Member id</label>
      <input id="member" name="member" required maxLength={200} autoComplete="off" />
      <button>Show</button>
    </form>
  );
}

function MemberPage({ memberId }: { memberId: string }) {
  const [day, setDay] = useState<string | null>(null);
  const path = { member_id: memberId };
  const answer = useAnswer((signal) => api.GET("/members/{member_id}", { params: { path }, signal }));
  const name = (answer.state === "here" && answer.data.name) || memberId;
  return (
    <>
      <title>{`${name}: points`}</title>
      <h1>
        <bdi>{name}</bdi>
      </h1>
      <Shown answer={answer}>
        {(member) => (
          <div className="columns">
            <Points member={member} />
            <StreakCard streak={member.streak} />
            <Calendar memberId={memberId} chosen={day} choose={setDay} />
            <Why memberId={memberId} day={day} close={() => setDay(null)} />
          </div>
        )}
      </Shown>
    </>
  );
}

const number = new Intl.NumberFormat("en");

function Points({ member }: { member: Member }) {
  const sources = Object.entries(member.points_by_source).sort(([, a], [, b]) => b - a);
  return (
    <section aria-labelledby="points">
      <h2 id="points">Points</h2>
      <p className="figure">{number.format(member.points)}</p>
      {sources.length === 0 && <p>Nothing has earned points yet.</p>}
      <dl>
        {sources.map(([source, points]) => (
          <div key={source}>
            <dt>{source}</dt>
            <dd>{number.format(points)}</dd>
          </div>
        ))}
      </dl>
      <p className="quiet">{describeAccount(member.discord)}</p>
    </section>
  );
}

/** A record of every status: if the API gets another one, this does not compile until it has words. */
const STATUS: Record<AccountStatus, string> = {
  tracked: "XP on Discord earns points.",
  waiting: "XP on Discord earns points from the next reading on.",
  absent: "The account is not on the leaderboard at present.",
  left: "The account has left Discord.",
  unlinked: "The account is no longer linked.",
};

function describeAccount(account: Account | null): string {
  if (!account) return "No Discord account is linked.";
  if (account.status !== "tracked") return STATUS[account.status];
  return `${STATUS.tracked} ${number.format(account.xp_to_next_point)} XP to the next one.`;
}

function StreakCard({ streak }: { streak: Streak }) {
  return (
    <section aria-labelledby="streak">
      <h2 id="streak">Streak</h2>
      <p className="figure">
        {number.format(streak.current)} <small>{streak.current === 1 ? "weekday" : "weekdays"}</small>
      </p>
      <p>
        {streak.active_today && "Today counts. "}
        {streak.at_risk && "It ends unless you do something today. "}
        {streak.next_milestone !== null && `The next milestone is ${number.format(streak.next_milestone)}.`}
      </p>
      <p className="quiet">The longest was {number.format(streak.longest)}.</p>
    </section>
  );
}
