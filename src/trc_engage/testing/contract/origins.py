"""What entries say beside their points: why, by whom, and since when there is any evidence."""

from datetime import timedelta

import pytest
from attrs import evolve

from ...core.postings import Draft, Posting
from .activity import BENCHMARK, TODAY
from .story import ADA, ADA_ID, BO, MONDAY, StoreContract, Story


class OriginsContract(StoreContract):
    """Why and by whom points were booked (R8), and from which day on there is evidence (R15)."""

    @pytest.mark.parametrize("kind", ["adjustment", "reversal"])
    def test_a_reason_and_who_gave_it_are_kept(self, story: Story, kind: str) -> None:
        """Whoever reads the entry finds both as they were written, however it is asked for."""
        story.enroll(BO)
        (award,) = story.ledger.post(Posting(MONDAY, drafts=[evolve(BENCHMARK, member_id=BO)]))
        draft = Draft("adjustment", BO, "adjustment", -7, TODAY, MONDAY, "fix:1", "a typo 雪", "admin-7")
        if kind == "reversal":
            draft = evolve(draft, kind="reversal", source="benchmark", points=-50, key=None, reverses=award.position)
        (posted,) = story.ledger.post(Posting(MONDAY, drafts=[draft]))
        found = story.ledger.entry_of("fix:1") if kind == "adjustment" else story.ledger.reversal_of(award.position)
        assert (posted.kind, posted.reason, posted.actor) == (kind, "a typo 雪", "admin-7")
        assert found == posted
        assert story.ledger.history(BO, limit=1) == [posted]
        assert story.ledger.feed(after=award.position, limit=9) == [posted]

    def test_the_first_evidence_is_of_any_kind(self, story: Story) -> None:
        """There is none at first; then Discord's, then an award for an earlier day."""
        assert story.ledger.first_evidence_day() is None
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 0})
        assert story.ledger.first_evidence_day() is None
        story.at += timedelta(days=3)
        story.sync({ADA_ID: 0})
        story.sync({ADA_ID: 10})
        thursday = TODAY + timedelta(days=3)
        assert story.ledger.first_evidence_day() == thursday
        for day in (thursday + timedelta(days=1), thursday - timedelta(days=2), thursday - timedelta(days=1)):
            story.ledger.post(Posting(story.at, drafts=[evolve(BENCHMARK, day=day, key=f"benchmark:{day}")]))
        assert story.ledger.first_evidence_day() == thursday - timedelta(days=2)
