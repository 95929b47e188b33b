/** The last twelve weeks, a week a row; each day asks why it is as it is. */

import { Shown, useAnswer } from "./answer";
import { api } from "./api";
import type { CalendarDay, Mark } from "./schema";

const WEEKS = 12;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** A day of the member's own life; those before it are left out. */
type LivedDay = CalendarDay & { mark: Exclude<Mark, "before"> };

const MARKS: Record<LivedDay["mark"], { sign: string; words: string }> = {
  active: { sign: "●", words: "active" },
  missed: { sign: "×", words: "missed" },
  not_watched: { sign: "?", words: "not watched" },
  excused: { sign: "–", words: "excused" },
  weekend: { sign: "·", words: "weekend" },
  pending: { sign: "…", words: "not settled yet" },
};
const short = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });
const long = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "long", day: "numeric", month: "long" });

/** Write a day of UTC, such as `2026-03-02`, for people. */
export function describeDay(day: string): string {
  return long.format(new Date(day));
}

type Props = { memberId: string; chosen: string | null; choose: (day: string) => void };

export function Calendar({ memberId, chosen, choose }: Props) {
  const path = { member_id: memberId };
  const answer = useAnswer((signal) => api.GET("/members/{member_id}/calendar", { params: { path }, signal }));
  return (
    <section aria-labelledby="calendar">
      <h2 id="calendar">Calendar</h2>
      <a className="skip" href="#why">
        Skip the calendar
      </a>
      <Shown answer={answer}>
        {({ days }) => <Weeks days={days.filter(isLived)} chosen={chosen} choose={choose} />}
      </Shown>
      <ul className="legend">
        {Object.values(MARKS).map(({ sign, words }) => (
          <li key={words}>
            <span aria-hidden>{sign}</span> {words}
          </li>
        ))}
      </ul>
    </section>
  );
}

function isLived(day: CalendarDay): day is LivedDay {
  return day.mark !== "before";
}

function Weeks({ days, chosen, choose }: { days: LivedDay[] } & Omit<Props, "memberId">) {
  return (
    <table>
      <caption>The last {WEEKS} weeks; choose a day to see why</caption>
      <thead>
        <tr>
          <th scope="col">Week of</th>
          {WEEKDAYS.map((name) => (
            <th scope="col" key={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeksOf(days)
          .slice(-WEEKS)
          .map(([monday, week]) => (
            <tr key={monday}>
              <th scope="row">{short.format(new Date(monday))}</th>
              {WEEKDAYS.map((name, number) => {
                const day = week[number];
                return (
                  <td key={name}>
                    {day && <Day day={day} isToday={day === days.at(-1)} chosen={chosen} choose={choose} />}
                  </td>
                );
              })}
            </tr>
          ))}
      </tbody>
    </table>
  );
}

type DayProps = { day: LivedDay; isToday: boolean } & Omit<Props, "memberId">;

function Day({ day, isToday, chosen, choose }: DayProps) {
  const { sign, words } = MARKS[day.mark];
  return (
    <button
      className={day.mark}
      aria-label={`${describeDay(day.day)}: ${words}`}
      aria-pressed={day.day === chosen}
      aria-current={isToday ? "date" : undefined}
      onClick={() => choose(day.day)}
    >
      {sign}
    </button>
  );
}

/** Group days by week; a week has a place for each weekday, also for those that are not in it. */
function weeksOf(days: LivedDay[]): [monday: string, week: LivedDay[]][] {
  const weeks = new Map<string, LivedDay[]>();
  for (const day of days) {
    const at = new Date(day.day);
    const weekday = (at.getUTCDay() + 6) % 7;
    at.setUTCDate(at.getUTCDate() - weekday);
    const monday = at.toISOString().slice(0, 10);
    const week = weeks.get(monday) ?? [];
    week[weekday] = day;
    weeks.set(monday, week);
  }
  return [...weeks];
}
