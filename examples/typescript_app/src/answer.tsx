/** An answer of the API: awaited, here, or a problem; and how a page shows each of the three. */

import { useEffect, useState, type ReactNode } from "react";
import type { Problem } from "./schema";

/** What went wrong: a problem of the API, or no answer of it at all. */
export type Trouble = Problem | typeof UNREACHABLE;

const UNREACHABLE = {
  type: "unreachable",
  title: "No answer",
  detail: "The points cannot be reached right now. Nothing is lost.",
} as const;

export type Answer<T> =
  | { state: "waiting" }
  | { state: "here"; data: T }
  | { state: "failed"; trouble: Trouble; retry: () => void };

type Asked<T> = Promise<{ data?: T; error?: unknown }>;

/** Ask once for each component. Give one that shows another member or day another `key`, so that it starts over. */
export function useAnswer<T>(ask: (signal: AbortSignal) => Asked<T>): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ state: "waiting" });
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const gone = new AbortController();
    const retry = () => {
      setAnswer({ state: "waiting" });
      setAttempt(attempt + 1);
    };
    const fail = (error: unknown) =>
      setAnswer({ state: "failed", trouble: isProblem(error) ? error : UNREACHABLE, retry });

    ask(gone.signal)
      .then(({ data, error }) => (data === undefined ? fail(error) : setAnswer({ state: "here", data })))
      .catch((error: unknown) => gone.signal.aborted || fail(error));
    return () => gone.abort();
  }, [attempt]);

  return answer;
}

/** A proxy may answer in place of the API, with anything. */
function isProblem(error: unknown): error is Problem {
  return typeof error === "object" && error !== null && "type" in error && "detail" in error;
}

/** Show an answer, or that it is awaited, or why there is none. */
export function Shown<T>({ answer, children }: { answer: Answer<T>; children: (data: T) => ReactNode }) {
  if (answer.state === "here") return children(answer.data);
  if (answer.state === "waiting") return <p role="status">Loading…</p>;
  const { trouble, retry } = answer;
  return (
    <div role="alert" className="trouble">
      <strong>{trouble.title}</strong>
      <p>{describe(trouble)}</p>
      {(trouble.type === "unreachable" || trouble.status >= 500) && <button onClick={retry}>Try again</button>}
    </div>
  );
}

/** What to say of problems that need other words here than the API's own; what a type means never changes. */
const WORDS: Partial<Record<Problem["type"], string>> = {
  "urn:trc-engage:problem:unknown-member": "There is no member with this id, or you may not see them.",
  "urn:trc-engage:problem:closed": "The server of this page has no valid token: see TRC_ENGAGE_WEB_READ_TOKEN.",
  "urn:trc-engage:problem:busy": "Many are writing at this moment. It is over in a second.",
};

function describe(trouble: Trouble): string {
  return (trouble.type !== "unreachable" && WORDS[trouble.type]) || trouble.detail;
}
