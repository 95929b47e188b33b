"""What an audit reads and finds, and what a repair writes (R9, R14)."""

from datetime import date, timedelta

import pytest
from attrs import evolve

from ...core.audit.model import Breach
from ...core.posting import Draft, Posting
from ...core.streaks import Streak
from ...usecases import audit as doctor
from .ledger import BENCHMARK
from .story import ADA, ADA_ID, BO, BO_ID, CY, MONDAY, AuditedStory, StoreContract


class RecordsContract(StoreContract):
    """Whatever a store holds can be looked at, and what is derived can be made anew."""

    def lived(self, audited: AuditedStory) -> AuditedStory:
        """Let two members earn, one be unlinked and linked again, and an award be taken back."""
        audited.enroll(ADA, ADA_ID, "Ada")
        audited.enroll(BO, BO_ID)
        audited.enroll(CY)
        for step in range(4):
            audited.sync({ADA_ID: 130 * step, BO_ID: 500})
        day = audited.at.date()
        audited.ledger.post(Posting(audited.at, drafts=[Draft("award", CY, "benchmark", 7, day, audited.at, "k-1")]))
        (award,) = audited.ledger.feed(after=0, limit=1_000)[-1:]
        taken = Draft(
            "reversal", CY, "benchmark", -7, day, audited.at, reason="no", actor="me", reverses=award.position
        )
        audited.ledger.post(Posting(audited.at, drafts=[taken]))
        audited.restate(BO, "unlinked")
        return audited

    def test_a_sound_store_is_found_sound(self, audited: AuditedStory) -> None:
        """An empty one, and one in which something happened; there is nothing to make anew."""
        assert doctor.audit(audited.ledger).breaches == []
        audit = doctor.audit(self.lived(audited).ledger)
        assert (audit.breaches, audit.members, audit.accounts, audit.entries) == ([], 3, 2, 7)
        assert audited.ledger.irregularities() == []
        assert audited.ledger.rebalance() == []

    def test_holdings_are_what_the_other_ports_tell(self, audited: AuditedStory) -> None:
        """Members, accounts, balances, streaks and calendar; unlinked accounts are among them."""
        audited = self.lived(audited)
        held = audited.ledger.holdings()
        assert [audited.ledger.member(member.member_id) for member in held.members] == list(held.members)
        assert [account.status for account in held.accounts] == ["tracked", "unlinked"]
        assert held.accounts[0] == audited.account(ADA)
        points = {member_id: sum(balance.values()) for member_id, balance in held.balances.items()}
        told = {standing.member_id: standing.points for standing in audited.ledger.members()}
        assert {member_id: points.get(member_id, 0) for member_id in told} == told
        assert list(held.streaks) == list(audited.ledger.activity(date.max).streaks)
        assert held.calendar == audited.ledger.calendar()
        assert list(held.unreadable) == []
        rose = {(rises.day, account_id) for rises in held.rises for account_id in rises.account_ids}
        assert rose == {(one.day, one.account_id) for one in audited.ledger.evidence(ADA, date.min, date.max)}

    def test_lines_are_the_feed(self, audited: AuditedStory) -> None:
        """In pages, up to the position that the holdings name."""
        everything = self.lived(audited).ledger.feed(after=0, limit=1_000)
        assert audited.ledger.holdings().last_position == everything[-1].position
        paged = [
            *audited.ledger.lines(after=0, limit=4),
            *audited.ledger.lines(after=everything[3].position, limit=4),
        ]
        assert paged == list(everything)
        assert list(audited.ledger.lines(after=everything[-1].position, limit=4)) == []

    def test_a_wrong_streak_is_found_and_made_anew(self, audited: AuditedStory) -> None:
        """From the evidence; a second repair finds nothing to do."""
        audited = self.lived(audited)
        audited.ledger.post(Posting(audited.at, streaks=[Streak(ADA, 0, MONDAY.date(), 9, 9)]))
        (found,) = doctor.audit(audited.ledger).breaches
        assert (found.check, found.subject) == ("streak", f"member {ADA!r}")
        repair = doctor.repair(audited.ledger, audited.at)
        assert repair.changes == [
            Breach("streak", f"member {ADA!r}", "the streak", "9 to 2026-03-02 (longest 9)", "none (longest 0)")
        ]
        assert repair.audit.is_healthy
        assert doctor.repair(audited.ledger, audited.at).changes == []

    def test_an_entry_that_does_not_follow_is_found(self, audited: AuditedStory) -> None:
        """Points that the XP does not give are a breach of the entry, and of the account."""
        audited = self.lived(audited)
        audited.at += timedelta(minutes=15)
        planned = audited.planned({ADA_ID: 1_000})
        audited.ledger.post(evolve(planned, moves=[evolve(move, points=99) for move in planned.moves]))
        checks = {breach.check for breach in doctor.audit(audited.ledger).breaches}
        assert {"entry", "account"} <= checks


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
