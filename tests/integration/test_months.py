"""The points that members earned in each month are stored, from the first entry on."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from support.community import LEDGERS, Community, opened
from support.stores import SHARED
from trc_engage.core.audit import Breach
from trc_engage.core.ports import Store
from trc_engage.core.posting import Posting, drafted
from trc_engage.usecases.audit import audit, audited, repair

FEBRUARY, MARCH, APRIL = date(2024, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
ENTRIES = (
    ("ada", 30, date(2024, 2, 1)),
    ("ada", 7, date(2024, 2, 29)),
    ("bo", -4, date(2024, 2, 29)),
    ("ada", 1, date(2024, 3, 1)),
    ("bo", 20, date(2026, 3, 31)),
    ("ada", 5, date(2026, 3, 2)),
    ("ada", -5, date(2026, 3, 31)),
    ("cy", 3, date(2026, 4, 1)),
)
"""Adjustments by member, points and day."""
EARNED = {
    FEBRUARY: {"ada": 37, "bo": -4, "cy": 0},
    date(2024, 3, 1): {"ada": 1, "bo": 0, "cy": 0},
    date(2026, 2, 1): {"ada": 0, "bo": 0, "cy": 0},
    MARCH: {"ada": 0, "bo": 20, "cy": 0},
    APRIL: {"ada": 0, "bo": 0, "cy": 3},
}
EMPTIED = "DELETE FROM monthly_balances"


@pytest.mark.parametrize("kind", LEDGERS)
def test_each_member_earned_in_each_month_what_the_entries_say(kind: str, tmp_path: Path) -> None:
    """Each month's ranking is the sum of its entries, however old they are, and later entries are added to it."""
    with opened(kind, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo", "cy")
        for number, (member_id, points, day) in enumerate(ENTRIES):
            at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
            draft = drafted("adjustment", member_id, "adjustment", points, day, at, f"fix:{number}", "typo", "me")
            ledger.post(Posting(at, drafts=[draft]))
        assert {month: earned(ledger, month) for month in EARNED} == EARNED
        assert audit(ledger).breaches == []
        community.engage.adjust("ada", points=2, key="fix:new", reason="typo", by="me")
        assert earned(ledger, MARCH) == {"ada": 2, "bo": 20, "cy": 0}
        assert audited(ledger).rebalance() == []


def earned(ledger: Store, month: date) -> dict[str, int]:
    """Return the points that the leaderboard of a month shows."""
    return {rank.member_id: rank.points for rank in ledger.ranking(month, limit=10)}


@pytest.mark.parametrize("kind", SHARED)
@pytest.mark.parametrize(("damage", "found"), [("UPDATE monthly_balances SET points = 9", "9"), (EMPTIED, "0")])
def test_a_month_is_made_the_sum_of_its_entries(kind: str, damage: str, found: str, tmp_path: Path) -> None:
    """A month's wrong balance is found and set to the sum of its entries; a second repair changes nothing."""
    with opened(kind, tmp_path) as lent:
        ledger: Any = lent
        community = Community(ledger)
        community.enroll("ada")
        community.award("ada", "run:1", points=30)
        with ledger._database.transaction() as session:
            session.execute(damage)
        assert [breach.message for breach in audit(ledger).breaches] == [
            f"member 'ada': the balance of 2026-03 is {found}, expected 30, the sum of its entries"
        ]
        mended = repair(ledger, community.now)
        assert mended.changes == [Breach("balance", "member 'ada'", "the balance of 2026-03", found, "30")]
        assert (mended.audit.is_healthy, earned(ledger, MARCH)) == (True, {"ada": 30})
        assert repair(ledger, community.now).changes == []
