"""The `Records` port in SQL: what the doctor reads and repairs.

Rows may have been damaged by hand, so every value is checked and invalid ones are reported.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from attrs import evolve, frozen

from ...core.audit import BALANCE, EVENT, NAME, STREAK, UNREADABLE, Breach, Holdings, Rises, of_member
from ...core.days import ONE_DAY, Calendar
from ...core.incidents import failed_again
from ...core.model import DiscordActivity, Entry, Member
from ...core.records import ClockDecision, Excusal, MembershipEvent, excused_alone, in_force
from ...core.settlement import ends_at
from ...core.slots import slot_of
from ...core.streaks import Streak
from . import Connection, Row, SqlStore
from .queries import KEY, XP, entry_of
from .runs import FAILURES, SYNC, scopes
from .tables import TABLES, Table, subject_of, values_of
from .views import replace_words, rows_of


def is_half(values: Sequence[Any]) -> bool:
    """Return whether only part of an entry's XP columns is filled."""
    account_id, _, xp_after, _, baseline_after = values[XP:KEY]
    return (account_id is None) != (xp_after is None) or (account_id is None) != (baseline_after is None)


DAMAGED = "the table"
ENTRIES = TABLES["entries"]
LINES = f"{ENTRIES.select} WHERE position > ? ORDER BY position LIMIT ?"


class Survey:
    """Reads on one connection; `damage_of` returns the damage that an error reports, or None for other errors."""

    def __init__(self, connection: Connection, damage_of: Callable[[Exception], str | None]) -> None:
        self._connection = connection
        self._damage_of = damage_of
        self.unreadable: list[Breach] = []

    def rows(self, table: str, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Yield the reachable rows of a table, and note damage that hides the rest."""
        try:
            yield from self._connection.execute(statement, values)
        except Exception as error:
            damage = self._damage_of(error)
            if damage is None:
                raise
            self._note(Breach(UNREADABLE, f"table {table}", DAMAGED, f"damaged ({damage})", "readable"))

    def raw(self, table: Table) -> Iterator[Row]:
        """Yield the unchecked rows of a whole table, by key."""
        return self.rows(table.name, f"{table.select} ORDER BY {table.key}")

    def values(self, name: str, *, member: int | None = None, check: str = UNREADABLE) -> Iterator[list[Any]]:
        """Yield the values of every readable row; `member` is the column with the member id."""
        for row in self.raw(TABLES[name]):
            values = values_of(TABLES[name], row)
            if isinstance(values, Breach):
                self._note(evolve(values, check=check), None if member is None else row[member])
            else:
                yield values

    def lines(self, after: int, limit: int) -> list[Entry | Breach]:
        """Return what `Records.lines` returns."""
        found: list[Entry | Breach] = []
        for row in self.rows("entries", LINES, [after, limit]):
            values = values_of(ENTRIES, row)
            line = values if isinstance(values, Breach) else entry_of(values)
            if not isinstance(values, Breach) and is_half(values):
                line = Breach(UNREADABLE, subject_of(ENTRIES, row), "the XP that explains it", "half there", "whole")
            if isinstance(line, Breach):
                line = evolve(line, member_id=_if_text(row[2]), position=row[0])
            found.append(line)
        return found + self.unreadable

    def holdings(self) -> Holdings:
        """Return what `Records.holdings` returns."""
        members = [Member(*values) for values in self.values("members", member=0)]
        accounts = [DiscordActivity(*values[:12]) for values in self.values("discord_activity", member=2)]
        (last,) = next(self.rows("entries", "SELECT max(position) FROM entries"), (None,))
        balances: dict[str, dict[str, int]] = defaultdict(dict)
        for member_id, source, points in self.values("balances", check=BALANCE):
            balances[member_id][source] = points
        streaks = self._streaks()
        rises = self._rises()
        calendar, excused = self._calendar(members)
        events = [MembershipEvent(*values) for values in self.values("membership_events", member=1, check=EVENT)]
        decisions = [ClockDecision(*values[1:]) for values in self.values("clock_decisions", check="run")]
        held = (members, accounts, balances, streaks, rises, calendar, self.unreadable, excused, events, decisions)
        return Holdings(last or 0, *held)

    def _streaks(self) -> list[Streak]:
        """Return the streaks; a garbled one is empty but keeps its version, so that it can be rebuilt."""
        streaks = []
        for row in self.raw(TABLES["streaks"]):
            values = values_of(TABLES["streaks"], row)
            if isinstance(values, Breach):
                self._note(evolve(values, check=STREAK))
                values = [*row[:2], None, 0, 0]
            if isinstance(values[0], str) and isinstance(values[1], int):
                streaks.append(Streak(*values))
        return streaks

    def _rises(self) -> list[Rises]:
        """Return the evidence of Discord; each window is checked once, however many accounts rose in it."""
        groups: dict[Row, list[Row]] = defaultdict(list)
        owners: dict[Row, Row] = {}
        table = TABLES["discord_days"]
        for day, member_id, account_id, opens_at, closes_at in self.raw(table):
            # Keep one tuple per account: the same few members occur again and again.
            owner = owners.setdefault((member_id, account_id), (member_id, account_id))
            groups[day, opens_at, closes_at].append(owner)
        rises = []
        for (day, opens_at, closes_at), found in groups.items():
            values = values_of(table, (day, "", 0, opens_at, closes_at))
            whole = [account_id for _, account_id in found if type(account_id) is int]
            if not isinstance(values, Breach) and len(whole) == len(found):
                rises.append(Rises(values[0], values[3], values[4], whole))
                continue
            for member_id, account_id in found:
                flaw = values_of(table, (day, member_id, account_id, opens_at, closes_at))
                if isinstance(flaw, Breach):
                    self._note(flaw, member_id)
        return rises

    def _calendar(self, members: Sequence[Member]) -> tuple[Calendar | None, dict[date, set[str]]]:
        """Return the calendar, None if any part of it is garbled, and who is excused alone on which day."""
        known = len(self.unreadable)
        settled: list[date] = [day for day, _ in self.values("settled_days", check="calendar")]
        excusals = [Excusal(*[*rest, number]) for number, *rest in self.values("excusals", check="calendar")]
        changes = max((one.number for one in excusals), default=0)
        everybody = frozenset(one.day for one in in_force(excusals) if one.member_id is None)
        alone = excused_alone(excusals)
        if len(self.unreadable) != known or (not settled and any(one.member_id for one in self.unreadable)):
            return None, alone
        first: datetime | None = min((member.enrolled_at for member in members), default=None)
        before = None if first is None else first.date() - ONE_DAY
        return Calendar(max(settled, default=before), everybody, changes), alone

    def _note(self, breach: Breach, member_id: object = None) -> None:
        self.unreadable.append(evolve(breach, member_id=_if_text(member_id)))


def _if_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


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
    """The `Records` port for any database."""

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
            named = connection.execute(NAMED).fetchall()
            differing = misnamed(named, connection.execute(HELD))
            replace_words(self._database, connection, differing, [row for row in named if row[0] in differing])
        return [_misnamed(member_id) for member_id in differing]

    @contextmanager
    def _surveyed(self) -> Iterator[Survey]:
        """Survey one snapshot of the store."""
        with self._inspected() as connection:
            yield Survey(connection, self._damage_of)

    @contextmanager
    def _inspected(self) -> Iterator[Connection]:
        """Check out a connection on which invalid texts do not make their rows unreadable."""
        with self._database.snapshot() as connection:
            self._database.extend_timeout(connection)
            yield connection

    def _damage_of(self, error: Exception) -> str | None:  # noqa: ARG002  what the children know
        """Return what is damaged, if the error reports damage."""
        return None


def _rebalanced(
    connection: Connection, find: str, kept: str, part: str, named: Callable[[str], str]
) -> Sequence[Breach]:
    """Correct the balances that a query finds, and return the old and new values."""
    rows = connection.execute(find).fetchall()
    mend = SET_BALANCE.format(kept=kept, part=part)
    connection.executemany(mend, [(member_id, which, after) for member_id, which, _, after in rows])
    return [
        Breach(BALANCE, of_member(member_id), f"the balance of {named(which)}", before, after)
        for member_id, which, before, after in rows
    ]


NAMED = "SELECT member_id, name FROM members WHERE name IS NOT NULL AND NOT is_forgotten"
"""The members who can be found by name."""
HELD = "SELECT word, member_id FROM name_words"


def names(survey: Survey) -> Iterator[Breach]:
    """Check that search words are those of the current names, with none left of a forgotten one (R9)."""
    named = [*survey.rows("members", NAMED)]
    yield from (_misnamed(member_id) for member_id in misnamed(named, survey.rows("name_words", HELD)))


def misnamed(named: Iterable[Row], held: Iterable[Row]) -> Sequence[str]:
    """Return the ids of members whose words are not those of their names."""
    differing = {*rows_of(named)} ^ {*held}
    # In a damaged store, an id can be any value.
    return sorted({member_id for _, member_id in differing}, key=str)


def _misnamed(member_id: str) -> Breach:
    return Breach(NAME, of_member(member_id), "the words of the name", "others", "its own")


@frozen
class Look:
    """A query whose rows are all breaches."""

    check: str
    table: str
    statement: str
    texts: tuple[str, str, str, str]
    """Format strings of a breach's subject, what, found and expected; fields are a row's columns, by number."""

    def __call__(self, survey: Survey) -> Iterator[Breach]:
        """Yield a breach for each row."""
        for row in survey.rows(self.table, self.statement):
            subject, what, found, expected = (text.format(*row) for text in self.texts)
            yield Breach(self.check, subject, what, found, expected)


# A sync's entries share its instant; two syncs may have the same one.
RUN_POINTS = """
WITH posted AS (SELECT at, sum(points) AS points FROM entries WHERE account_id IS NOT NULL GROUP BY at),
recorded AS (SELECT at, sum(points) AS points FROM runs WHERE outcome <> 'failed' GROUP BY at)
SELECT at, recorded.points, coalesce(posted.points, 0) FROM recorded LEFT JOIN posted USING (at)
WHERE recorded.points <> coalesce(posted.points, 0)
"""
POSTED = "SELECT at FROM entries WHERE account_id IS NOT NULL"
NO_SYNC = "EXCEPT SELECT at FROM runs WHERE outcome <> 'failed' EXCEPT SELECT at FROM clock_decisions"
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
    """Check that days were settled in order, without gaps, and after they ended (R15)."""
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


KEPT = f"SELECT scope, {', '.join(FAILURES.columns)} FROM failure_runs WHERE task = '{SYNC}'"
SCOPES = {"any": "failures", "urgent": "urgent failures"}


def runs(survey: Survey) -> Iterator[Breach]:
    """Check that good syncs never go back in time (R22), runs fit their outcome, and failure runs match them (R20)."""
    good_at = board = failed = None
    for values in survey.values("runs", check="run"):
        run = dict(zip(TABLES["runs"].columns, values, strict=True))
        yield from _ended(run)
        if run["outcome"] == "synced":
            yield from _followed(run, good_at, board)
            good_at, failed = run["at"], None
        if run["outcome"] != "failed":
            board = board if run["board_id"] is None else run["board_id"]
        elif run["counts"]:
            failed = failed_again(failed, run["at"], run["trouble"], run["message"])
    if survey.unreadable:
        return
    known = {(scope, *FAILURES.row(one)) for scope, one in scopes(failed)}
    for scope in sorted({scope for scope, *_ in known ^ {*survey.rows("failure_runs", KEPT)}}):
        expected = "as the runs since the last good sync say"
        yield Breach("run", f"{SCOPES[scope]} in a row", "what is kept of them", "another", expected)


def _ended(run: Mapping[str, Any]) -> Iterator[Breach]:
    for what, names in PARTS.items():
        is_due = (run["outcome"] != "failed") == (what == "what was read")
        if any((run[name] is not None) != is_due for name in names):
            expected = "there" if is_due else "none"
            of_it = f"{what} of one that {run['outcome']}"
            yield Breach("run", f"run {run['run_id']}", of_it, "not as it ended", expected)
    if (run["board_rows"] or 0) < 0:
        yield Breach("run", f"run {run['run_id']}", "the rows of its board", run["board_rows"], "0 or more")


def _followed(run: Mapping[str, Any], good_at: datetime | None, board: str | None) -> Iterator[Breach]:
    """Check that only an adoption changes the ledger's board, with actor and reason (R24)."""
    subject = f"run {run['run_id']}"
    if good_at is not None and run["at"] < good_at:
        yield Breach("run", subject, "its instant", run["at"], f"{good_at} or later, as of the good sync above")
    if run["decision"] == "adopt_board":
        if run["actor"] is None or run["reason"] is None:
            yield Breach("run", subject, "the actor or the reason of an adoption", "missing", "there")
    elif None not in (board, run["board_id"]) and run["board_id"] != board:
        yield Breach("run", subject, "its board", repr(run["board_id"]), f"{board!r}, as of the good sync above")


def slots(survey: Survey) -> Iterator[Breach]:
    """Check that slots are quarter hours of UTC (R18)."""
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
"""The tables that no other check reads in full, and the check that their flaws belong to."""


def readable(survey: Survey) -> Iterator[Breach]:
    """Read every row; a notice older than its trouble is no flaw, because the clock may have run ahead (R22)."""
    for name, check in READ_HERE.items():
        list(survey.values(name, check=check))
    return iter(())


def monthly_balances(survey: Survey) -> Iterator[Breach]:
    """Check that monthly balances are the sums of their entries; a missing one counts as 0."""
    for member_id, month, found, expected in survey.rows("monthly_balances", UNBALANCED_MONTHS):
        what = f"the balance of {month[:7]}"
        yield Breach(BALANCE, of_member(member_id), what, found, f"{expected}, the sum of its entries")


GAPS = """
SELECT found, last FROM (SELECT count(*) AS found, coalesce(max(position), 0) AS last FROM entries) AS numbered
WHERE found <> last"""
"""A failed transaction takes no position, so there are no gaps."""

LOOKS: tuple[Callable[[Survey], Iterator[Breach]], ...] = (
    settled_days,
    runs,
    slots,
    readable,
    monthly_balances,
    names,
    Look("order", "entries", GAPS, ("table entries", "the number of entries up to position {1}", "{0}", "{1}")),
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
    Look("lease", "leases", ENDLESS_LEASES, ("lease of {0!r}", "its end", "{1}", "one after {2}")),
)
"""Every check; the survey itself notes what they cannot read."""
