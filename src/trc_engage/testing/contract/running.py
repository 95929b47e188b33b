"""The run book."""

from datetime import timedelta

import pytest

from ...core.errors import LedgerBusy
from ...core.postings import SyncFailure, SyncState, Wait
from .story import ADA, ADA_ID, MONDAY, StoreContract, Story

LATER = MONDAY + timedelta(minutes=5)


class RunBookContract(StoreContract):
    """What the store remembers of runs, waits and claims (R19-R21)."""

    def test_an_empty_store_has_no_past(self, story: Story) -> None:
        """Before the first sync nothing is remembered."""
        assert story.ledger.sync_state() == SyncState()

    def test_a_good_sync_is_remembered(self, story: Story) -> None:
        """The last good sync tells when it read, and how long a board it read to the end."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 5})
        state = story.ledger.sync_state()
        assert (state.good_at, state.whole_at, state.whole_rows) == (story.at, story.at, 1)
        assert state.good_run > 0

    def test_a_sync_that_stopped_early_does_not_tell_the_length(self, story: Story) -> None:
        """The last board read to its end is remembered past later ones that were not."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 5})
        whole_at = story.at
        story.sync({ADA_ID: 6}, whole=False)
        state = story.ledger.sync_state()
        assert (state.good_at, state.whole_at, state.whole_rows) == (story.at, whole_at, 1)

    def test_failures_in_a_row_are_counted_until_a_good_sync(self, story: Story) -> None:
        """Only failures that count are counted, and a good sync ends the row."""
        story.enroll(ADA, ADA_ID)
        for counts in (True, False, True):
            story.ledger.record_failure(SyncFailure(story.at, "down", "no answer", counts))
        assert story.ledger.sync_state().failures == 2
        story.sync({ADA_ID: 5})
        assert story.ledger.sync_state().failures == 0
        story.ledger.record_failure(SyncFailure(story.at, "down", "no answer", counts=True))
        assert story.ledger.sync_state().failures == 1

    def test_a_wait_is_kept_until_the_next_run(self, story: Story) -> None:
        """What the server asked for is remembered, also after a dry run, until a later run replaces it."""
        until = story.at + timedelta(seconds=90)
        story.ledger.record_failure(SyncFailure(story.at, "rate_limited", "slow down", counts=False, retry_at=until))
        assert story.ledger.sync_state().wait == Wait("rate_limited", until)
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 5})
        assert story.ledger.sync_state().wait is None

    def test_a_claim_keeps_others_out(self, story: Story) -> None:
        """A task that is claimed cannot be claimed again; another task can."""
        story.ledger.claim("sync", MONDAY, LATER)
        with pytest.raises(LedgerBusy, match="sync"):
            story.ledger.claim("sync", MONDAY + timedelta(seconds=1), LATER)
        story.ledger.claim("other", MONDAY, LATER)

    def test_clocks_that_differ_a_little_share_no_claim(self, story: Story) -> None:
        """Whoever is a moment behind the holder's clock is kept out too."""
        story.ledger.claim("sync", MONDAY + timedelta(seconds=1), LATER)
        with pytest.raises(LedgerBusy):
            story.ledger.claim("sync", MONDAY, LATER)

    def test_a_released_claim_is_free(self, story: Story) -> None:
        """Releasing twice is harmless."""
        claim = story.ledger.claim("sync", MONDAY, LATER)
        story.ledger.release(claim)
        story.ledger.release(claim)
        story.ledger.claim("sync", MONDAY, LATER)

    def test_an_expired_claim_is_taken_over(self, story: Story) -> None:
        """At its expiry a claim is free, and its old holder can no longer release it."""
        old = story.ledger.claim("sync", MONDAY, LATER)
        story.ledger.claim("sync", LATER, LATER + timedelta(minutes=5))
        story.ledger.release(old)
        with pytest.raises(LedgerBusy):
            story.ledger.claim("sync", LATER, LATER + timedelta(minutes=5))

    def test_a_claim_from_the_future_keeps_nobody_out(self, story: Story) -> None:
        """A claim taken under a clock that ran a year ahead does not hold everything up for a year."""
        ahead = MONDAY + timedelta(days=365)
        story.ledger.claim("sync", ahead, ahead + timedelta(minutes=5))
        story.ledger.claim("sync", MONDAY, LATER)
