"""Whose board is where: the community's own, and others that an operator may configure by mistake (R24)."""

from random import Random

from attrs import evolve, frozen

from .world import Page, Rows

MISTYPED = ("200000000000000010", "200000000000000002")
TRIAL = "trial.test"
NEW_HERE = 0.2
"""The share of one board's people whom another board does not know."""


@frozen
class Address:
    """Where a deployment reads, and whose board that is."""

    host: str = "mee6.test"
    guild_id: str = "200000000000000001"

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://{self.host}"

    @property
    def board_id(self) -> str:
        """The board's id."""
        return f"mee6:{self.guild_id}@{self.host}:80"

    def mistaken(self, what: str, number: int) -> "Address":
        """Return the address that an operator configures who mistakes the guild, the host or both."""
        other = self
        if what != "host":
            other = evolve(other, guild_id=MISTYPED[number % len(MISTYPED)])
        return other if what == "guild" else evolve(other, host=TRIAL)


def of_others(rows: Rows, random: Random) -> Page:
    """Return another board: some of the same people with different XP, and strangers."""
    same = [(one, random.choice([xp + 700, 5 * xp, xp // 2, 40, 30_000])) for one, xp in rows if random.random() < 0.5]
    strangers = [(str(90351110224678000 + number), random.randrange(20_000)) for number in range(9)]
    return Page(sorted([*same, *strangers], key=lambda row: -row[1]))
