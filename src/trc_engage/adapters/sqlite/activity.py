"""Who was active when, and what follows for the streaks."""

import sqlite3
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ...core.days import Calendar
from ...core.entries import DISCORD, Evidence
from ...core.settling import DayRecord
from ...core.streaks import Streak
from .database import Database

# The cross join keeps SQLite from reading everybody's days in between: the key leads with the day.
DISCORD_EVIDENCE = """
WITH RECURSIVE bounds (first, last) AS (
    SELECT max(:first, (SELECT min(day) FROM discord_days)), min(:last, (SELECT max(day) FROM discord_days))
), calendar (day) AS (
    SELECT first FROM bounds WHERE first <= last
    UNION ALL
    SELECT date(day, '+1 day') FROM calendar WHERE day < (SELECT last FROM bounds)
)
SELECT day, account_id, opens_at, closes_at
FROM calendar CROSS JOIN discord_days USING (day)
WHERE member_id = :member
"""

AWARD_EVIDENCE = """
SELECT day, source, position FROM entries AS award
WHERE kind = 'award' AND member_id = :member AND day BETWEEN :first AND :last
    AND NOT EXISTS (SELECT 1 FROM entries WHERE reverses = award.position)
"""

STREAKS_OF = "SELECT member_id, coalesce(version, 0), last, coalesce(length, 0), coalesce(longest, 0) FROM"
ACTIVE_ON_DISCORD = f"{STREAKS_OF} discord_days LEFT JOIN streaks USING (member_id) WHERE day = ?"
ACTIVE_ELSEWHERE = f"""
{STREAKS_OF} entries AS award LEFT JOIN streaks USING (member_id)
WHERE kind = 'award' AND day = ? AND NOT EXISTS (SELECT 1 FROM entries WHERE reverses = award.position)
"""

NEWS_OF_A_DAY = """
SELECT (SELECT count(*) FROM discord_days WHERE day = :day)
     + (SELECT count(*) FROM entries WHERE kind IN ('award', 'reversal') AND day = :day)
"""

NEWS = """
SELECT (SELECT coalesce(max(position), 0) FROM entries)
     + (SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced')
"""

EXCUSED = """
SELECT day FROM excusals AS last
WHERE reason IS NOT NULL AND change = (SELECT max(change) FROM excusals WHERE day = last.day)
"""


SETTLED_THROUGH = """
SELECT coalesce((SELECT max(day) FROM settled_days), (SELECT date(min(enrolled_at), '-1 day') FROM members))
"""


class Activity:
    """The part of the `Ledger` port about evidence, days and streaks."""

    _database: Database

    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[Evidence]:
        """Return what shows that the member was active from day to day, oldest first."""
        with self._database.reading() as connection:
            return evidence_of(connection, member_id, first_day, last_day)

    def calendar(self) -> Calendar:
        """Return which days are excused, and through which day all are settled."""
        with self._database.reading() as connection:
            return calendar_of(connection)

    def first_evidence_day(self) -> date | None:
        """Return the oldest day for which there is any evidence."""
        with self._database.lent() as connection:
            (first,) = connection.execute(
                "SELECT min(day) FROM (SELECT min(day) AS day FROM discord_days "
                "UNION ALL SELECT min(day) FROM entries WHERE kind = 'award')"
            ).fetchone()
        return first and date.fromisoformat(first)

    def day_record(self, day: date, /) -> DayRecord:
        """Return who was active on a day, with their streaks."""
        with self._database.reading() as connection:
            active: dict[str, Streak] = {}
            for statement in (ACTIVE_ON_DISCORD, ACTIVE_ELSEWHERE):
                active |= {row[0]: _streak(row) for row in connection.execute(statement, [day.isoformat()])}
            return DayRecord([*active.values()], news_of_day(connection, day))

    def rose_on(self, day: date, /) -> int:
        """Return how many accounts' XP rose on a day."""
        with self._database.lent() as connection:
            (rose,) = connection.execute(
                "SELECT count(*) FROM discord_days WHERE day = ?", [day.isoformat()]
            ).fetchone()
        return int(rose)

    def streak_of(self, member_id: str, /) -> Streak:
        """Return the member's stored streak; one of version 0 if none is stored."""
        with self._database.lent() as connection:
            return stored_streak(connection, member_id)

    def streaks(self) -> Sequence[Streak]:
        """Return every stored streak, by member id."""
        with self._database.lent() as connection:
            rows = connection.execute(
                "SELECT member_id, version, last, length, longest FROM streaks ORDER BY member_id"
            )
            return [_streak(row) for row in rows]

    def news(self) -> int:
        """Return a number that grows with everything that may be evidence."""
        with self._database.lent() as connection:
            return latest_news(connection)


def evidence_of(connection: sqlite3.Connection, member_id: str, first_day: date, last_day: date) -> list[Evidence]:
    """Read a member's evidence, oldest day first."""
    values = {"member": member_id, "first": first_day.isoformat(), "last": last_day.isoformat()}
    found = [
        Evidence(date.fromisoformat(day), source, position)
        for day, source, position in connection.execute(AWARD_EVIDENCE, values)
    ]
    found += [
        Evidence(
            date.fromisoformat(day),
            DISCORD,
            account_id=account_id,
            opens_at=datetime.fromisoformat(opens_at),
            closes_at=datetime.fromisoformat(closes_at),
        )
        for day, account_id, opens_at, closes_at in connection.execute(DISCORD_EVIDENCE, values)
    ]
    return sorted(found, key=lambda one: (one.day, one.position or 0, one.account_id or 0))


def calendar_of(connection: sqlite3.Connection) -> Calendar:
    """Read the calendar."""
    (through,) = connection.execute(SETTLED_THROUGH).fetchone()
    (changes,) = connection.execute("SELECT coalesce(max(change), 0) FROM excusals").fetchone()
    excused = frozenset(date.fromisoformat(day) for (day,) in connection.execute(EXCUSED)) if changes else frozenset()
    return Calendar(through and date.fromisoformat(through), excused, changes)


def stored_streak(connection: sqlite3.Connection, member_id: str) -> Streak:
    """Read a member's streak; one of version 0 if none is stored."""
    row = connection.execute(
        "SELECT member_id, version, last, length, longest FROM streaks WHERE member_id = ?", [member_id]
    ).fetchone()
    return _streak(row) if row else Streak(member_id)


def news_of_day(connection: sqlite3.Connection, day: date) -> int:
    """Count everything that ever came or went for a day."""
    (news,) = connection.execute(NEWS_OF_A_DAY, {"day": day.isoformat()}).fetchone()
    return int(news)


def latest_news(connection: sqlite3.Connection) -> int:
    """Read a number that grows with everything that may be evidence."""
    (news,) = connection.execute(NEWS).fetchone()
    return int(news)


def _streak(row: tuple[Any, ...]) -> Streak:
    member_id, version, last, length, longest = row
    return Streak(
        member_id,
        version,
        last and date.fromisoformat(last),
        length,
        longest,
    )
