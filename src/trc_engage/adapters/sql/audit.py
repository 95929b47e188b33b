"""What the doctor reads and repairs, as far as all databases share it: the `Records` port."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

from attrs import frozen

from ...core.audit.model import BALANCE, EVENT, NAME, Breach, Holdings, of_member
from ...core.days import ONE_DAY
from ...core.model import Entry
from ...core.settlement import ends_at
from ...core.slots import slot_of
from .database import Connection, Row, SqlStore
from .survey import Survey
from .tables import TABLES
from .views import WORDS, rows_of

UNBALANCED = """
SELECT member_id, {part}, CAST(sum(kept) AS BIGINT), CAST(sum(posted) AS BIGINT)
FROM (
    SELECT member_id, {part}, points AS kept, 0 AS posted FROM {kept}
    UNION ALL
    SELECT member_id, {part}, 0, points FROM {posted}
) AS both_sides
WHERE {part} IS NOT NULL
GROUP BY member_id, {part} HAVING sum(kept) <> sum(posted)
ORDER BY member_id, {part}
"""
UNBALANCED_SOURCES = UNBALANCED.format(part="source", kept="balances", posted="entries")
UNBALANCED_MONTHS = UNBALANCED.format(part="month", kept="monthly_balances", posted="points_by_month")
SET_BALANCE = """
INSERT INTO {kept} (member_id, {part}, points) VALUES (?, ?, ?)
ON CONFLICT (member_id, {part}) DO UPDATE SET points = excluded.points
"""


class Audited(SqlStore):
    """What the store holds, row by row as it is, and balances rebuilt."""

    def holdings(self) -> Holdings:
        with self._surveyed() as survey:
            return survey.holdings()

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Breach]:
        with self._surveyed() as survey:
            return survey.lines(after, limit)

    def irregularities(self) -> Sequence[Breach]:
        found: list[Breach] = []
        for look in LOOKS:
            with self._surveyed() as survey:
                found += look(survey)
                found += survey.unreadable
        return found

    def rebalance(self) -> Sequence[Breach]:
        with self._database.transaction() as connection:
            self._database.extend_timeout(connection)
            return [
                *_rebalanced(connection, UNBALANCED_SOURCES, "balances", "source", repr),
                *_rebalanced(connection, UNBALANCED_MONTHS, "monthly_balances", "month", lambda month: month[:7]),
            ]

    def reword(self) -> Sequence[Breach]:
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


def _rebalanced(
    connection: Connection, find: str, kept: str, part: str, named: Callable[[str], str]
) -> Sequence[Breach]:
    """Mend the balances that a statement finds, and return what they were and are."""
    rows = connection.execute(find).fetchall()
    mend = SET_BALANCE.format(kept=kept, part=part)
    connection.executemany(mend, [(member_id, which, after) for member_id, which, _, after in rows])
    return [
        Breach(BALANCE, of_member(member_id), f"the balance of {named(which)}", before, after)
        for member_id, which, before, after in rows
    ]


NAMED = "SELECT member_id, name FROM members WHERE name IS NOT NULL AND NOT (is_hidden OR is_forgotten)"
"""Who is found by name."""
HELD = "SELECT word, member_id FROM name_words"


def reword(connection: Connection) -> Sequence[Breach]:
    """Rebuild the words of names where they differ, and return for whom they did."""
    named = connection.execute(NAMED).fetchall()
    differing = misnamed(named, connection.execute(HELD))
    connection.executemany("DELETE FROM name_words WHERE member_id = ?", [(member_id,) for member_id in differing])
    rows = sorted(rows_of(row for row in named if row[0] in differing))
    connection.executemany(f"INSERT INTO name_words ({', '.join(WORDS)}) VALUES (?, ?)", rows)
    return [_misnamed(member_id) for member_id in differing]


def names(survey: Survey) -> Iterator[Breach]:
    """Names are found by their own words, and nobody by those of a name that is gone (R9)."""
    named = [*survey.rows("members", NAMED)]
    yield from (_misnamed(member_id) for member_id in misnamed(named, survey.rows("name_words", HELD)))


def misnamed(named: Iterable[Row], held: Iterable[Row]) -> Sequence[str]:
    """Return the members whose words are not those of their names, by id."""
    differing = {*rows_of(named)} ^ {*held}
    # In a damaged store an id can be anything.
    return sorted({member_id for _, member_id in differing}, key=str)


def _misnamed(member_id: str) -> Breach:
    return Breach(NAME, of_member(member_id), "the words of the name", "others", "its own")


@frozen
class Look:
    """A statement that finds what must not be."""

    check: str
    table: str
    statement: str
    texts: tuple[str, str, str, str]
    """A breach's subject, what, found and expected, in which the columns of a row are numbered."""

    def __call__(self, survey: Survey) -> Iterator[Breach]:
        """Yield a breach for each row."""
        for row in survey.rows(self.table, self.statement):
            subject, what, found, expected = (text.format(*row) for text in self.texts)
            yield Breach(self.check, subject, what, found, expected)


FROM_RUNS = """
WITH good AS (SELECT coalesce(max(run_id), 0) AS last FROM runs WHERE outcome = 'synced'),
tally AS (
    SELECT 'any' AS scope, count(*) AS failures, min(run_id) AS first_id, max(run_id) AS last_id
    FROM runs, good WHERE counts AND run_id > good.last
    UNION ALL
    SELECT 'urgent', count(*), min(run_id), max(run_id)
    FROM runs, good WHERE counts AND run_id > good.last AND trouble IN ('distrusted', 'clock')
)
SELECT tally.scope, tally.failures, first_of.at, last_of.trouble, last_of.message
FROM tally JOIN runs AS first_of ON first_of.run_id = first_id JOIN runs AS last_of ON last_of.run_id = last_id
"""
"""What the runs themselves say of the failures in a row: every one of them is read."""
UNMATCHED_FAILURES = f"""
WITH known (scope, failures, since, trouble, message) AS ({FROM_RUNS}),
kept AS (SELECT scope, failures, since, trouble, message FROM failure_runs WHERE task = 'sync')
SELECT DISTINCT CASE scope WHEN 'any' THEN 'failures' ELSE 'urgent failures' END FROM (
    SELECT * FROM (SELECT * FROM known EXCEPT SELECT * FROM kept) AS missing
    UNION
    SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM known) AS unknown
) AS unmatched
"""

# A sync's entries have its instant; two syncs may share one.
RUN_POINTS = """
WITH posted AS (SELECT at, sum(points) AS points FROM entries WHERE account_id IS NOT NULL GROUP BY at),
recorded AS (SELECT at, sum(points) AS points FROM runs WHERE outcome = 'synced' GROUP BY at)
SELECT at, recorded.points, coalesce(posted.points, 0) FROM recorded LEFT JOIN posted USING (at)
WHERE recorded.points <> coalesce(posted.points, 0)
"""
POSTED = "SELECT at FROM entries WHERE account_id IS NOT NULL"
NO_SYNC = "EXCEPT SELECT at FROM runs WHERE outcome = 'synced'"
STRAY = ("their sync", "unknown", "a good one of that instant")
ENDLESS_LEASES = "SELECT task, until, taken_at FROM leases WHERE until <= taken_at"
FOREIGN_RISES = """
SELECT account_id, discord_days.day
FROM discord_days JOIN discord_activity USING (account_id)
WHERE discord_days.member_id <> discord_activity.member_id
ORDER BY account_id, discord_days.day
"""
UNMATCHED_LINKS = """
SELECT account_id, status, CASE status WHEN 'unlinked' THEN 'missing' ELSE 'there' END,
    CASE status WHEN 'unlinked' THEN 'there' ELSE 'none' END
FROM discord_activity WHERE (status = 'unlinked') <> (unlinked_at IS NOT NULL)
"""
KEYS_TWICE = """
SELECT min(position), max(position) FROM entries WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1
"""
UNASKED_WAITS = """
SELECT CASE board_id WHEN '' THEN 'a board without an id' ELSE 'board ' || board_id END, until
FROM (SELECT board_id, until FROM waits EXCEPT SELECT coalesce(board_id, ''), retry_at FROM runs) AS unasked
"""


def settled_days(survey: Survey) -> Iterator[Breach]:
    """Days are settled in order, without holes, and when they are over (R15)."""
    before: date | None = None
    for row in survey.values("settled_days", check="calendar"):
        day: date = row[0]
        settled_at: datetime = row[1]
        if before is not None and day != before + ONE_DAY:
            yield Breach("calendar", f"day {day}", "the settled day before it", before, day - ONE_DAY)
        if settled_at < ends_at(day):
            expected = f"{ends_at(day)} or later"
            yield Breach("calendar", f"day {day}", "the instant it was settled at", settled_at, expected)
        before = day


PARTS = {"what was read": ("points", "board_rows", "whole"), "what went wrong": ("trouble", "message", "counts")}


def runs(survey: Survey) -> Iterator[Breach]:
    """Good syncs never go back in time (R22), and each run says how it ended."""
    good_at: datetime | None = None
    for values in survey.values("runs", check="run"):
        run = dict(zip(TABLES["runs"].columns, values, strict=True))
        subject, at, is_good = f"run {run['run_id']}", run["at"], run["outcome"] == "synced"
        for what, names in PARTS.items():
            is_due = is_good == (what == "what was read")
            if any((run[name] is not None) != is_due for name in names):
                expected = "there" if is_due else "none"
                yield Breach("run", subject, f"{what} of one that {run['outcome']}", "not as it ended", expected)
        if (run["board_rows"] or 0) < 0:
            yield Breach("run", subject, "the rows of its board", run["board_rows"], "0 or more")
        if is_good:
            if good_at is not None and at < good_at:
                yield Breach("run", subject, "its instant", at, f"{good_at} or later, as of the good sync above")
            good_at = at


BOARDS = """
SELECT run_id, board_id, decision, actor, reason FROM runs
WHERE outcome = 'synced' AND board_id IS NOT NULL ORDER BY run_id
"""


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


def slots(survey: Survey) -> Iterator[Breach]:
    """Slots are quarters of an hour of UTC (R18)."""
    for slot, _, _ in survey.values("slots", check="slot"):
        if slot != slot_of(slot):
            yield Breach("slot", f"slot {slot}", "its beginning", slot, f"a quarter of an hour, as {slot_of(slot)}")


READ_HERE = {
    **dict.fromkeys(("waits", "failure_runs"), "run"),
    **dict.fromkeys(("requests", "sent_notices", "channels"), "notice"),
    **dict.fromkeys(("streak_changes", "lengths_reached", "readings"), EVENT),
    "roster_checks": "link",
    "leases": "lease",
}
"""The tables that nothing else reads to their end, and what their flaws are called."""


def readable(survey: Survey) -> Iterator[Breach]:
    """Read every row; a notice that is older than its trouble is no flaw, for a clock may have run ahead (R22)."""
    for name, check in READ_HERE.items():
        list(survey.values(name, check=check))
    return iter(())


def monthly_balances(survey: Survey) -> Iterator[Breach]:
    """Balances of months are the sums of their entries; one that is missing is 0."""
    for member_id, month, found, expected in survey.rows("monthly_balances", UNBALANCED_MONTHS):
        what = f"the balance of {month[:7]}"
        yield Breach(BALANCE, of_member(member_id), what, found, f"{expected}, the sum of its entries")


LOOKS: tuple[Callable[[Survey], Iterator[Breach]], ...] = (
    settled_days,
    runs,
    boards,
    slots,
    readable,
    monthly_balances,
    names,
    Look("run", "runs", UNASKED_WAITS, ("wait of {0}", "the run that was asked until {1}", "missing", "there")),
    Look("run", "runs", RUN_POINTS, ("sync of {0}", "the sum of its entries", "{2}", "{1}, by the record of its run")),
    Look("run", "entries", f"{POSTED} {NO_SYNC}", ("entries of {0}", *STRAY)),
    Look("evidence", "discord_days", f"SELECT closes_at FROM discord_days {NO_SYNC}", ("windows until {0}", *STRAY)),
    Look(
        *("evidence", "discord_days", FOREIGN_RISES),
        ("account {0}", "the member of its activity on {1}", "another", "its own"),
    ),
    Look(
        *("link", "discord_activity", UNMATCHED_LINKS),
        ("account {0}", "the instant of unlinking of one that is {1}", "{2}", "{3}"),
    ),
    Look("key", "entries", KEYS_TWICE, ("entry {1}", "its key", "there a second time", "one: entry {0} has it")),
    Look(
        *("run", "failure_runs", UNMATCHED_FAILURES),
        ("{0} in a row", "what is kept of them", "another", "as the runs since the last good sync say"),
    ),
    Look("lease", "leases", ENDLESS_LEASES, ("lease of {0!r}", "its end", "{1}", "one after {2}")),
)
"""Every look; what it cannot read the survey notes by itself."""
