"""How many questions a day the roster asks about 4,000 members, of whom 30 % chat and 200 have left."""

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

from trc_engage import Board, Engage, Newcomer, Presence
from trc_engage.adapters.memory import MemoryLedger

MEMBERS, LEFT, CHATTERS = 4_000, 200, 1_200
PAGE = 1_000
"""How many members the list route returns per request."""
BEGINS = datetime(2026, 3, 2, tzinfo=UTC)
ASK_SECONDS = 1.125
"""How long a question takes on average, including the gap between two of them."""
IDS = [str(300000000000000000 + number) for number in range(MEMBERS)]


class Village:
    """A board, a roster that takes its time, and the clock that both follow."""

    guild_id = "200000000000000001"

    def __init__(self) -> None:
        self.now = BEGINS
        self.xp = dict.fromkeys(IDS, 1_000)
        self.asked: list[tuple[datetime, str]] = []

    def read(self, sought: frozenset[str], /) -> Board:
        """Return everyone's XP."""
        return Board({one: self.xp[one] for one in sought}, whole=True, rows=MEMBERS, pages=4)

    def ask(self, discord_id: str, /) -> Presence:
        """Return whether someone is there."""
        self.now += timedelta(seconds=ASK_SECONDS)
        self.asked.append((self.now, discord_id))
        return Presence("gone") if IDS.index(discord_id) < LEFT else Presence("present", BEGINS)


def questions(_store: Path, _members: int) -> float:
    """Return the questions of the second day; fail for two within a second, or one that a rise had answered."""
    logging.disable()
    village, random = Village(), Random(7)
    engage = Engage(ledger=MemoryLedger(), source=village, clock=lambda: village.now, roster=village)
    engage.enroll_all([Newcomer(f"m-{number}", one) for number, one in enumerate(IDS)])
    for number in range(LEFT):
        engage.leave(f"m-{number}")
    chats: dict[int, list[str]] = {}
    rises: dict[str, list[tuple[datetime, datetime]]] = {one: [] for one in IDS}
    for one in random.sample(IDS[LEFT:], CHATTERS):
        for slot in random.sample(range(96), random.randint(1, 6)):
            chats.setdefault(slot, []).append(one)
    for tick in range(2 * 288):
        village.now = BEGINS + tick * timedelta(minutes=5)
        if tick % 3 == 0:
            for one in chats.get(tick // 3 % 96, ()):
                village.xp[one] += 20
                rises[one].append((village.now - timedelta(minutes=15), village.now))
        engage.run_due()
        assert village.now <= BEGINS + tick * timedelta(minutes=5) + timedelta(minutes=1)
    second_day = [(at, one) for at, one in village.asked if at >= BEGINS + timedelta(days=1)]
    assert all(later - at >= timedelta(seconds=1) for (at, _), (later, _) in pairwise(second_day))
    daily = Counter(one for _, one in second_day if IDS.index(one) >= LEFT)
    assert max(daily.values()) == 1
    asked_before = {one: at for at, one in village.asked if at < BEGINS + timedelta(days=1)}
    for at, one in second_day:
        if one in daily:
            assert not any(asked_before[one] <= opened_at and read_at < at for opened_at, read_at in rises[one])
    return float(len(second_day))


def by_list(_store: Path, _members: int) -> float:
    """Return how many requests the hourly list route needs on a server that only has members."""
    return float(24 * -(-(MEMBERS - LEFT) // PAGE))
