"""Stores with many accounts and boards to sync them with, the same in every process."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import frozen

from trc_engage import Board, Engage, Newcomer
from trc_engage.adapters.sqlite import SqliteLedger

OPENED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PRAGMAS = (
    "PRAGMA journal_mode = TRUNCATE",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -32768",
)
"""The ledger's own, so that the floor has the same rules."""
SYNCED_AT = OPENED_AT + timedelta(minutes=15)


@frozen
class FixedSource:
    """A source whose board is already in memory."""

    board: Board

    def read(self, _sought: frozenset[str], /) -> Board:
        """Return the board."""
        return self.board


def discord_ids(accounts: int) -> list[str]:
    """Return this many Discord ids, each of 18 digits."""
    return [str(10**17 + number) for number in range(accounts)]


def opening_xp(accounts: int) -> dict[str, int]:
    """Return the XP at which each account is opened."""
    chance = random.Random(accounts)
    return {discord_id: chance.randrange(100_000) for discord_id in discord_ids(accounts)}


def later_xp(accounts: int, share: float) -> dict[str, int]:
    """Return the XP a quarter of an hour later, 15 to 375 higher for a share of the accounts."""
    xp = opening_xp(accounts)
    chance = random.Random(accounts + 1)
    for discord_id in chance.sample(list(xp), round(accounts * share)):
        xp[discord_id] += chance.randint(15, 375)
    return xp


def board_of(xp: dict[str, int]) -> Board:
    """Return a whole board that shows this XP."""
    return Board(xp, whole=True, rows=len(xp), pages=len(xp) // 1_000)


def build_store(path: Path, accounts: int) -> None:
    """Make a store with this many accounts, enrolled and opened."""
    xp = opening_xp(accounts)
    with SqliteLedger.open(path) as ledger:
        engage = Engage(ledger=ledger, source=FixedSource(board_of(xp)), clock=lambda: OPENED_AT)
        newcomers: Sequence[Newcomer] = [
            Newcomer(f"member-{number:06}", discord_id, f"Member {number}") for number, discord_id in enumerate(xp)
        ]
        engage.enroll_all(newcomers)
        engage.sync()
