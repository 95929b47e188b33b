"""Who writes when: thousands of people of four kinds, the same for each seed."""

from bisect import bisect
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random

from attrs import frozen

from trc_engage.testing.leaderboard import XP_PER_MESSAGE

QUARTER = timedelta(minutes=15)
QUARTERS = 96
FIRST_ID = 80351110224678912
XP_BEFORE = (20, 60_000)
GRACE_SHARE = 0.4
"""How likely people are to be there on a Saturday or Sunday, compared with a weekday."""
BY_HOUR = (1, 1, 0, 0, 0, 0, 1, 3, 6, 8, 8, 8, 7, 8, 9, 9, 8, 8, 7, 6, 6, 5, 3, 2)


@frozen
class Habit:
    """How one kind of people write."""

    share: float
    """The share of people who are of this kind."""
    is_there: float
    """How likely they are to write on a weekday."""
    quarters_max: int
    """In how many quarters of an hour of such a day they write, at most."""
    messages_max: int
    """How many messages earn XP in each of them, at most."""


HABITS = (Habit(0.50, 0.02, 1, 3), Habit(0.35, 0.15, 3, 5), Habit(0.13, 0.6, 5, 8), Habit(0.02, 0.95, 12, 12))


class People:
    """The members, by number, and the XP that each has earned by now."""

    def __init__(self, count: int, seed: int, now: datetime) -> None:
        chance = Random(seed)
        self.xp = [chance.randint(*XP_BEFORE) for _ in range(count)]
        self._habits = chance.choices(HABITS, [habit.share for habit in HABITS], k=count)
        self._seed = seed
        self._lived_until = now
        self._day = date.min
        self._plan: Sequence[dict[int, int]] = ()

    def live_until(self, now: datetime) -> dict[int, int]:
        """Live through every quarter of an hour that is over by now; return who earned how much."""
        earned: dict[int, int] = {}
        while self._lived_until + QUARTER <= now:
            for number, xp in self._earned_from(self._lived_until).items():
                earned[number] = earned.get(number, 0) + xp
            self._lived_until += QUARTER
        for number, xp in earned.items():
            self.xp[number] += xp
        return earned

    def _earned_from(self, at: datetime) -> dict[int, int]:
        if at.date() != self._day:
            self._day = at.date()
            self._plan = self._planned(self._day)
        return self._plan[(at - datetime.combine(self._day, datetime.min.time(), UTC)) // QUARTER]

    def _planned(self, day: date) -> Sequence[dict[int, int]]:
        """Return who earns how much in each quarter of an hour of a day."""
        chance, quarters = Random(f"{self._seed} {day}"), [dict[int, int]() for _ in range(QUARTERS)]
        usual, by_quarter = GRACE_SHARE if day.weekday() >= 5 else 1.0, list(accumulate(BY_HOUR))
        for number, habit in enumerate(self._habits):
            if chance.random() >= habit.is_there * usual:
                continue
            for _ in range(chance.randint(1, habit.quarters_max)):
                hour = bisect(by_quarter, chance.randrange(by_quarter[-1]))
                messages = chance.randint(1, habit.messages_max)
                quarters[hour * 4 + chance.randrange(4)][number] = sum(
                    chance.randint(*XP_PER_MESSAGE) for _ in range(messages)
                )
        return quarters


def discord_id(number: int) -> str:
    """Return the Discord id of a member."""
    return str(FIRST_ID + number)


def member_id(number: int) -> str:
    """Return the community's id of a member."""
    return f"m-{number:04}"
