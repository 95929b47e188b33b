"""What rosters have told of accounts (R25)."""

from collections.abc import Sequence
from datetime import datetime

from ...core.membership import Check
from .database import Row, SqlStore

CHECK = "account_id", "guild_id", "asked_at", "present_at", "joined_at", "gone_at", "confirmed_at", "contradicts"
CHECKS = f"""
SELECT {", ".join(CHECK)} FROM roster_checks JOIN discord_activity USING (account_id)
WHERE unlinked_at IS NULL
"""
FORGET_CHECKS = """
DELETE FROM roster_checks WHERE account_id IN (SELECT account_id FROM discord_activity WHERE unlinked_at IS NOT NULL)
"""
"""Since when somebody was on the server is nobody's business once the link is gone."""


class Checks(SqlStore):
    """That part of the `Views` port."""

    def checks(self, member_id: str | None = None, /) -> Sequence[Check]:
        mine = "" if member_id is None else "AND member_id = ?"
        with self._database.connection() as connection:
            rows = connection.execute(f"{CHECKS} {mine} ORDER BY account_id", [member_id] if mine else [])
            return [_check(row) for row in rows]


def _check(row: Row) -> Check:
    account_id, guild_id, *instants, contradicts = row
    asked_at, present_at, joined_at, gone_at, confirmed_at = (at and datetime.fromisoformat(at) for at in instants)
    return Check(account_id, guild_id, asked_at, present_at, joined_at, gone_at, confirmed_at, bool(contradicts))
