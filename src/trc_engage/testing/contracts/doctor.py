"""What an audit reads and finds, what a repair writes (R9, R14), and that a store outlives its process."""

from contextlib import closing, nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ...core.audit import Breach
from ...core.incidents import SentNotice
from ...core.model import Move
from ...core.ports import Store
from ...core.posting import SyncFailure
from ...core.records import Check
from ...core.roster import Round
from ...core.slots import SlotEnd
from ...core.streaks import Milestone, Streak
from ...usecases import audit as doctor
from .ledger import ALONE, CHANGE, REQUIRED
from .members import LEFT
from .story import ADA, ADA_ID, BENCHMARK, BO, BO_ID, CY, DAY, LATER, MONDAY, TODAY, AuditedStory, StoreContract, Story


class RecordsContract(StoreContract):
    """What a store holds can be looked at, what is derived be made anew, and all of it outlives the process."""

    @pytest.fixture
    def lived(self, audited: AuditedStory) -> AuditedStory:
        """Let two members earn, one be unlinked and linked again, and an award be taken back."""
        audited.enroll(ADA, ADA_ID, "Ada")
        audited.enroll(BO, BO_ID)
        audited.enroll(CY)
        for step in range(4):
            audited.sync({ADA_ID: 130 * step, BO_ID: 500})
        (award,) = audited.post(drafts=[evolve(BENCHMARK, member_id=CY)])
        audited.post(drafts=[audited.reversal(award)])
        audited.restate(BO, "unlinked")
        return audited

    def test_an_empty_store_is_found_sound(self, audited: AuditedStory) -> None:
        """There is nothing in it."""
        assert doctor.audit(audited.ledger).breaches == []

    def test_a_sound_store_is_found_sound(self, lived: AuditedStory) -> None:
        """There is nothing to make anew in one in which something happened."""
        audit = doctor.audit(lived.ledger)
        assert (audit.breaches, audit.members, audit.accounts, audit.entries) == ([], 3, 2, 7)
        assert lived.ledger.irregularities() == []
        assert lived.ledger.rebalance() == []

    def test_holdings_are_what_the_other_ports_tell(self, lived: AuditedStory) -> None:
        """Members, accounts, balances, streaks and calendar; unlinked accounts are among them."""
        held, ledger = lived.ledger.holdings(), lived.ledger
        assert [ledger.member(member.member_id) for member in held.members] == list(held.members)
        assert [account.status for account in held.accounts] == ["tracked", "unlinked"]
        assert held.accounts[0] == lived.account(ADA)
        points = {member_id: sum(balance.values()) for member_id, balance in held.balances.items()}
        assert {one.member_id: points.get(one.member_id, 0) for one in ledger.members()} == {
            one.member_id: one.points for one in ledger.members()
        }
        assert list(held.streaks) == list(ledger.activity(date.max).streaks)
        assert held.calendar == ledger.calendar()
        assert list(held.unreadable) == []
        rose = {(rises.day, account_id) for rises in held.rises for account_id in rises.account_ids}
        assert rose == {(one.day, one.account_id) for one in ledger.evidence(ADA, date.min, date.max)}

    def test_lines_are_the_feed(self, lived: AuditedStory) -> None:
        """In pages, up to the position that the holdings name."""
        everything = lived.ledger.feed(after=0, limit=1_000)
        assert lived.ledger.holdings().last_position == everything[-1].position
        pages = [lived.ledger.lines(after=after, limit=4) for after in (0, everything[3].position)]
        assert [line for page in pages for line in page] == list(everything)
        assert list(lived.ledger.lines(after=everything[-1].position, limit=4)) == []

    def test_a_wrong_streak_is_found_and_made_anew(self, lived: AuditedStory) -> None:
        """From the evidence; a second repair finds nothing to do."""
        lived.post(streaks=[Streak(ADA, 0, TODAY, 9, 9)])
        (found,) = doctor.audit(lived.ledger).breaches
        assert (found.check, found.subject) == ("streak", f"member {ADA!r}")
        repair = doctor.repair(lived.ledger, lived.at)
        was, becomes = "9 to 2026-03-02 (longest 9)", "none (longest 0)"
        assert repair.changes == [Breach("streak", f"member {ADA!r}", "the streak", was, becomes)]
        assert repair.audit.is_healthy
        assert doctor.repair(lived.ledger, lived.at).changes == []

    def test_an_entry_that_does_not_follow_is_found(self, lived: AuditedStory) -> None:
        """Points that the XP does not give are a breach of the entry, and of the account."""
        lived.at += timedelta(minutes=15)
        planned = lived.planned({ADA_ID: 1_000})
        lived.ledger.post(evolve(planned, moves=[evolve(move, points=99) for move in planned.moves]))
        checks = {breach.check for breach in doctor.audit(lived.ledger).breaches}
        assert {"entry", "account"} <= checks

    def test_the_doctor_compares_accounts_with_their_events(self, lived: AuditedStory) -> None:
        """Who is on record as having left is noted as left, and the other way round."""
        account = lived.account(ADA)
        left = evolve(LEFT, account_id=account.account_id)
        lived.post(moves=[Move.of_status(account, "left", account.next_reading)], events=[left])
        assert doctor.audit(lived.ledger).is_healthy
        lived.post(events=[evolve(left, kind="returned")])
        assert [breach.check for breach in doctor.audit(lived.ledger).breaches] == ["event"]

    @pytest.fixture
    def earned(self, audited: AuditedStory) -> AuditedStory:
        """Let a member earn points from Discord and for a benchmark."""
        audited.enroll(ADA, ADA_ID)
        for xp in (0, 310):
            audited.sync({ADA_ID: xp})
        audited.post(drafts=[BENCHMARK])
        return audited

    def test_a_wrong_balance_is_found_and_made_anew(self, earned: AuditedStory) -> None:
        """It becomes the sum of the entries again, and the store tells which were not."""
        if type(self).unbalance is StoreContract.unbalance:
            pytest.skip("give the contract `unbalance`, and `rebalance` is tested")
        before = earned.standing(ADA)
        self.unbalance(earned.ledger, ADA)
        assert earned.standing(ADA).points != before.points
        assert [breach.check for breach in doctor.audit(earned.ledger).breaches] == ["balance"]
        (change,) = earned.ledger.rebalance()
        assert (change.check, change.expected) == ("balance", "50")
        assert earned.standing(ADA) == before
        assert earned.ledger.rebalance() == []
        assert doctor.audit(earned.ledger).is_healthy

    def test_what_only_the_store_can_see_is_told(self, earned: AuditedStory) -> None:
        """Damage to its own make, which no other port tells of."""
        if type(self).damage is StoreContract.damage:
            pytest.skip("give the contract `damage`, and `irregularities` are tested")
        assert earned.ledger.irregularities() == []
        self.damage(earned.ledger)
        assert earned.ledger.irregularities() != []
        assert not doctor.audit(earned.ledger).is_healthy

    def test_all_is_there_when_the_store_is_opened_again(self, members: Story, ledger: Store, tmp_path: Path) -> None:
        """Members, links, entries, streaks, calendar and run book are what they were, and go on from there."""
        if not self.lasts:
            pytest.skip("this ledger says that it does not last")
        _live(members)
        before, last = members.meaning(), ledger.feed(after=0, limit=1_000)[-1].position
        again: Any = self.reopen(ledger, tmp_path)
        with closing(again) if hasattr(again, "close") else nullcontext():
            members.ledger = again
            assert members.meaning() == before
            (entry,) = members.post(drafts=[evolve(BENCHMARK, key="benchmark:2")])
            assert entry.position > last


def _live(story: Story) -> None:
    """Leave something of each kind in a store."""
    story.sync({ADA_ID: 1_310, BO_ID: 50})
    story.restate(BO, "left")
    bonus = evolve(BENCHMARK, key="bonus:1", counts_as_activity=False)
    story.post(drafts=[BENCHMARK], streaks=[Streak(ADA, 0, TODAY, 1, 1)], events=[evolve(LEFT, member_id=BO)])
    story.post(drafts=[bonus], changes=[CHANGE], reached=[Milestone(ADA, 1)], settlement=story.settlement())
    story.post(excusals=[ALONE, evolve(ALONE, day=TODAY + DAY), evolve(REQUIRED, day=TODAY + DAY)])
    story.post(round=Round(MONDAY, LATER, [Check(1, "1", LATER, present_at=MONDAY)]))
    failure = SyncFailure(story.at, "rate_limited", "slow down", counts=True, retry_at=LATER)
    notice = SentNotice("webhook", "source", "alert", MONDAY, LATER)
    story.post(failure=failure, slot=SlotEnd(MONDAY, "failed", LATER), sent=[notice])
