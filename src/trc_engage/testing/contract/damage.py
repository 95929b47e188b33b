"""What the doctor finds that only a hand can do to a store, and what it mends."""

import pytest

from ... import auditing
from ...core.postings import Posting
from .activity import BENCHMARK
from .story import ADA, ADA_ID, AuditedStory, StoreContract


class DamageContract(StoreContract):
    """A store that is damaged says so, and makes its balances anew; asked where the hooks that damage it are given."""

    @pytest.fixture
    def earned(self, audited: AuditedStory) -> AuditedStory:
        """Let a member earn points from Discord and for a benchmark."""
        audited.enroll(ADA, ADA_ID)
        for xp in (0, 310):
            audited.sync({ADA_ID: xp})
        audited.ledger.post(Posting(audited.at, drafts=[BENCHMARK]))
        return audited

    def test_a_wrong_balance_is_found_and_made_anew(self, earned: AuditedStory) -> None:
        """It becomes the sum of the entries again, and the store tells which were not."""
        if type(self).unbalance is StoreContract.unbalance:
            pytest.skip("give the contract `unbalance`, and `rebalance` is tested")
        before = earned.standing(ADA)
        self.unbalance(earned.ledger, ADA)
        assert earned.standing(ADA).points != before.points
        assert [breach.check for breach in auditing.audit(earned.ledger).breaches] == ["balance"]
        (change,) = earned.ledger.rebalance()
        assert (change.check, str(change.after)) == ("balance", "50")
        assert earned.standing(ADA) == before
        assert earned.ledger.rebalance() == []
        assert auditing.audit(earned.ledger).is_healthy

    def test_what_only_the_store_can_see_is_told(self, earned: AuditedStory) -> None:
        """Damage to its own make, which no other port tells of."""
        if type(self).damage is StoreContract.damage:
            pytest.skip("give the contract `damage`, and `irregularities` are tested")
        assert earned.ledger.irregularities() == []
        self.damage(earned.ledger)
        assert earned.ledger.irregularities() != []
        assert not auditing.audit(earned.ledger).is_healthy
