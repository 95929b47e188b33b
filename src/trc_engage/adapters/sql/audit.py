"""The `Records` port, as far as all databases share it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .finding import reword
from .session import Session, Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...core.audit.breaches import Breach, Change
    from ...core.audit.holdings import Holdings, Unreadable
    from ...core.entries import Entry
    from .survey import Survey

UNBALANCED = """
WITH sums AS (SELECT member_id, source, CAST(sum(points) AS BIGINT) AS points FROM entries GROUP BY member_id, source)
SELECT member_id, source, coalesce(member_balances.points, 0) AS before, sums.points AS after
FROM sums LEFT JOIN member_balances USING (member_id, source)
WHERE coalesce(member_balances.points, 0) <> sums.points
UNION ALL
SELECT member_id, source, member_balances.points, 0
FROM member_balances LEFT JOIN sums USING (member_id, source)
WHERE sums.points IS NULL AND member_balances.points <> 0
ORDER BY member_id, source
"""
SET_BALANCE = """
INSERT INTO member_balances (member_id, source, points) VALUES (?, ?, ?)
ON CONFLICT (member_id, source) DO UPDATE SET points = excluded.points
"""

UNBALANCED_MONTHS = """
SELECT member_id, month, CAST(sum(kept) AS BIGINT), CAST(sum(posted) AS BIGINT)
FROM (
    SELECT member_id, month, points AS kept, 0 AS posted FROM monthly_balances
    UNION ALL
    SELECT member_id, month, 0, points FROM points_by_month
) AS both_sides
WHERE month IS NOT NULL
GROUP BY member_id, month HAVING sum(kept) <> sum(posted)
ORDER BY member_id, month
"""
SET_MONTHLY_BALANCE = """
INSERT INTO monthly_balances (member_id, month, points) VALUES (?, ?, ?)
ON CONFLICT (month, member_id) DO UPDATE SET points = excluded.points
"""


class Audited:
    """What is held, row by row as it is, and balances made anew."""

    _database: Sessions

    def holdings(self) -> Holdings:
        """Return all but the entries, as of one instant; rows that cannot be read are left out and named."""
        with self._surveyed() as survey:
            return survey.holdings()

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Unreadable]:
        """Return everyone's entries above position `after`, oldest first, and which of them cannot be read."""
        with self._surveyed() as survey:
            return survey.lines(after, limit)

    def irregularities(self) -> Sequence[Breach]:
        """Return what is odd in tables that the other methods do not tell of, or only the database can compare."""
        from .oddities import ODDITIES  # noqa: PLC0415

        found: list[Breach] = []
        for look in ODDITIES:
            with self._surveyed() as survey:
                found += look(survey)
                found += [one.breach for one in survey.unreadable]
        return found

    def rebalance(self) -> Sequence[Change]:
        """Make every balance, by source and by month, the sum of its entries, and return which were not."""
        with self._database.writing() as session:
            self._database.be_patient(session)
            return [
                *_rebalanced(session, UNBALANCED, SET_BALANCE, repr),
                *_rebalanced(session, UNBALANCED_MONTHS, SET_MONTHLY_BALANCE, lambda month: month[:7]),
            ]

    def reword(self) -> Sequence[Change]:
        """Make what names are found by anew from the names, and return of whom it differed."""
        with self._database.writing() as session:
            return reword(session)

    @contextmanager
    def _surveyed(self) -> Iterator[Survey]:
        """Lend a look at one state of the store."""
        from .survey import Survey  # noqa: PLC0415

        with self._inspected() as session:
            yield Survey(session, self._damage_of)

    @contextmanager
    def _inspected(self) -> Iterator[Session]:
        """Lend a session on which texts that are none do not keep their rows from being read."""
        with self._database.reading() as session:
            self._database.be_patient(session)
            yield session

    def _damage_of(self, error: Exception) -> str | None:  # noqa: ARG002  what the children know
        """Say what is damaged, if an error of the database says so."""
        return None


def _rebalanced(session: Session, find: str, mend: str, named: Callable[[str], str]) -> Sequence[Change]:
    """Mend the balances that a statement finds, and return what they were and are."""
    from ...core.audit.breaches import BALANCE, Change, of_member  # noqa: PLC0415

    rows = session.execute(find).fetchall()
    session.executemany(mend, [(member_id, part, after) for member_id, part, _, after in rows])
    return [
        Change(BALANCE, of_member(member_id), f"the balance of {named(part)}", before, after)
        for member_id, part, before, after in rows
    ]
