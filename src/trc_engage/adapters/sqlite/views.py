"""What people read."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ...core import points
from ...core.model import DiscordStanding, Entry, Standing, XpChange
from .database import Database

ENTRY = """
SELECT position, kind, member_id, source, points, day, at, silent,
       account_id, xp_before, xp_after, baseline_before, baseline_after
FROM entries
"""
LATEST_ACCOUNT = """
SELECT member_id, discord_id, status, xp_total, xp_baseline FROM discord_activity
WHERE account_id IN (SELECT max(account_id) FROM discord_activity {condition} GROUP BY member_id)
"""


class Views:
    """The `Views` port."""

    _database: Database

    def standing(self, member_id: str, /) -> Standing | None:
        """Return where a member stands."""
        with self._database.reading() as connection:
            found = _standings(connection, "WHERE member_id = ?", [member_id])
        return found[0] if found else None

    def members(self) -> Sequence[Standing]:
        """Return where every member stands, by member id."""
        with self._database.reading() as connection:
            return _standings(connection, "", [])

    def history(self, member_id: str, /, *, limit: int, before: int | None = None) -> Sequence[Entry]:
        """Return a member's entries, newest first, those below position `before`."""
        below = "" if before is None else "AND position < ?"
        values = [member_id, limit] if before is None else [member_id, before, limit]
        with self._database.lent() as connection:
            rows = connection.execute(
                f"{ENTRY} WHERE member_id = ? {below} ORDER BY position DESC LIMIT ?",
                values,
            )
            return [_entry(row) for row in rows]

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first."""
        with self._database.lent() as connection:
            rows = connection.execute(f"{ENTRY} WHERE position > ? ORDER BY position LIMIT ?", [after, limit])
            return [_entry(row) for row in rows]


def _standings(connection: sqlite3.Connection, condition: str, values: list[str]) -> list[Standing]:
    """Read the members whom a condition on `member_id` picks; an empty one picks all."""
    names = connection.execute(f"SELECT member_id, name FROM members {condition} ORDER BY member_id", values)
    members = names.fetchall()
    balances: dict[str, dict[str, int]] = defaultdict(dict)
    for member_id, source, amount in connection.execute(
        f"SELECT member_id, source, points FROM balances {condition} ORDER BY source",
        values,
    ):
        balances[member_id][source] = amount
    accounts = {
        member_id: DiscordStanding(discord_id, status, xp_total, points.carried(xp_total, baseline))
        for member_id, discord_id, status, xp_total, baseline in connection.execute(
            LATEST_ACCOUNT.format(condition=condition), values
        )
    }
    return [
        Standing(member_id, name, sum(balances[member_id].values()), balances[member_id], accounts.get(member_id))
        for member_id, name in members
    ]


def _entry(row: tuple[Any, ...]) -> Entry:
    position, kind, member_id, source, amount, day, at, silent, account_id, *change = row
    return Entry(
        position,
        kind,
        member_id,
        source,
        amount,
        date.fromisoformat(day),
        datetime.fromisoformat(at),
        bool(silent),
        None if account_id is None else XpChange(account_id, *change),
    )
