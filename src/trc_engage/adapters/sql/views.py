"""What people read: history, the leaderboard, and the search with the words of names that it looks in."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from ...core.model import Entry, Member
from ...core.records import Check
from ...core.reports import Found, Rank, Tally
from ...core.validation import sought_words, words_of
from .database import Connection, Database, Record, Row
from .queries import ENTRY, UNSEEN, Standings, calendar_of, entry_of_row

CHECKS = Record(Check, "roster_checks")
FORGET_CHECKS = """
DELETE FROM roster_checks WHERE account_id IN (SELECT account_id FROM discord_activity WHERE unlinked_at IS NOT NULL)
"""
"""Since when somebody was on the server is nobody's business once the link is gone."""

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
WORDS = ("word", "member_id")

BY_ID = """
SELECT member_id, name FROM members WHERE member_id IN (
    SELECT member_id FROM members WHERE member_id = :text
    UNION ALL SELECT member_id FROM discord_activity WHERE discord_id = :text AND unlinked_at IS NULL
) ORDER BY member_id
"""
# Read in the order of its key and no further than is asked for: so each member counts where the first word is met.
BY_NAME = """
SELECT member_id, name FROM name_words AS met JOIN members USING (member_id)
WHERE word >= :from0 AND word < :to0 AND NOT EXISTS (
    SELECT 1 FROM name_words AS earlier
    WHERE earlier.member_id = met.member_id AND earlier.word >= :from0 AND earlier.word < met.word
){others}
ORDER BY word, member_id LIMIT :limit
"""
ALSO = """ AND EXISTS (
    SELECT 1 FROM name_words AS other
    WHERE other.member_id = met.member_id AND other.word >= :from{number} AND other.word < :to{number}
)"""
BEYOND = "\U0010ffff"
"""Sorts behind whatever a word goes on with, and stands in none."""


class Views(Standings):
    """The `Views` port."""

    def history(
        self, member_id: str, /, *, limit: int, before: int | None = None, source: str | None = None
    ) -> Sequence[Entry]:
        below = "" if before is None else "AND position < :before"
        of_source = "" if source is None else "AND source = :source"
        values = {"member": member_id, "before": before, "source": source, "limit": limit}
        with self._database.connection() as connection:
            rows = connection.execute(
                f"{ENTRY} WHERE member_id = :member {below} {of_source} ORDER BY position DESC LIMIT :limit",
                {name: value for name, value in values.items() if value is not None},
            )
            return [entry_of_row(row) for row in rows]

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        with self._database.connection() as connection:
            rows = connection.execute(f"{ENTRY} WHERE position > ? ORDER BY position LIMIT ?", [after, limit])
            return [entry_of_row(row) for row in rows]

    def find(self, text: str, /, *, limit: int) -> Sequence[Found]:
        sought = sought_words(text)
        with self._database.connection() as connection:
            found = connection.execute(BY_ID, {"text": text}).fetchall()
            if sought:
                others = "".join(ALSO.format(number=number) for number in range(1, len(sought)))
                values: dict[str, str | int] = {"limit": limit + len(found)}
                for number, word in enumerate(sought):
                    values |= {f"from{number}": word, f"to{number}": word + BEYOND}
                named = connection.execute(BY_NAME.format(others=others), values).fetchall()
                found += [row for row in named if row not in found] if found else named
        return [Found(*row) for row in found[:limit]]

    def ranking(self, month: date | None, /, *, limit: int, present: bool = False) -> Sequence[Rank]:
        sums = OF_A_MONTH if month else OF_ALL_TIME
        values = {"month": month and month.isoformat(), "limit": limit, "present": present}
        with self._database.snapshot() as connection:
            rows = connection.execute(f"{sums} {TOP}", values).fetchall()
            if len(rows) < limit:
                # Only now those without any points matter, who are most of the members.
                rows = connection.execute(f"{sums} {RANKED}", values).fetchall()
        return [rank_of_row(row) for row in rows]

    def rank_of(self, member_id: str, month: date | None, /, *, present: bool = False) -> Rank | None:
        sums = OF_A_MONTH if month else OF_ALL_TIME
        values = {"month": month and month.isoformat(), "me": member_id, "present": present}
        with self._database.connection() as connection:
            row = connection.execute(f"{sums} {OWN_RANK}", values).fetchone()
        return row and rank_of_row(row)

    def checks(self, member_id: str | None = None, /) -> Sequence[Check]:
        mine = "" if member_id is None else "AND member_id = ?"
        linked = f"{CHECKS.select} JOIN discord_activity USING (account_id) WHERE unlinked_at IS NULL {mine}"
        with self._database.connection() as connection:
            rows = connection.execute(f"{linked} ORDER BY account_id", [member_id] if mine else [])
            return [CHECKS.value(row) for row in rows]

    def streak_ranking(self, *, limit: int, present: bool = False) -> Sequence[Rank]:
        with self._database.snapshot() as connection:
            calendar = calendar_of(connection)
            if calendar.next_day is None:
                return []
            # A streak stands if no required day was settled since its last one.
            since = calendar.required_before(calendar.next_day)
            values = {"since": since.isoformat(), "limit": limit, "present": present}
            return [rank_of_row(row) for row in connection.execute(STREAK_RANKS, values)]

    def never_seen(self) -> Sequence[str]:
        with self._database.connection() as connection:
            rows = connection.execute(f"SELECT member_id {UNSEEN} ORDER BY member_id")
            return [member_id for (member_id,) in rows]

    def tally(self) -> Tally:
        with self._database.snapshot() as connection:
            (members,) = connection.execute("SELECT count(*) FROM members").fetchone()
            accounts = connection.execute("SELECT status, count(*) FROM discord_activity GROUP BY status")
            by_status = dict(accounts.fetchall())
            (entries,) = connection.execute("SELECT count(*) FROM entries").fetchone()
            size_bytes = self._database.size_bytes(connection)
            (unseen,) = connection.execute(f"SELECT count(*) {UNSEEN}").fetchone()
        return Tally(self._database.address, size_bytes, members, by_status, entries, unseen)


def rank_of_row(row: Row) -> Rank:
    """Make the value of a row."""
    rank, member_id, name, points, streak, has_left = row
    return Rank(rank, member_id, name, points, streak, bool(has_left))


def name(database: Database, connection: Connection, members: Sequence[Member]) -> None:
    """Bring the words of these members' names up to date."""
    connection.executemany(
        "DELETE FROM name_words WHERE member_id = ?", [(member.member_id,) for member in members if member.version]
    )
    named = ((member.member_id, member.name) for member in members if not (member.is_hidden or member.is_forgotten))
    rows = sorted(rows_of(named))
    if rows:
        database.merge(connection, "name_words", WORDS, rows, "")


def rows_of(named: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, str]]:
    """Yield the rows of members' names."""
    return ((word, member_id) for member_id, name in named for word in words_of(name or ""))
