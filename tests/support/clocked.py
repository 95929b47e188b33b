"""Communities lived twice: with a stretch under a clock that ran ahead, then a repair; and without the stretch."""

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from attrs import define, field

from trc_engage.core.audit import Breach
from trc_engage.core.ports import Store
from trc_engage.core.reports import ClockReport
from trc_engage.usecases.audit import audit

from .community import Community, opened

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NAMES = ("ada", "bo", "cy")
FIRST = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@define
class Life:
    """A community whose clock may be wrong, and the results; the same seed gives the same events."""

    ledger: Store
    seed: int
    looks: bool = True
    """Whether anything runs during the stretch."""
    community: Community = field(init=False)
    ahead: timedelta = timedelta(0)
    """By how much the clock ran ahead."""
    awards: int = 0
    repaired: ClockReport | None = None

    def __attrs_post_init__(self) -> None:
        self.community = Community(self.ledger)
        self.community.now = FIRST

    def lived(self) -> "Life":
        """Live some days, a stretch under a clock that runs ahead, and some more days."""
        chance, community = Random(self.seed), self.community
        community.enroll(*NAMES)
        community.run(timedelta(0))
        self._days(chance, chance.randint(5, 60), community.run)
        self._stretch(chance)
        self._days(chance, chance.randint(5, 60), community.run)
        return self

    def stepped(self) -> "Life":
        """Live some days while the clock is stepped: back by seconds, ahead by days, and back again."""
        chance, community = Random(self.seed), self.community
        community.enroll(*NAMES)
        for _ in range(chance.randint(30, 90)):
            community.chat(chance.choice(NAMES), chance.choice((0, 10, 120, 350)))
            community.run(chance.choice((15, 15, 45, 240, 700)) * MINUTE)
            step = (
                chance.choice((1, 60, 119, 240, 5_000, 60_000, 10**6)) * chance.choice((-1, 1)) * timedelta(seconds=1)
            )
            community.now += step
            community.tells_time = chance.random() < 0.5
            community.run(timedelta(0))
            community.now -= step if chance.random() < 0.8 else timedelta(0)
        return self

    def _stretch(self, chance: Random) -> None:
        """Let hours pass while the clock runs ahead; if nothing runs meanwhile, book their awards afterward."""
        community, late = self.community, []
        self.ahead = ahead = timedelta(minutes=int(10 ** chance.uniform(0.5, 6.2)))
        begun_at = community.now + 20 * MINUTE
        for number in range(chance.randint(1, 12)):
            at = begun_at + number * chance.choice((15, 40, 120)) * MINUTE
            name, xp, is_award = chance.choice(NAMES), chance.choice((0, 15, 90, 260)), chance.random() < 0.2
            community.chat(name, xp)
            community.now = max(at + ahead, community.now) if self.looks else at
            if is_award:
                self.awards += 1
                late.append((name, f"stretch:{self.awards}"))
            if self.looks:
                if is_award:
                    community.award(*late[-1])
                community.run(timedelta(0))
            begun_at = max(begun_at, at)
        community.now = begun_at + chance.choice((1, 30, 600, 3_000)) * MINUTE
        community.now = community.now.replace(hour=max(community.now.hour, 1))
        if self.looks:
            self.repaired = community.engage.repair_clock(by="admin-7", reason="the clock ran ahead")
        else:
            for name, key in late:
                community.award(name, key)
        community.run(timedelta(0))

    def _days(self, chance: Random, steps: int, run: Callable[[timedelta], object]) -> None:
        for _ in range(steps):
            self.community.chat(chance.choice(NAMES), chance.choice((0, 0, 10, 40, 120, 350)))
            if chance.random() < 0.1:
                self.awards += 1
                self.community.award(chance.choice(NAMES), f"run:{self.awards}")
            run(chance.choice((15, 15, 45, 240, 700)) * MINUTE)

    @property
    def is_all_ahead(self) -> bool:
        """Whether the whole stretch was ahead of the time of the repair, and not only its end."""
        return self.ahead > 4 * DAY

    def told(self) -> dict[str, tuple[object, ...]]:
        """Return what members see."""
        engage, today = self.community.engage, self.community.now.date()
        return {
            name: (
                engage.standing(name).points_by_source,
                engage.standing(name).streak,
                [day.day for day in engage.days(name, FIRST.date(), today) if day.is_active],
            )
            for name in NAMES
        }


def breaches(kind: str, folder: Path, seed: int) -> list[Breach]:
    """Live one life and return what the doctor finds: every third seed only steps the clock, the others repair it."""
    with opened(kind, folder) as ledger:
        life = Life(ledger, seed)
        (life.stepped if seed % 3 == 0 else life.lived)()
        return [*audit(ledger).breaches]


def main(stores: int) -> int:
    """Check this many stores in files with the doctor, and return how many have breaches."""
    ill = 0
    logging.disable()
    for seed in range(stores):
        with TemporaryDirectory() as folder:
            found = breaches("sqlite", Path(folder), seed)
        ill += bool(found)
        for breach in found:
            print(f"seed {seed}: {breach.message}")  # noqa: T201
    print(f"{stores:,} stores whose clocks stepped or were repaired: {ill:,} not well")  # noqa: T201
    return ill


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])) > 0)
