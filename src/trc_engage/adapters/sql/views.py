"""What people read."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from ...core import points
from ...core.entries import Entry, XpChange
from ...core.views import DiscordStanding, MemberFacts, Rank, Standing
from .activity import calendar_of, evidence_of, stored_streak
from .finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.health import Tally
    from .session import Session, Sessions

ENTRY = """
SELECT position, kind, member_id, source, points, day, at, silent,
       account_id, xp_before, xp_after, baseline_before, baseline_after, key, reason, actor, reverses
FROM entries
"""
LATEST_ACCOUNT = """
SELECT member_id, discord_id, status, xp_total, xp_baseline FROM discord_activity
WHERE account_id IN (SELECT max(account_id) FROM discord_activity {condition} GROUP BY member_id)
"""

PAGE_OF_MEMBERS = """
WHERE member_id IN (SELECT member_id FROM members WHERE member_id > ? ORDER BY member_id LIMIT ?)
"""

OF_ALL_TIME = """
WITH sums AS (SELECT member_id, CAST(sum(points) AS BIGINT) AS points FROM member_balances GROUP BY member_id)
"""
OF_A_MONTH = """
WITH sums AS NOT MATERIALIZED (SELECT member_id, points FROM monthly_balances WHERE month = :month)
"""
OUT_OF_SIGHT = "(SELECT member_id FROM members WHERE is_hidden OR is_forgotten)"
TOP = f"""
, top AS (
    SELECT member_id, points FROM sums
    WHERE points > 0 AND member_id NOT IN {OUT_OF_SIGHT}
    ORDER BY points DESC, member_id LIMIT :limit
)
SELECT rank() OVER (ORDER BY points DESC), member_id, name, points FROM top JOIN members USING (member_id)
ORDER BY points DESC, member_id
"""
STANDINGS = """
, standings AS (
    SELECT member_id, name, coalesce(points, 0) AS points
    FROM members LEFT JOIN sums USING (member_id) WHERE {condition}
)
"""
RANKED = f"""
{STANDINGS.format(condition="NOT (is_hidden OR is_forgotten)")}
SELECT rank() OVER (ORDER BY points DESC), member_id, name, points FROM standings
ORDER BY points DESC, member_id LIMIT :limit
"""
OWN_RANK = f"""
{STANDINGS.format(condition="member_id = :me")}
SELECT 1 + (SELECT count(*) FROM sums WHERE sums.points > me.points AND member_id NOT IN {OUT_OF_SIGHT})
    + CASE WHEN me.points >= 0 THEN 0 ELSE (
        SELECT count(*) FROM members LEFT JOIN sums USING (member_id)
        WHERE sums.points IS NULL AND NOT (is_hidden OR is_forgotten)
    ) END,
    member_id, name, points
FROM standings AS me
"""


class Views(Finding):
    """The `Views` port."""

    _database: Sessions

    def facts(self, member_id: str, today: date, /) -> MemberFacts | None:
        """Return all that makes up where a member stands, as of one instant."""
        with self._database.reading() as session:
            found = _standings(session, "WHERE member_id = ?", [member_id])
            if not found:
                return None
            (enrolled_at,) = session.execute(
                "SELECT enrolled_at FROM members WHERE member_id = ?", [member_id]
            ).fetchone()
            calendar = calendar_of(session)
            streak = stored_streak(session, member_id)
            open_from = calendar.unsettled_until(today)[:1] or (today,)
            evidence = evidence_of(session, self._database.discord_evidence, member_id, open_from[0], today)
        open_days = frozenset(one.day for one in evidence)
        return MemberFacts(found[0], datetime.fromisoformat(enrolled_at), streak, calendar, open_days)

    def members(self, *, after: str = "", limit: int | None = None) -> Sequence[Standing]:
        """Return where the members beyond an id stand, by member id, without the streaks; all of them for None."""
        with self._database.reading() as session:
            if limit is None:
                return _standings(session, "WHERE member_id > ?", [after])
            return _standings(session, PAGE_OF_MEMBERS, [after, limit])

    def history(self, member_id: str, /, *, limit: int, before: int | None = None) -> Sequence[Entry]:
        """Return a member's entries, newest first, those below position `before`."""
        below = "" if before is None else "AND position < ?"
        values = [member_id, limit] if before is None else [member_id, before, limit]
        with self._database.lent() as session:
            rows = session.execute(
                f"{ENTRY} WHERE member_id = ? {below} ORDER BY position DESC LIMIT ?",
                values,
            )
            return [_entry(row) for row in rows]

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first."""
        with self._database.lent() as session:
            rows = session.execute(f"{ENTRY} WHERE position > ? ORDER BY position LIMIT ?", [after, limit])
            return [_entry(row) for row in rows]

    def entry_of(self, key: str, /) -> Entry | None:
        """Return the award or adjustment that has this key."""
        return self._one_entry("key = ?", key)

    def reversal_of(self, position: int, /) -> Entry | None:
        """Return the entry that takes the award at this position back."""
        return self._one_entry("reverses = ?", position)

    def ranking(self, month: date | None, /, *, limit: int) -> Sequence[Rank]:
        """Return the top of the visible members by the points of a month, named by its first day, or of all time."""
        sums = OF_A_MONTH if month else OF_ALL_TIME
        values = {"month": month and month.isoformat(), "limit": limit}
        with self._database.reading() as session:
            rows = session.execute(f"{sums} {TOP}", values).fetchall()
            if len(rows) < limit:
                # Only now those without any points matter, who are most of the members.
                rows = session.execute(f"{sums} {RANKED}", values).fetchall()
        return [Rank(*row) for row in rows]

    def tally(self) -> Tally:
        """Return how much the store holds."""
        # Whoever only reads need not wait for what a status is made of.
        from ...core.health import Tally  # noqa: PLC0415

        with self._database.reading() as session:
            (members,) = session.execute("SELECT count(*) FROM members").fetchone()
            accounts = session.execute("SELECT status, count(*) FROM discord_activity GROUP BY status")
            by_status = dict(accounts.fetchall())
            (entries,) = session.execute("SELECT count(*) FROM entries").fetchone()
            size_bytes = self._database.size_bytes(session)
        return Tally(self._database.place, size_bytes, members, by_status, entries)

    def rank_of(self, member_id: str, month: date | None, /) -> Rank | None:
        """Return a member's own rank among the visible ones, even of a hidden member; months as in `ranking`."""
        sums = OF_A_MONTH if month else OF_ALL_TIME
        values = {"month": month and month.isoformat(), "me": member_id}
        with self._database.lent() as session:
            row = session.execute(f"{sums} {OWN_RANK}", values).fetchone()
        return row and Rank(*row)

    def _one_entry(self, condition: str, value: str | int) -> Entry | None:
        with self._database.lent() as session:
            row = session.execute(f"{ENTRY} WHERE {condition}", [value]).fetchone()
        return row and _entry(row)


def entry_at(session: Session, position: int) -> Entry:
    """Read the entry at a position, which must be there."""
    return _entry(session.execute(f"{ENTRY} WHERE position = ?", [position]).fetchone())


def _standings(session: Session, condition: str, values: Sequence[str | int]) -> list[Standing]:
    """Read the members whom a condition on `member_id` picks; an empty one picks all."""
    members = session.execute(
        f"SELECT member_id, name, is_hidden, is_forgotten FROM members {condition} ORDER BY member_id", values
    ).fetchall()
    balances: dict[str, dict[str, int]] = defaultdict(dict)
    for member_id, source, amount in session.execute(
        f"SELECT member_id, source, points FROM member_balances {condition} ORDER BY source",
        values,
    ):
        balances[member_id][source] = amount
    accounts = {
        member_id: DiscordStanding(discord_id, status, xp_total, points.carried(xp_total, baseline))
        for member_id, discord_id, status, xp_total, baseline in session.execute(
            LATEST_ACCOUNT.format(condition=condition), values
        )
    }
    return [
        Standing(
            member_id,
            name,
            sum(balances[member_id].values()),
            balances[member_id],
            accounts.get(member_id),
            is_hidden=bool(is_hidden),
            is_forgotten=bool(is_forgotten),
        )
        for member_id, name, is_hidden, is_forgotten in members
    ]


def _entry(row: tuple[Any, ...]) -> Entry:
    position, kind, member_id, source, amount, day, at, silent, account_id, *rest = row
    change, origin = rest[:4], rest[4:]
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
        *origin,
    )
