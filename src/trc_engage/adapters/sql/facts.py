"""Members and accounts, as rows and values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...core.model import DiscordActivity, Member
from .session import Sessions

MEMBER = "SELECT member_id, name, enrolled_at, is_hidden, is_forgotten, version FROM members"

ACCOUNT = """
SELECT account_id, version, member_id, discord_id, status, next_reading,
       xp_baseline, xp_total, xp_high, xp_posted, window_from
FROM discord_activity
"""


class Facts:
    """Who is there: the part of the `Ledger` port about members and accounts."""

    _database: Sessions

    def member(self, member_id: str, /) -> Member | None:
        """Return the member with this id."""
        with self._database.lent() as session:
            row = session.execute(f"{MEMBER} WHERE member_id = ?", [member_id]).fetchone()
        return row and Member(row[0], row[1], datetime.fromisoformat(row[2]), bool(row[3]), bool(row[4]), row[5])

    def account_of(self, member_id: str, /) -> DiscordActivity | None:
        """Return the member's account that is not unlinked."""
        return self._account("member_id = ? AND unlinked_at IS NULL", member_id)

    def holder_of(self, discord_id: str, /) -> DiscordActivity | None:
        """Return the account, not unlinked, that holds this Discord id."""
        return self._account("discord_id = ? AND unlinked_at IS NULL", discord_id)

    def accounts_to_sync(self) -> Sequence[DiscordActivity]:
        """Return every account that is waiting, tracked or absent, by account id."""
        with self._database.lent() as session:
            rows = session.execute(f"{ACCOUNT} WHERE status IN ('waiting', 'tracked', 'absent') ORDER BY account_id")
            return [account_of_row(row) for row in rows]

    def linked_accounts(self) -> Sequence[DiscordActivity]:
        """Return every account that is not unlinked, by account id."""
        with self._database.lent() as session:
            rows = session.execute(f"{ACCOUNT} WHERE unlinked_at IS NULL ORDER BY account_id")
            return [account_of_row(row) for row in rows]

    def tracks_anyone(self) -> bool:
        """Tell whether any account is waiting, tracked or absent."""
        with self._database.lent() as session:
            found = session.execute(
                "SELECT 1 FROM discord_activity WHERE status IN ('waiting', 'tracked', 'absent') LIMIT 1"
            ).fetchone()
        return found is not None

    def _account(self, condition: str, value: str) -> DiscordActivity | None:
        with self._database.lent() as session:
            row = session.execute(f"{ACCOUNT} WHERE {condition}", [value]).fetchone()
        return row and account_of_row(row)


def account_of_row(row: tuple[Any, ...]) -> DiscordActivity:
    """Make the value of a row of `ACCOUNT`."""
    if row[-1] is None:
        return DiscordActivity(*row)
    values = [*row[:-1], datetime.fromisoformat(row[-1])]
    return DiscordActivity(*values)
