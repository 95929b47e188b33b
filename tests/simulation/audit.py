"""A reader beside the system that compares everything the ledger shows with what the oracle computes."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from trc_engage import Entry
from trc_engage.reader import Reader

from .clock import Clock
from .digest import digest_of
from .oracle import Oracle
from .stores import Store
from .verdict import check
from .versions import of_version

FEED_LIMIT = 10_000
SILENT = frozenset({"opening", "rebase"})


class Audit:
    """Reads the feed as a web app does, and everything else once a day."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.position = 0
        """The last position in the feed that was seen."""
        self._ledger = store.open()
        self._engage = Reader(views=self._ledger, clock=lambda: clock.told_at)
        self._sums: dict[tuple[str, str], int] = defaultdict(int)
        self._entries: list[Entry] = []

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()

    def is_leased(self, now: datetime) -> bool:
        """Return whether a lease is held, possibly by a dead process."""
        with self._ledger._database.connection() as session:
            row = session.execute("SELECT until FROM leases WHERE task = 'run'").fetchone()
        return row is not None and now < datetime.fromisoformat(row[0])

    def bury(self, pid: int, version: int) -> None:
        """Change the lease's owner to a process that is known to be dead."""
        with of_version(version), self._ledger._database.transaction() as session:
            for (owner,) in session.execute("SELECT owner FROM leases").fetchall():
                host, _, rest = owner.rsplit(":", 2)
                session.execute("UPDATE leases SET owner = ?", [f"{host}:{pid}:{rest}"])

    def follow(self) -> None:
        """Read what is new in the feed, and add it up (R23)."""
        new = self._engage.feed(after=self.position, limit=FEED_LIMIT)
        for entry in new:
            check(entry.position == self.position + 1, "a gap in the feed", self.position, entry)
            check(entry.silent == (entry.kind in SILENT), "silent or not", entry)
            self.position = entry.position
            self._sums[entry.member_id, entry.source] += entry.points
        self._entries += new

    def check(self, oracle: Oracle, members: Sequence[str], exact_at: datetime) -> None:
        """Compare everyone's points, active days and streaks, and the calendar."""
        self.follow()
        calendar = self._ledger.calendar()
        check(
            calendar.settled_through == oracle.calendar.settled_through,
            "settled",
            calendar,
            oracle.calendar.settled_through,
        )
        check(calendar.excused == oracle.calendar.excused, "excused", calendar.excused, oracle.calendar.excused)
        active, today = oracle.active_days(), exact_at.date()
        standings = {one.member_id: one for one in self._engage.members()}
        check(standings.keys() == oracle.enrolled.keys(), "members", standings.keys(), oracle.enrolled.keys())
        for member in members:
            if member not in oracle.enrolled:
                continue
            told = {source: points for source, points in standings[member].points_by_source.items() if points}
            check(told == oracle.points(member), f"{member}'s points: {told}, not {oracle.points(member)}")
            summed = {source: sum_ for (one, source), sum_ in self._sums.items() if one == member and sum_}
            check(told == summed, f"{member}'s balance is {told}, but the entries come to {summed}")
            days = {one.day for one in self._ledger.evidence(member, date.min, date.max)}
            check(days == active[member], f"{member} was active: {sorted(days ^ active[member])}")
            streak = self._engage.standing(member).streak
            assert streak is not None
            mine = (
                *oracle.calendar.streak(active[member]),
                today in active[member],
                oracle.calendar.at_risk(active[member], today),
            )
            theirs = (streak.current, streak.longest, streak.active_today, streak.at_risk)
            check(theirs == mine, f"{member}'s streak: {theirs}, not {mine}")

    def check_points(self, oracle: Oracle) -> None:
        """Compare everyone's points with the entries and the rules."""
        self.follow()
        for standing in self._engage.members():
            told, points = standing.points, sum(oracle.points(standing.member_id).values())
            check(told == points, f"{standing.member_id} has {told} points, not {points}")

    def check_chains(self) -> None:
        """Check every entry of an account against the one before it (R9)."""
        last: dict[int, tuple[int, int]] = {}
        for entry in self._entries:
            xp = entry.xp
            if xp is None:
                continue
            if entry.kind == "opening":
                check(xp.account_id not in last and entry.points == 0, "opened twice", entry)
            else:
                check((xp.xp_before, xp.baseline_before) == last[xp.account_id], "does not follow", entry)
                before, baseline = last[xp.account_id]
                paid = (xp.xp_after - xp.baseline_after) // 100 - (before - baseline) // 100
                check(paid == entry.points, f"pays {entry.points}, not {paid}", entry)
            last[xp.account_id] = xp.xp_after, xp.baseline_after

    def digest(self) -> bytes:
        """Return a digest of everything the ledger holds except who holds a lease."""
        return digest_of(self._ledger)
