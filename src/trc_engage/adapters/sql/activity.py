"""Who was active when, and what follows for the streaks."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from ...core.days import ONE_DAY, Calendar
from ...core.entries import DISCORD, Evidence
from ...core.streaks import Streak

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.settling import DayRecord
    from .session import Session, Sessions

AMONG_EVIDENCE_BY_HAND = "kind IN ('award', 'reversal') AND"
"""SQLite finds the index of evidence by hand by these very words."""

AWARD_EVIDENCE = """
SELECT day, source, position FROM entries AS award
WHERE kind = 'award' AND member_id = :member AND day BETWEEN :first AND :last
    AND NOT EXISTS (SELECT 1 FROM entries WHERE reverses = award.position)
"""

STREAKS_OF = "SELECT member_id, coalesce(version, 0), last, coalesce(length, 0), coalesce(longest, 0) FROM"
ACTIVE_ON_DISCORD = f"{STREAKS_OF} discord_days LEFT JOIN streaks USING (member_id) WHERE day = ?"
ACTIVE_ELSEWHERE = f"""
{STREAKS_OF} entries AS award LEFT JOIN streaks USING (member_id)
WHERE {AMONG_EVIDENCE_BY_HAND} kind = 'award' AND day = ?
    AND NOT EXISTS (SELECT 1 FROM entries WHERE reverses = award.position)
"""

FIRST_DAY = f"""
SELECT min(day) FROM (
    SELECT min(day) AS day FROM discord_days
    UNION ALL
    SELECT min(day) FROM entries WHERE {AMONG_EVIDENCE_BY_HAND} kind = 'award'
) AS first_days
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


class Activity:
    """The part of the `Ledger` port about evidence, days and streaks."""

    _database: Sessions

    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[Evidence]:
        """Return what shows that the member was active from day to day, oldest first."""
        with self._database.reading() as session:
            return evidence_of(session, self._database.discord_evidence, member_id, first_day, last_day)

    def calendar(self) -> Calendar:
        """Return which days are excused, and through which day all are settled."""
        with self._database.reading() as session:
            return calendar_of(session)

    def first_evidence_day(self) -> date | None:
        """Return the oldest day for which there is any evidence."""
        with self._database.lent() as session:
            (first,) = session.execute(FIRST_DAY).fetchone()
        return first and date.fromisoformat(first)

    def day_record(self, day: date, /) -> DayRecord:
        """Return who was active on a day, with their streaks."""
        # Whoever only reads need not wait for what settles.
        from ...core.settling import DayRecord  # noqa: PLC0415

        with self._database.reading() as session:
            active: dict[str, Streak] = {}
            for statement in (ACTIVE_ON_DISCORD, ACTIVE_ELSEWHERE):
                active |= {row[0]: _streak(row) for row in session.execute(statement, [day.isoformat()])}
            return DayRecord([*active.values()], news_of_day(session, day))

    def rose_on(self, day: date, /) -> int:
        """Return how many accounts' XP rose on a day."""
        with self._database.lent() as session:
            (rose,) = session.execute("SELECT count(*) FROM discord_days WHERE day = ?", [day.isoformat()]).fetchone()
        return int(rose)

    def streak_of(self, member_id: str, /) -> Streak:
        """Return the member's stored streak; one of version 0 if none is stored."""
        with self._database.lent() as session:
            return stored_streak(session, member_id)

    def streaks(self) -> Sequence[Streak]:
        """Return every stored streak, by member id."""
        with self._database.lent() as session:
            rows = session.execute("SELECT member_id, version, last, length, longest FROM streaks ORDER BY member_id")
            return [_streak(row) for row in rows]

    def news(self) -> int:
        """Return a number that grows with everything that may be evidence."""
        with self._database.lent() as session:
            return latest_news(session)


def evidence_of(
    session: Session, discord_evidence: str, member_id: str, first_day: date, last_day: date
) -> list[Evidence]:
    """Read a member's evidence, oldest day first."""
    values = {"member": member_id, "first": first_day.isoformat(), "last": last_day.isoformat()}
    found = [
        Evidence(date.fromisoformat(day), source, position)
        for day, source, position in session.execute(AWARD_EVIDENCE, values)
    ]
    found += [
        Evidence(
            date.fromisoformat(day),
            DISCORD,
            account_id=account_id,
            opens_at=datetime.fromisoformat(opens_at),
            closes_at=datetime.fromisoformat(closes_at),
        )
        for day, account_id, opens_at, closes_at in session.execute(discord_evidence, values)
    ]
    return sorted(found, key=lambda one: (one.day, one.position or 0, one.account_id or 0))


def calendar_of(session: Session) -> Calendar:
    """Read the calendar."""
    (through,) = session.execute("SELECT max(day) FROM settled_days").fetchone()
    if through is None:
        (first_at,) = session.execute("SELECT min(enrolled_at) FROM members").fetchone()
        settled_through = first_at and datetime.fromisoformat(first_at).date() - ONE_DAY
    else:
        settled_through = date.fromisoformat(through)
    (changes,) = session.execute("SELECT coalesce(max(change), 0) FROM excusals").fetchone()
    excused = frozenset(date.fromisoformat(day) for (day,) in session.execute(EXCUSED)) if changes else frozenset()
    return Calendar(settled_through, excused, changes)


def stored_streak(session: Session, member_id: str) -> Streak:
    """Read a member's streak; one of version 0 if none is stored."""
    row = session.execute(
        "SELECT member_id, version, last, length, longest FROM streaks WHERE member_id = ?", [member_id]
    ).fetchone()
    return _streak(row) if row else Streak(member_id)


def news_of_day(session: Session, day: date) -> int:
    """Count everything that ever came or went for a day."""
    (news,) = session.execute(NEWS_OF_A_DAY, {"day": day.isoformat()}).fetchone()
    return int(news)


def latest_news(session: Session) -> int:
    """Read a number that grows with everything that may be evidence."""
    (news,) = session.execute(NEWS).fetchone()
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
