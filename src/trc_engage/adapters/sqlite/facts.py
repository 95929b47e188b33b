"""Members and accounts, as rows and values."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ...core.model import DiscordActivity, DiscordDay, Member
from .database import Database

ACCOUNT = """
SELECT account_id, version, member_id, discord_id, status, next_reading,
       xp_baseline, xp_total, xp_high, xp_posted, window_from
FROM discord_activity
"""

# The cross join keeps SQLite from reading everybody's days in between: the key leads with the day.
DISCORD_DAYS = """
WITH RECURSIVE calendar (day) AS (
    SELECT ?1 WHERE ?1 <= ?2 UNION ALL SELECT date(day, '+1 day') FROM calendar WHERE day < ?2
)
SELECT day, account_id, opens_at, closes_at
FROM (SELECT account_id FROM discord_activity WHERE member_id = ?3) CROSS JOIN calendar
    CROSS JOIN discord_days USING (day, account_id)
ORDER BY day, account_id
"""


class Facts:
    """The reading half of the `Ledger` port."""

    _database: Database

    def member(self, member_id: str, /) -> Member | None:
        """Return the member with this id."""
        with self._database.lent() as connection:
            row = connection.execute(
                "SELECT member_id, name, enrolled_at FROM members WHERE member_id = ?", [member_id]
            ).fetchone()
        return row and Member(row[0], row[1], datetime.fromisoformat(row[2]))

    def account_of(self, member_id: str, /) -> DiscordActivity | None:
        """Return the member's account that is not unlinked."""
        return self._account("member_id = ? AND unlinked_at IS NULL", member_id)

    def holder_of(self, discord_id: str, /) -> DiscordActivity | None:
        """Return the account, not unlinked, that holds this Discord id."""
        return self._account("discord_id = ? AND unlinked_at IS NULL", discord_id)

    def accounts_to_sync(self) -> Sequence[DiscordActivity]:
        """Return every account that is waiting, tracked or absent, by account id."""
        with self._database.lent() as connection:
            rows = connection.execute(f"{ACCOUNT} WHERE status IN ('waiting', 'tracked', 'absent') ORDER BY account_id")
            return [account_of_row(row) for row in rows]

    def discord_days(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[DiscordDay]:
        """Return what shows that the member was active on Discord, oldest day first."""
        with self._database.lent() as connection:
            rows = connection.execute(DISCORD_DAYS, [first_day.isoformat(), last_day.isoformat(), member_id])
            return [
                DiscordDay(date.fromisoformat(row[0]), row[1], *map(datetime.fromisoformat, row[2:])) for row in rows
            ]

    def _account(self, condition: str, value: str) -> DiscordActivity | None:
        with self._database.lent() as connection:
            row = connection.execute(f"{ACCOUNT} WHERE {condition}", [value]).fetchone()
        return row and account_of_row(row)


def account_of_row(row: tuple[Any, ...]) -> DiscordActivity:
    """Make the value of a row of `ACCOUNT`."""
    if row[-1] is None:
        return DiscordActivity(*row)
    values = [*row[:-1], datetime.fromisoformat(row[-1])]
    return DiscordActivity(*values)
