"""What an admin does by hand: syncs, decides, adopts and settles, all of it checked as every run is."""

from collections.abc import Callable
from datetime import date
from typing import Any

from trc_engage.core.errors import ClockWentBack, LedgerBusy, LedgerFailed, SourceError

from .forecast import is_distrust
from .oracle import Decision
from .process import STORE_FAILED, Fate, Killed, Process
from .verdict import check
from .watch import Watch

KILLED = 0.3
"""The probability that the process is killed during an adoption."""


class Hand(Watch):
    """A watch that also covers what is done by hand."""

    is_calm = False
    """Whether all faults have ended for good."""

    def sync(
        self, process: Process, *, decision: Decision | None = None, fresh: bool = True, dry_run: bool = False
    ) -> None:
        """Let an admin sync by hand; the process may be killed during an adoption."""
        process.begin(*self._fate_of(process, decision))
        now, board_id = self.clock(), process.address.board_id
        process.began_at = at = max(now, self.oracle.seen_at or now)
        is_another = self.oracle.is_another(board_id) and decision != "adopt"
        error: Exception | None = None
        try:
            told: str = process.engage.sync(fresh=fresh, dry_run=dry_run, **_options(decision)).outcome
        except (SourceError, ClockWentBack, *STORE_FAILED) as raised:
            if isinstance(raised, LedgerFailed) and not process.befell:
                raise
            error, told = raised, type(raised).__name__
            check(told != "KeptAway" or self.failures.is_kept_away(board_id, at), "kept away for nothing", error)
        except Killed:
            self.died(process)
            told = "dead"
        if is_another:
            check(
                isinstance(error, ClockWentBack | LedgerBusy | LedgerFailed) or is_distrust(error),
                "another board was taken",
                told,
            )
        is_early = process.reads and self.failures.is_kept_away(board_id, at)
        check(not is_early, "the server asked to be left alone, and was not")
        self.note(process.name, "sync by hand:", decision, "dry" if dry_run else "", told)
        self._observe(process, None, decision, error, plain=not process.befell, dry_run=dry_run)
        if decision == "adopt":
            self.audit.check_points(self.oracle)

    def settle(self, process: Process, quiet: date | None) -> None:
        """Let an admin settle by hand."""
        process.begin()
        try:
            process.engage.settle(accept_quiet=quiet)
        except ClockWentBack:
            return
        self.oracle.settle(process.told_at, quiet=quiet)
        through = process.ledger.calendar().settled_through
        mine = self.oracle.calendar.settled_through
        check(through == mine, f"settled through {through}, not {mine}")
        self.note(process.name, "settle by hand:", quiet)

    def refuse_old(self, process: Process) -> None:
        """Check that a process older than the tables refuses to write but goes on reading."""
        process.begin()
        member = self.random.choice(sorted(self.oracle.enrolled))
        self._refused(process, lambda: process.engage.run_due().outcome == "nothing")
        self._refused(process, lambda: process.engage.adjust(member, points=1, key="old", reason="typo", by="admin"))
        check(not process.reads, "an old version read the board")
        points = process.engage.standing(member).points
        check(points == sum(self.oracle.points(member).values()), f"an old version shows {points} points of {member}")
        self.note(process.name, "is old, and was refused")

    def _refused(self, process: Process, call: Callable[[], object]) -> None:
        try:
            done = call()
        except LedgerFailed as error:
            check("upgrade trc-engage" in str(error), "an old version is refused as", error)
        else:
            check(done is True, f"{process.name} is old, and was not refused", done)

    def _fate_of(self, process: Process, decision: Decision | None) -> Fate:
        if decision == "adopt" and not self.is_calm and self.random.random() < KILLED:
            return process.kill, self.random.randint(1, 3), self.random.choice(["answer", "begin", "commit"])
        return ()


def _options(decision: Decision | None) -> dict[str, Any]:
    options: dict[str, Any] = {
        "accept_drops": decision == "deduct",
        "rebase_drops": decision == "rebase",
        "adopt_board": decision == "adopt",
    }
    return options | {"by": "admin", "reason": "we moved"} if decision == "adopt" else options
