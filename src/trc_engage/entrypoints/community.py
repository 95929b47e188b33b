"""The people of the demo and their habits."""

from datetime import datetime
from random import Random

from attrs import frozen


@frozen
class Person:
    """Somebody on the demo's Discord server."""

    name: str
    discord_id: str
    xp_before: int
    """XP earned before the demo begins; it pays nothing."""
    messages_an_hour: float
    """How much they write …"""
    from_hour: int
    until_hour: int
    """… and when, in UTC."""
    on_weekends: bool = False

    @property
    def member_id(self) -> str:
        """TRC's own id."""
        return f"trc-{self.name.lower()}"

    def writes(self, at: datetime, chance: Random) -> bool:
        """Tell whether they write in this minute."""
        if not self.from_hour <= at.hour < self.until_hour or (at.weekday() >= 5 and not self.on_weekends):
            return False
        return chance.random() < self.messages_an_hour / 60


ADA = Person("Ada", "300000000000000001", 4_310, 3.0, 8, 18)
GRACE = Person("Grace", "300000000000000002", 12_840, 5.0, 17, 23, on_weekends=True)
ALAN = Person("Alan", "300000000000000003", 760, 2.5, 20, 24, on_weekends=True)
EDSGER = Person("Edsger", "300000000000000004", 2_055, 0.7, 6, 12)
BARBARA = Person("Barbara", "300000000000000005", 9_120, 1.2, 7, 20)
DENNIS = Person("Dennis", "300000000000000006", 5_080, 0.8, 9, 17)
KATHERINE = Person("Katherine", "300000000000000007", 150, 4.0, 12, 15, on_weekends=True)
RADIA = Person("Radia", "300000000000000008", 3_402, 1.6, 10, 19)
HEDY = Person("Hedy", "300000000000000009", 0, 1.5, 13, 21, on_weekends=True)
MARGARET = Person("Margaret", "300000000000000010", 7_777, 2.0, 9, 16)
STRANGER = Person("a stranger", "300000000000000099", 25_000, 6.0, 0, 24, on_weekends=True)

MEMBERS = (ADA, GRACE, ALAN, EDSGER, BARBARA, DENNIS, KATHERINE, RADIA, HEDY, MARGARET)
