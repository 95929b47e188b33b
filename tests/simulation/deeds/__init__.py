"""What people do: members come and go, the web app awards, MEE6's admins give and take, our admins decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..oracle import SLACK
from ..process import Fate, Process
from . import admins, fates, mee6, members, web_app
from .doer import Deed, Doer

if TYPE_CHECKING:
    from ..life import Life

MEDDLING: Sequence[tuple[Deed, float]] = (
    (web_app.award, 6),
    (web_app.award_late, 2),
    (web_app.award_again, 1),
    (web_app.reverse, 1.5),
    (web_app.adjust, 1),
    (members.leave, 2),
    (members.rejoin, 3),
    (members.unlink, 1),
    (members.link, 2),
    (members.enroll, 2),
    (members.link_taken, 0.3),
)
"""What may happen while a sync is at work, with weights."""
ALL: Sequence[tuple[Deed, float]] = (
    *MEDDLING,
    (mee6.give, 1.5),
    (mee6.remove, 1),
    (mee6.reset_member, 0.4),
    (admins.excuse, 0.7),
    (admins.unexcuse, 0.5),
    (admins.sync_by_hand, 1.0),
    (admins.dry_run, 0.3),
)
UPHEAVAL: Sequence[tuple[Deed, float]] = (
    (mee6.season_ends, 0.12),
    (mee6.many_fall, 0.12),
    (mee6.community_moves, 0.15),
)
"""What happens once in a few days, and more often in some stories."""


class Deeds:
    """Everything that people do to the system; the oracle learns of it too."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._doer = Doer(life)
        self._all = [*ALL, *((deed, often * life.plot.upheaval) for deed, often in UPHEAVAL)]

    def begin(self) -> None:
        """Enroll the first members, not all of them with a linked account."""
        life, process = self._life, self._life.processes[0]
        for number in range(len(life.members) - 10):
            discord_id = life.ids[number] if number % 10 else None
            members.enroll_one(self._doer, process, life.members[number], discord_id)

    def some(self, process: Process) -> None:
        """Do a few things, or none."""
        if abs(self._life.clock.error) > SLACK:
            return
        while self._life.random.random() < 0.2:
            self._one_of(self._all, process)
        admins.decide(self._doer, process)

    def fate(self, process: Process) -> Fate:
        """Return what happens to a process, if anything, and at which step."""
        return fates.fate_of(self._doer, process, lambda: self._meddle(process))

    def _one_of(self, deeds: Sequence[tuple[Deed, float]], process: Process) -> None:
        (deed,) = self._life.random.choices([one for one, _ in deeds], [weight for _, weight in deeds])
        self._life.clock.sleep(1)
        deed(self._doer, process)

    def _meddle(self, process: Process) -> None:
        """Let others post while this process is at work."""
        self._life.coverage.meets("others post within")
        self._life.take_in(process, None, plain=False)
        self._life.befell.add(f"meddled with at {process.befell}")
        self._doer.is_meddling = True
        try:
            for _ in range(self._life.random.randint(1, 3)):
                self._one_of(MEDDLING, self._life.other(process))
        finally:
            self._doer.is_meddling = False
