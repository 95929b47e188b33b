"""Rankings by points, of all time or of a month, and by current streak."""

from collections.abc import Sequence
from datetime import date

from ...core.reports import Rank
from . import Row
from .queries import Standings, calendar_of

OF_ALL_TIME = """
WITH sums AS (SELECT member_id, CAST(sum(points) AS BIGINT) AS points FROM balances GROUP BY member_id)
"""
OF_A_MONTH = """
WITH sums AS NOT MATERIALIZED (SELECT member_id, points FROM monthly_balances WHERE month = :month)
"""
OUT_OF_SIGHT = """(
    SELECT member_id FROM members WHERE is_hidden OR is_forgotten
    UNION ALL SELECT member_id FROM discord_activity WHERE :present AND status = 'left'
)"""
HAS_LEFT = "member_id IN (SELECT member_id FROM discord_activity WHERE status = 'left')"
TOP = f"""
, top AS (
    SELECT member_id, points FROM sums
    WHERE points > 0 AND member_id NOT IN {OUT_OF_SIGHT}
    ORDER BY points DESC, member_id LIMIT :limit
)
SELECT rank() OVER (ORDER BY points DESC), member_id, name, points, NULL, {HAS_LEFT}
FROM top JOIN members USING (member_id)
ORDER BY points DESC, member_id
"""
STANDINGS = """
, standings AS (
    SELECT member_id, name, coalesce(points, 0) AS points
    FROM members LEFT JOIN sums USING (member_id) WHERE {condition}
)
"""
RANKED = f"""
{STANDINGS.format(condition=f"member_id NOT IN {OUT_OF_SIGHT}")}
SELECT rank() OVER (ORDER BY points DESC), member_id, name, points, NULL, {HAS_LEFT} FROM standings
ORDER BY points DESC, member_id LIMIT :limit
"""
OWN_RANK = f"""
{STANDINGS.format(condition="member_id = :me")}
SELECT 1 + (SELECT count(*) FROM sums WHERE sums.points > me.points AND member_id NOT IN {OUT_OF_SIGHT})
    + CASE WHEN me.points >= 0 THEN 0 ELSE (
        SELECT count(*) FROM members LEFT JOIN sums USING (member_id)
        WHERE sums.points IS NULL AND member_id NOT IN {OUT_OF_SIGHT}
    ) END,
    member_id, name, points, NULL, {HAS_LEFT}
FROM standings AS me
"""
STREAK_RANKS = f"""
{OF_ALL_TIME}
SELECT rank() OVER (ORDER BY length DESC), member_id, name, coalesce(points, 0), length, {HAS_LEFT}
FROM streaks JOIN members USING (member_id) LEFT JOIN sums USING (member_id)
WHERE last >= :since AND length > 0 AND member_id NOT IN {OUT_OF_SIGHT}
ORDER BY length DESC, member_id LIMIT :limit
"""


class Leaderboard(Standings):
    """The rankings of the `Views` port."""

    def ranking(self, month: date | None, /, *, limit: int, present: bool = False) -> Sequence[Rank]:
        sums = OF_A_MONTH if month else OF_ALL_TIME
        values = {"month": month and month.isoformat(), "limit": limit, "present": present}
        with self._database.snapshot() as connection:
            rows = connection.execute(f"{sums} {TOP}", values).fetchall()
            if len(rows) < limit:
                # Only now do members without points matter, who are the majority.
                rows = connection.execute(f"{sums} {RANKED}", values).fetchall()
        return [rank_of_row(row) for row in rows]

    def rank_of(self, member_id: str, month: date | None, /, *, present: bool = False) -> Rank | None:
        sums = OF_A_MONTH if month else OF_ALL_TIME
        values = {"month": month and month.isoformat(), "me": member_id, "present": present}
        with self._database.connection() as connection:
            row = connection.execute(f"{sums} {OWN_RANK}", values).fetchone()
        return row and rank_of_row(row)

    def streak_ranking(self, *, limit: int, present: bool = False) -> Sequence[Rank]:
        with self._database.snapshot() as connection:
            calendar = calendar_of(connection)
            if calendar.next_day is None:
                return []
            # A streak is unbroken if no required day was settled since its last one.
            since = calendar.required_before(calendar.next_day)
            values = {"since": since.isoformat(), "limit": limit, "present": present}
            return [rank_of_row(row) for row in connection.execute(STREAK_RANKS, values)]


def rank_of_row(row: Row) -> Rank:
    """Return the rank of a row."""
    rank, member_id, name, points, streak, has_left = row
    return Rank(rank, member_id, name, points, streak, bool(has_left))
