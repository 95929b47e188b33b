/** Why a day is as it is, in the API's words and with the entries behind them; without a day, why points were lost. */

import { useRef } from "react";
import { Shown, useAnswer } from "./answer";
import { api } from "./api";
import { describeDay } from "./Calendar";
import type { Entry, Why as WhyAnswer } from "./schema";

type Props = { memberId: string; day: string | null; close: () => void };

export function Why({ memberId, day, close }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const leave = () => {
    close();
    heading.current?.focus();
  };
  return (
    <section aria-labelledby="why" aria-live="polite">
      <h2 id="why" ref={heading} tabIndex={-1}>
        {day ? `Why? ${describeDay(day)}` : "Why did I lose points?"}
      </h2>
      <Words key={day} memberId={memberId} day={day} />
      {day && <button onClick={leave}>What did I lose last?</button>}
    </section>
  );
}

function Words({ memberId, day }: Omit<Props, "close">) {
  const params = { path: { member_id: memberId }, query: day ? { day } : {} };
  const answer = useAnswer((signal) => api.GET("/members/{member_id}/why", { params, signal }));
  return (
    <Shown answer={answer}>
      {(why) => (
        <div ref={day ? bringIntoView : null}>
          <p>{why.about === "nothing" ? "You have lost nothing: no points, and no streak." : why.answer}</p>
          <Entries entries={entriesOf(why)} />
        </div>
      )}
    </Shown>
  );
}

/** On a phone the answer stands below the calendar. */
function bringIntoView(element: HTMLElement | null) {
  element?.scrollIntoView({ block: "nearest" });
}

/** The entries of a day; or the one that took points, with the award that it took back. */
function entriesOf(why: WhyAnswer): Entry[] {
  return why.day?.entries ?? [why.entry, why.partner].filter((entry) => entry !== null);
}

const signed = new Intl.NumberFormat("en", { signDisplay: "always" });
const instant = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

function Entries({ entries }: { entries: Entry[] }) {
  return (
    <ul className="entries">
      {entries.map((entry) => (
        <li key={entry.position}>
          <strong>{signed.format(entry.points)}</strong> {entry.source}
          {entry.reason && <>, “{entry.reason}”</>}
          <time dateTime={entry.at}>{instant.format(new Date(entry.at))}</time>
        </li>
      ))}
    </ul>
  );
}
