"""What was posted is there after the store was closed."""

from contextlib import closing, nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ...core.incidents import Told
from ...core.ports import Store
from ...core.postings import Excusal, Posting, Settlement, SyncFailure
from ...core.slots import SlotEnd
from ...core.streaks import Streak
from .activity import BENCHMARK, TODAY
from .story import ADA, ADA_ID, BO, BO_ID, MONDAY, StoreContract, Story


class LastingContract(StoreContract):
    """A store outlives the process, unless it says that it does not (`lasts`)."""

    def test_all_is_there_when_the_store_is_opened_again(self, story: Story, ledger: Store, tmp_path: Path) -> None:
        """Members, links, entries, streaks, calendar and run book are what they were, and go on from there."""
        if not self.lasts:
            pytest.skip("this ledger says that it does not last")
        live(story)
        before = everything(ledger)
        again: Any = self.reopen(ledger, tmp_path)
        with closing(again) if hasattr(again, "close") else nullcontext():
            assert everything(again) == before
            last = again.feed(after=0, limit=1_000)[-1].position
            (entry,) = again.post(Posting(story.at, drafts=[evolve(BENCHMARK, key="benchmark:2")]))
            assert entry.position > last


def live(story: Story) -> None:
    """Leave something of each kind in a store."""
    ledger = story.ledger
    story.enroll(ADA, ADA_ID, "Ada 雪")
    story.enroll(BO, BO_ID)
    for xp in (0, 310):
        story.sync({ADA_ID: xp, BO_ID: 50})
    story.restate(BO, "left")
    (award,) = ledger.post(Posting(MONDAY, drafts=[BENCHMARK], streaks=[Streak(ADA, 0, TODAY, 1, 1)]))
    ledger.post(Posting(story.at, settlement=Settlement(TODAY, ledger.day_record(TODAY).news)))
    ledger.post(Posting(story.at, excusal=Excusal(TODAY + timedelta(days=1), "a holiday")))
    failure = SyncFailure(story.at, "rate_limited", "slow down", counts=True, retry_at=story.at + timedelta(minutes=1))
    notice = Told("webhook", "source", "alert", MONDAY, story.at)
    ledger.post(Posting(story.at, failure=failure, slot=SlotEnd(MONDAY, "failed", story.at), told=[notice]))
    assert ledger.entry_of("benchmark:1") == award


def everything(ledger: Store) -> dict[str, object]:
    """Return all that a store tells of what `live` left in it."""
    month = TODAY.replace(day=1)
    return {
        "members": [ledger.member(member_id) for member_id in (ADA, BO)],
        "standings": ledger.members(),
        "accounts": [ledger.account_of(ADA), ledger.account_of(BO), ledger.holder_of(BO_ID)],
        "sought": ledger.accounts_to_sync(),
        "entries": ledger.feed(after=0, limit=1_000),
        "award": ledger.entry_of("benchmark:1"),
        "evidence": ledger.evidence(ADA, date.min, date.max),
        "ranks": [ledger.ranking(when, limit=10) for when in (None, month)],
        "streaks": ledger.streaks(),
        "calendar": ledger.calendar(),
        "runs": ledger.sync_state(),
        "slots": [ledger.slot_end(MONDAY), ledger.last_slot()],
        "notices": ledger.told(),
    }
