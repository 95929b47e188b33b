"""Every instant comes back as it was posted, to the microsecond."""

from datetime import date, timedelta

import pytest
from attrs import evolve

from ...core.incidents import Failing, Told
from ...core.postings import Posting, Settlement, SyncFailure, Wait
from ...core.slots import SlotEnd
from .activity import BENCHMARK, TODAY
from .story import ADA, ADA_ID, MONDAY, StoreContract, Story

EXACT = MONDAY + timedelta(microseconds=123_457)
LATER = EXACT + timedelta(minutes=5, microseconds=1)


class InstantsContract(StoreContract):
    """No instant is cut or rounded: windows, waits and leases are compared with it."""

    @pytest.fixture
    def exact(self, story: Story) -> Story:
        """Begin with a member who is opened, and gains, at instants that are no whole seconds."""
        story.at = EXACT
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 0})
        story.sync({ADA_ID: 150})
        return story

    def test_of_members_and_entries(self, exact: Story) -> None:
        """When somebody was enrolled, when a sync posted an entry, and when an award happened."""
        member = exact.ledger.member(ADA)
        assert member is not None
        assert member.enrolled_at == EXACT
        assert [entry.at for entry in exact.ledger.history(ADA, limit=1)] == [exact.at]
        (award,) = exact.ledger.post(Posting(exact.at, drafts=[evolve(BENCHMARK, at=EXACT)]))
        assert award.at == EXACT
        assert [entry.at for entry in exact.ledger.feed(after=award.position - 1, limit=1)] == [EXACT]

    def test_of_evidence(self, exact: Story) -> None:
        """When the window in which XP rose began and ended."""
        (evidence,) = exact.ledger.evidence(ADA, date.min, date.max)
        assert (evidence.opens_at, evidence.closes_at) == (exact.at - timedelta(minutes=15), exact.at)

    def test_of_runs(self, exact: Story) -> None:
        """When the last good sync began, when failures began, and until when to wait."""
        state = exact.ledger.sync_state()
        assert (state.good_at, state.whole_at, state.seen_at) == (exact.at, exact.at, exact.at)
        failure = SyncFailure(LATER, "rate_limited", "slow down", counts=True, retry_at=LATER + timedelta(minutes=1))
        exact.ledger.post(Posting(LATER, failure=failure))
        state = exact.ledger.sync_state()
        assert state.failing == Failing(1, LATER, "rate_limited", "slow down")
        assert state.wait == Wait("rate_limited", LATER + timedelta(minutes=1))

    def test_of_settlements(self, exact: Story) -> None:
        """Time must not go back behind the latest of them (R22)."""
        at = exact.at + timedelta(days=1, microseconds=1)
        exact.ledger.post(Posting(at, settlement=Settlement(TODAY, exact.ledger.day_record(TODAY).news)))
        assert exact.ledger.sync_state().seen_at == at

    def test_of_slots_and_notices(self, story: Story) -> None:
        """When a slot ended, since when something lasts, and when a channel was sent a notice."""
        end = SlotEnd(MONDAY, "synced", LATER)
        alert = Told("webhook", "source", "alert", EXACT, LATER)
        story.ledger.post(Posting(LATER, slot=end, told=[alert]))
        assert (story.ledger.slot_end(MONDAY), story.ledger.last_slot()) == (end, end)
        assert list(story.ledger.told()) == [alert]

    def test_of_claims(self, story: Story) -> None:
        """Since when and until when a task is claimed, and renewed."""
        claim = story.ledger.claim("run", EXACT, LATER)
        assert (claim.taken_at, claim.until) == (EXACT, LATER)
        assert story.ledger.holder("run") == claim
        story.ledger.renew(claim, LATER + timedelta(microseconds=1))
        assert story.ledger.holder("run") == evolve(claim, until=LATER + timedelta(microseconds=1))
