"""What the doctor reads and repairs, as far as all databases share it: the `Records` port."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Literal

from ...core.audit.model import BALANCE, NAME, Breach, Change, Holdings, Unreadable, of_member
from ...core.boards import named
from ...core.days import ONE_DAY
from ...core.errors import SourceTrouble
from ...core.incidents import ChannelState, SentNotice
from ...core.model import DecisionKind, Entry
from ...core.settlement import ends_at
from ...core.slots import SlotEnd, slot_of
from ...core.validation import words_of
from .database import Connection, SqlStore, stamp
from .search import rows_of
from .survey import SETTLED_DAYS, Columns, Survey, types_of

UNBALANCED = """
WITH sums AS (SELECT member_id, source, CAST(sum(points) AS BIGINT) AS points FROM entries GROUP BY member_id, source)
SELECT member_id, source, coalesce(balances.points, 0) AS before, sums.points AS after
FROM sums LEFT JOIN balances USING (member_id, source)
WHERE coalesce(balances.points, 0) <> sums.points
UNION ALL
SELECT member_id, source, balances.points, 0
FROM balances LEFT JOIN sums USING (member_id, source)
WHERE sums.points IS NULL AND balances.points <> 0
ORDER BY member_id, source
"""
SET_BALANCE = """
INSERT INTO balances (member_id, source, points) VALUES (?, ?, ?)
ON CONFLICT (member_id, source) DO UPDATE SET points = excluded.points
"""

UNBALANCED_MONTHS = """
SELECT member_id, month, CAST(sum(kept) AS BIGINT), CAST(sum(posted) AS BIGINT)
FROM (
    SELECT member_id, month, points AS kept, 0 AS posted FROM monthly_balances
    UNION ALL
    SELECT member_id, month, 0, points FROM points_by_month
) AS both_sides
WHERE month IS NOT NULL
GROUP BY member_id, month HAVING sum(kept) <> sum(posted)
ORDER BY member_id, month
"""
SET_MONTHLY_BALANCE = """
INSERT INTO monthly_balances (member_id, month, points) VALUES (?, ?, ?)
ON CONFLICT (month, member_id) DO UPDATE SET points = excluded.points
"""

NAMED = "SELECT member_id, name FROM members WHERE name IS NOT NULL AND NOT (is_hidden OR is_forgotten)"
"""Who is found by name."""
HELD = "SELECT member_id, word FROM name_words"


class Audited(SqlStore):
    """What the store holds, row by row as it is, and balances rebuilt."""

    def holdings(self) -> Holdings:
        with self._surveyed() as survey:
            return survey.holdings()

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Unreadable]:
        with self._surveyed() as survey:
            return survey.lines(after, limit)

    def irregularities(self) -> Sequence[Breach]:
        found: list[Breach] = []
        for look in ODDITIES:
            with self._surveyed() as survey:
                found += look(survey)
                found += [one.breach for one in survey.unreadable]
        return found

    def rebalance(self) -> Sequence[Change]:
        with self._database.transaction() as connection:
            self._database.extend_timeout(connection)
            return [
                *_rebalanced(connection, UNBALANCED, SET_BALANCE, repr),
                *_rebalanced(connection, UNBALANCED_MONTHS, SET_MONTHLY_BALANCE, lambda month: month[:7]),
            ]

    def reword(self) -> Sequence[Change]:
        with self._database.transaction() as connection:
            return reword(connection)

    @contextmanager
    def _surveyed(self) -> Iterator[Survey]:
        """Lend a look at one state of the store."""
        with self._inspected() as connection:
            yield Survey(connection, self._damage_of)

    @contextmanager
    def _inspected(self) -> Iterator[Connection]:
        """Check out a connection on which texts that are none do not keep their rows from being read."""
        with self._database.snapshot() as connection:
            self._database.extend_timeout(connection)
            yield connection

    def _damage_of(self, error: Exception) -> str | None:  # noqa: ARG002  what the children know
        """Say what is damaged, if an error of the database says so."""
        return None


def _rebalanced(connection: Connection, find: str, mend: str, named: Callable[[str], str]) -> Sequence[Change]:
    """Mend the balances that a statement finds, and return what they were and are."""
    rows = connection.execute(find).fetchall()
    connection.executemany(mend, [(member_id, part, after) for member_id, part, _, after in rows])
    return [
        Change(BALANCE, of_member(member_id), f"the balance of {named(part)}", before, after)
        for member_id, part, before, after in rows
    ]


def reword(connection: Connection) -> Sequence[Change]:
    """Rebuild the words of names where they differ, and return for whom they did."""
    named = dict(connection.execute(NAMED).fetchall())
    differing = misnamed(named, connection.execute(HELD))
    connection.executemany("DELETE FROM name_words WHERE member_id = ?", [(member_id,) for member_id in differing])
    rows = sorted(rows_of((member_id, named.get(member_id)) for member_id in differing))
    connection.executemany("INSERT INTO name_words (word, member_id) VALUES (?, ?)", rows)
    return [Change(NAME, of_member(one), "the words of the name", "others", "its own") for one in differing]


RUNS = Columns(
    "runs",
    {
        "run_id": int,
        "outcome": Literal["synced", "failed"],
        "at": datetime,
        "points": int | None,
        "board_rows": int | None,
        "whole": bool | None,
        "trouble": SourceTrouble | None,
        "message": str | None,
        "counts": bool | None,
        "retry_at": datetime | None,
        "board_id": str | None,
        "decision": DecisionKind | None,
        "actor": str | None,
        "reason": str | None,
    },
)
WAITS = Columns("waits", {"board_id": str, "trouble": SourceTrouble, "until": datetime})
SLOTS = Columns("slots", types_of(SlotEnd))
_NOTICE = types_of(SentNotice)
NOTICES = Columns(
    "sent_notices", {name: _NOTICE[name] for name in ("channel", "topic", "is_sure", "kind", "since", "at")}, keys=3
)
CHANNELS = Columns("channels", types_of(ChannelState), keys=2)
REQUESTS = Columns("requests", {"task": str, "next_at": datetime})
LEASES = Columns("leases", {"task": str, "owner": str, "taken_at": datetime, "until": datetime})

# A sync's entries have its instant; two syncs may share one.
RUN_POINTS = """
WITH posted AS (SELECT at, sum(points) AS points FROM entries WHERE account_id IS NOT NULL GROUP BY at),
recorded AS (SELECT at, sum(points) AS points FROM runs WHERE outcome = 'synced' GROUP BY at)
SELECT at, coalesce(recorded.points, 0), coalesce(posted.points, 0), recorded.at IS NULL
FROM {sides} USING (at) WHERE recorded.points IS NULL OR recorded.points <> coalesce(posted.points, 0)
"""
FOREIGN_RISES = """
SELECT account_id, discord_days.day
FROM discord_days JOIN discord_activity USING (account_id)
WHERE discord_days.member_id <> discord_activity.member_id
ORDER BY account_id, discord_days.day
"""
UNTIMELY_RISES = "SELECT closes_at FROM discord_days EXCEPT SELECT at FROM runs WHERE outcome = 'synced'"
FROM_RUNS = """
SELECT tally.scope, tally.failures, first_of.at, last_of.trouble, last_of.message
FROM (
    SELECT 'any' AS scope, count(*) AS failures, min(run_id) AS first_id, max(run_id) AS last_id FROM runs
    WHERE counts AND run_id > (SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced')
    UNION ALL
    SELECT 'urgent', count(*), min(run_id), max(run_id) FROM runs
    WHERE counts AND trouble IN ('distrusted', 'clock')
        AND run_id > (SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced')
) AS tally
JOIN runs AS first_of ON first_of.run_id = tally.first_id
JOIN runs AS last_of ON last_of.run_id = tally.last_id
"""
"""What the runs themselves say of the failures in a row: every one of them is read."""
UNMATCHED_FAILURES = f"""
WITH known (scope, failures, since, trouble, message) AS ({FROM_RUNS}),
kept AS (SELECT scope, failures, since, trouble, message FROM failure_runs)
SELECT scope FROM (
    SELECT * FROM (SELECT * FROM known EXCEPT SELECT * FROM kept) AS missing
    UNION
    SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM known) AS unknown
) AS unmatched
GROUP BY scope ORDER BY scope
"""
BOARDS = """
SELECT run_id, board_id, decision, actor, reason FROM runs
WHERE outcome = 'synced' AND board_id IS NOT NULL ORDER BY run_id
"""
UNMATCHED_LINKS = """
SELECT account_id, status FROM discord_activity WHERE (status = 'unlinked') <> (unlinked_at IS NOT NULL)
"""
KEYS_TWICE = """
SELECT min(position), max(position) FROM entries WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1
"""


def settled_days(survey: Survey) -> Iterator[Breach]:
    """Days are settled in order, without holes, and when they are over (R15)."""
    before: date | None = None
    for row in survey.values(SETTLED_DAYS, check="calendar"):
        day: date = row[0]
        settled_at: datetime = row[1]
        if before is not None and day != before + ONE_DAY:
            yield Breach("calendar", f"day {day}", "the settled day before it", before, day - ONE_DAY)
        if settled_at < ends_at(day):
            expected = f"{ends_at(day)} or later"
            yield Breach("calendar", f"day {day}", "the instant it was settled at", settled_at, expected)
        before = day


def runs(survey: Survey) -> Iterator[Breach]:
    """Good syncs never go back in time (R22), and each run says how it ended."""
    good_at: datetime | None = None
    for run_id, outcome, at, points, rows, whole, trouble, message, counts, *_ in survey.values(RUNS, check="run"):
        subject = f"run {run_id}"
        is_good = outcome == "synced"
        parts = {"what was read": (points, rows, whole), "what went wrong": (trouble, message, counts)}
        for what, fields in parts.items():
            is_due = is_good == (what == "what was read")
            if any((field is not None) != is_due for field in fields):
                expected = "there" if is_due else "none"
                yield Breach("run", subject, f"{what} of one that {outcome}", "not as it ended", expected)
        if rows is not None and rows < 0:
            yield Breach("run", subject, "the rows of its board", rows, "0 or more")
        if is_good:
            if good_at is not None and at < good_at:
                yield Breach("run", subject, "its instant", at, f"{good_at} or later, as of the good sync above")
            good_at = at


def boards(survey: Survey) -> Iterator[Breach]:
    """Only an adoption takes the ledger to another board, and it says who decided and why (R24)."""
    known = None
    for run_id, board_id, decision, actor, reason in survey.rows("runs", BOARDS):
        if decision == "adopt_board":
            if actor is None or reason is None:
                yield Breach("run", f"run {run_id}", "the actor or the reason of an adoption", "missing", "there")
        elif known is not None and board_id != known:
            yield Breach("run", f"run {run_id}", "its board", repr(board_id), f"{known!r}, as of the good sync above")
        known = board_id


def waits(survey: Survey) -> Iterator[Breach]:
    """Each request to keep away was asked of a run that failed (R21)."""
    asked = {tuple(row) for row in survey.rows("runs", "SELECT coalesce(board_id, ''), retry_at FROM runs")}
    for board_id, _, until in survey.values(WAITS, check="run"):
        if (board_id, stamp(until)) not in asked:
            yield Breach(
                "run", f"wait of {named(board_id)}", f"the run that was asked until {until}", "missing", "there"
            )


def run_points(survey: Survey) -> Iterator[Breach]:
    """Compare what syncs say they gave with what their entries give (R19)."""
    for sides in ("recorded LEFT JOIN posted", "posted LEFT JOIN recorded"):
        for at, recorded, posted, is_unknown in survey.rows("runs", RUN_POINTS.format(sides=sides)):
            if is_unknown:
                yield Breach("run", f"entries of {at}", "their sync", "unknown", "a good one of that instant")
            else:
                expected = f"{recorded}, by the record of its run"
                yield Breach("run", f"sync of {at}", "the sum of its entries", posted, expected)


def monthly_balances(survey: Survey) -> Iterator[Breach]:
    """Balances of months are the sums of their entries; one that is missing is 0."""
    for member_id, month, found, expected in survey.rows("monthly_balances", UNBALANCED_MONTHS):
        what = f"the balance of {month[:7]}"
        yield Breach(BALANCE, of_member(member_id), what, found, f"{expected}, the sum of its entries")


def evidence(survey: Survey) -> Iterator[Breach]:
    """Evidence belongs to its account's member, and comes of a good sync."""
    for account_id, day in survey.rows("discord_days", FOREIGN_RISES):
        yield Breach("evidence", f"account {account_id}", f"the member of its activity on {day}", "another", "its own")
    for (closes_at,) in survey.rows("discord_days", UNTIMELY_RISES):
        yield Breach("evidence", f"windows until {closes_at}", "their sync", "unknown", "a good one of that instant")


def links(survey: Survey) -> Iterator[Breach]:
    """Who is unlinked was unlinked at some time."""
    for account_id, status in survey.rows("discord_activity", UNMATCHED_LINKS):
        found, expected = ("missing", "there") if status == "unlinked" else ("there", "none")
        what = f"the instant of unlinking of one that is {status}"
        yield Breach("link", f"account {account_id}", what, found, expected)


def keys(survey: Survey) -> Iterator[Breach]:
    """Look for keys that were used twice (R8)."""
    for first, last in survey.rows("entries", KEYS_TWICE):
        yield Breach("key", f"entry {last}", "its key", "there a second time", f"one: entry {first} has it")


def slots(survey: Survey) -> Iterator[Breach]:
    """Slots are quarters of an hour of UTC (R18)."""
    for slot, _, _ in survey.values(SLOTS, check="slot"):
        if slot != slot_of(slot):
            yield Breach("slot", f"slot {slot}", "its beginning", slot, f"a quarter of an hour, as {slot_of(slot)}")


def failure_runs(survey: Survey) -> Iterator[Breach]:
    """Compare the failures in a row as they are kept with the runs (R20)."""
    for (scope,) in survey.rows("failure_runs", UNMATCHED_FAILURES):
        which = "failures in a row" if scope == "any" else "urgent failures in a row"
        yield Breach("run", which, "what is kept of them", "another", "as the runs since the last good sync say")


def notices(survey: Survey) -> Iterator[Breach]:
    """Read every notice; one that is older than its trouble is no flaw, for a clock may have run ahead (R22)."""
    for columns in (NOTICES, CHANNELS, REQUESTS):
        list(survey.values(columns, check="notice"))
    return iter(())


def leases(survey: Survey) -> Iterator[Breach]:
    """Look at when leases began and when they end."""
    for task, _, taken_at, until in survey.values(LEASES, check="lease"):
        if until <= taken_at:
            yield Breach("lease", f"lease of {task!r}", "its end", until, f"one after {taken_at}")


def names(survey: Survey) -> Iterator[Breach]:
    """Names are found by their own words, and nobody by those of a name that is gone (R9)."""
    named: dict[str, str] = dict(survey.rows("members", NAMED))
    for member_id in misnamed(named, survey.rows("name_words", HELD)):
        yield Breach(NAME, of_member(member_id), "the words of the name", "others", "its own")


def misnamed(named: dict[str, str], held: Iterable[tuple[str, str]]) -> Sequence[str]:
    """Return the members whose words are not those of their names, by id."""
    words: dict[str, set[str]] = {}
    for member_id, word in held:
        words.setdefault(member_id, set()).add(word)
    differing = [
        member_id
        for member_id in named.keys() | words.keys()
        if set(words_of(named.get(member_id, ""))) != words.get(member_id, set())
    ]
    # In a damaged store an id can be anything.
    return sorted(differing, key=str)


ODDITIES: tuple[Callable[[Survey], Iterator[Any]], ...] = (
    settled_days,
    runs,
    boards,
    waits,
    run_points,
    monthly_balances,
    names,
    evidence,
    links,
    keys,
    slots,
    failure_runs,
    notices,
    leases,
)
"""Every look; what it cannot read the survey notes by itself."""
