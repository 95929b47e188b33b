"""What must hold after every schedule."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from attrs import define, field

from support import streak_oracle
from trc_engage import ClockWentBack, LedgerBusy, Receipt, RosterReport, RunReport, SettleReport, SourceError
from trc_engage.adapters.sql import stamp
from trc_engage.adapters.sql.tables import TABLES

from .scene import NOW, World
from .stages import Dump, Stage

Essence = Counter[tuple[object, ...]]
"""Rows, each preceded by the name of its table."""
CHANGED_BY_ORDER = {
    "position",
    "reverses",
    "number",
    "run_id",
    "version",
    "xp_posted",
    "xp_before",
    "at",
    "settled_at",
    "unlinked_at",
    "since",
}
"""Columns that depend on when things were done, and in which order."""
OWNER = r"[0-9a-f]{16}\.[0-9a-f.]+"
OF_THE_WAY = {"slots", "streak_changes", "requests", "roster_checks", "lengths_reached", "readings"}
"""Tables that record what was seen along the way."""


def is_refused(result: Any) -> bool:
    """Return whether an actor learned that it did nothing, or not everything: another did, or it overslept."""
    if isinstance(result, RunReport):
        return result.outcome in {"busy", "failed"}
    if isinstance(result, RosterReport):
        return not result.asked
    return isinstance(result, LedgerBusy | ClockWentBack)


def essence(dump: Dump) -> Essence:
    """Return what must be the same as if the actors had gone one after the other."""
    found: Essence = Counter()
    for name in TABLES.keys() - OF_THE_WAY:
        kept = [number for number, column in enumerate(TABLES[name].columns) if column not in CHANGED_BY_ORDER]
        for row in dump[name]:
            if name == "runs" and "failed" in row:
                # An actor that overslept records a failure, and has changed nothing else.
                continue
            found[name, *(row[number] for number in kept)] += 1
    return found


@define
class Judge:
    """Judges what some actors leave behind by comparing it with what they leave behind one after the other."""

    stage: Stage
    serial: Mapping[frozenset[int], Sequence[Essence]]
    """By the actors that took part, the results of each order."""
    _known: dict[str, list[str]] = field(factory=dict, init=False)

    def breaches(self, results: Sequence[Any], world: World, deadlocks: int) -> list[str]:
        """Return every promise that was broken."""
        dump = self.stage.dump()
        found = [*self._commits(), *(["somebody gave up waiting for a lock"] if deadlocks else [])]
        if world.now == NOW and any("overtaken" in f"{result}" for result in results):
            found.append("somebody was overtaken in time")
        # A lease's owner has a random name.
        name = re.sub(OWNER, "", str((dump, results)))
        if name not in self._known:
            self._known[name] = [*self._told(results, dump), *self._serial(results, dump), *self._sound(dump)]
        return found + self._known[name]

    @property
    def outcomes(self) -> int:
        """How many different stores and answers there were."""
        return len(self._known)

    def _commits(self) -> list[str]:
        """Check each commit: a visible position means that all before it are visible, and slots end in order."""
        commits = self.stage.commits
        is_whole = all(count == highest for count, highest, _ in commits)
        is_whole &= all(before[1] <= after[1] and before[2] <= after[2] for before, after in pairwise(commits))
        return [] if is_whole else [f"entries, positions and last slot after each commit: {commits}"]

    def _told(self, results: Sequence[Any], dump: Dump) -> list[str]:
        """Find acknowledged changes that are missing or doubled, and errors that a caller may not get."""
        positions = [row[0] for row in dump["entries"]]
        found = [f"{one!r}" for one in results if isinstance(one, Exception) and not _is_meant(one)]
        receipts = [one for one in results if isinstance(one, Receipt)]
        made = [one.entry.position for one in receipts if one.changed]
        found += [f"acknowledged, and not there: {one}" for one in receipts if one.entry.position not in positions]
        ended = [one.slot for one in results if isinstance(one, RunReport) and one.slot]
        settled = [day for one in results if isinstance(one, RunReport | SettleReport) for day in one.settled]
        stands = {row[0] for row in dump["slots"]}
        found += [f"slot {slot} was ended, and is open" for slot in ended if stamp(slot) not in stands]
        named: dict[str, list[Any]] = {"booked": made, "slot ended": ended, "settled": settled}
        return found + [f"{name} twice: {each}" for name, each in named.items() if len({*each}) < len(each)]

    def _serial(self, results: Sequence[Any], dump: Dump) -> list[str]:
        """Compare with the actors that were not refused going one after the other."""
        mine = essence(dump)
        must = frozenset(number for number, result in enumerate(results) if not is_refused(result))
        orders = [one for who, each in self.serial.items() if must <= who for one in each]
        if any(map(_overslept, results)):
            # This counts as a failure, even if a sync succeeds at that very moment.
            mine, *orders = (
                Counter({row: each for row, each in one.items() if row[0] != "failure_runs"}) for one in (mine, *orders)
            )
        if mine in orders:
            return []
        differing = min((([*(mine - one)], [*(one - mine)]) for one in orders), key=lambda one: len(str(one)))
        return [f"no order of the actors leads to this: {differing}"]

    def _sound(self, dump: Dump) -> list[str]:
        """Run the doctor, look for leases that are left, and check that the next run does everything due."""
        world = World()
        world.now += timedelta(hours=1)
        engage = world.engage(self.stage.ledgers[0])
        found = [breach.message for breach in engage.audit().breaches] + [f"left: {one}" for one in dump["leases"]]
        report = engage.run_due()
        if report.outcome != "synced" or report.pending:
            found.append(f"the next run: {report}")
        found += [breach.message for breach in engage.audit().breaches]
        return [*found, *self._exact(world)]

    def _exact(self, world: World) -> list[str]:
        """Compare each member's points with XP and awards, and each streak with its definition."""
        found, engage, ledger = [], world.engage(self.stage.ledgers[0]), self.stage.ledgers[0]
        calendar = ledger.calendar()
        for one in ledger.members():
            entries = ledger.history(one.member_id, limit=100)
            by_hand = sum(entry.points for entry in entries if entry.kind in {"award", "reversal"})
            account = ledger.account_of(one.member_id)
            earned = by_hand + sum(entry.points for entry in entries if entry.xp is not None)
            if account is not None:
                is_read = account.status == "tracked"
                xp = world.xp[one.member_id] if is_read else account.xp_total
                earned = by_hand + (xp - account.xp_baseline) // 100
            days = {each.day for each in ledger.evidence(one.member_id, date.min, date.max)}
            streak = streak_oracle.current(days, set(calendar.excused), calendar.settled_through)
            standing = engage.standing(one.member_id)
            if (standing.points, standing.streak and standing.streak.current) != (earned, streak):
                found.append(f"{one.member_id}: {standing}, not {earned} points and a streak of {streak}")
        return found


def _overslept(result: Any) -> bool:
    error = getattr(result, "error", None)
    return isinstance(error, SourceError) and (error.lease_lost or error.kind == "clock")


def _is_meant(error: Exception) -> bool:
    """Return whether an actor may get this error here: another does the same work, or was later."""
    return isinstance(error, ClockWentBack) or (isinstance(error, LedgerBusy) and "at work" in str(error))
