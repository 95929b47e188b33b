"""The Discord server: who chats when, and what MEE6 counts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from attrs import frozen

QUARTER = timedelta(minutes=15)
QUARTERS_MAX = 100
"""Of a longer time only the end is lived, which makes no difference."""
XP_PER_MESSAGE = (15, 25)
SATURDAY = 5
NEWCOMERS = 0.75
"""The share of people who are on a new board from the beginning."""
SILENT_BELOW = 0.05
"""Below this zeal a person is not active every day."""

Rows = Sequence[tuple[str, int]]


@frozen
class Page:
    """The rows at one instant, in the order in which they are served."""

    rows: Rows

    def page(self, number: int, limit: int) -> Rows:
        """Return one page of them."""
        return self.rows[number * limit : (number + 1) * limit]


class World:
    """People by their Discord ids, with the XP that MEE6 holds for them."""

    def __init__(self, random: Random, ids: Sequence[str], at: datetime) -> None:
        self.random = random
        self.at = at
        self.xp: dict[str, int] = {}
        """The XP of those who ever earned any."""
        self.here = set(ids)
        self.counts = True
        """Whether MEE6 counts what is written."""
        self.quiet = False
        """Whether everyone is silent, as on a holiday."""
        self._zeal = {
            one: random.choice([0.0, 0.004, 0.01, 0.03, 0.03, 0.08, 0.08, 0.15, 0.3, 0.6]) for one in sorted(ids)
        }
        self._board: Page | None = None
        for one in ids:
            if random.random() < 0.75:
                self.xp[one] = random.choice([0, 40, 250, 900, 2_500, 7_000, 7_000, 20_000]) + random.randrange(900)

    def board(self) -> Page:
        """Return the present board, by XP, highest first."""
        if self._board is None:
            self._board = Page(sorted(self.xp.items(), key=lambda row: -row[1]))
        return self._board

    def until(self, at: datetime) -> None:
        """Let people chat until an instant."""
        if at - self.at > QUARTERS_MAX * QUARTER:
            self.at = at - QUARTERS_MAX * QUARTER
        while self.at < at:
            then = min(self.at + QUARTER, at)
            self._chat((then - self.at) / QUARTER)
            self.at = then

    def _chat(self, share: float) -> None:
        if self.quiet or not self.counts:
            return
        random = self.random.random
        busy = share * (0.15 if self.at.weekday() >= SATURDAY else 1.0)
        busy *= 0.05 if 3 <= self.at.hour < 9 else 1.0
        for one, zeal in self._zeal.items():
            if random() < zeal * busy and one in self.here:
                messages = 1 + int(4 * random() * share)
                self.give(one, sum(self.random.randint(*XP_PER_MESSAGE) for _ in range(messages)))

    def give(self, one: str, xp: int) -> None:
        """Change someone's XP; a person who has earned any stays on the board, with at least 0."""
        if one in self.xp or xp > 0:
            self.xp[one] = max(0, self.xp.get(one, 0) + xp)
            self._board = None

    def reset(self, one: str) -> None:
        """Reset someone: the row disappears."""
        self.xp.pop(one, None)
        self._board = None

    def reset_all(self) -> None:
        """End the season: the board is empty."""
        self.xp.clear()
        self._board = None

    def move(self) -> None:
        """Count on another board: many of the same people, with XP unrelated to what they had."""
        random = self.random
        people = sorted(self._zeal)
        self.xp = {
            one: random.choice([0, 40, 900, 1_400, 7_000, 20_000]) for one in people if random.random() < NEWCOMERS
        }
        self._board = None

    def climb(self, place: int) -> None:
        """Let someone silent just below a place rise above it."""
        rows = self.board().rows
        silent = [row for row in rows[place:] if self._zeal[row[0]] < SILENT_BELOW]
        if self.counts and silent:
            one, xp = silent[0]
            self.give(one, rows[place - 1][1] - xp + 1)

    def stir(self) -> None:
        """Let a few rise or fall past others."""
        if self.counts and self.xp:
            for one in self.random.sample(sorted(self.xp), k=min(6, len(self.xp))):
                self.give(one, self.random.choice([30, 400, 3_000, -300]))
