"""What an audit reads, and what a repair writes (R9, R14)."""

from datetime import date, timedelta

from attrs import evolve

from ... import auditing
from ...core.audit.breaches import Change
from ...core.postings import Draft, Posting
from ...core.streaks import Streak
from .story import ADA, ADA_ID, BO, BO_ID, CY, MONDAY, StoreContract, Story


class RecordsContract(StoreContract):
    """Whatever a store holds can be looked at, and what is derived can be made anew."""

    def lived(self, story: Story) -> Story:
        """Let two members earn, one be unlinked and linked again, and an award be taken back."""
        story.enroll(ADA, ADA_ID, "Ada")
        story.enroll(BO, BO_ID)
        story.enroll(CY)
        for step in range(4):
            story.sync({ADA_ID: 130 * step, BO_ID: 500})
        day = story.at.date()
        story.ledger.post(Posting(story.at, drafts=[Draft("award", CY, "benchmark", 7, day, story.at, "k-1")]))
        (award,) = story.ledger.feed(after=0, limit=1_000)[-1:]
        taken = Draft("reversal", CY, "benchmark", -7, day, story.at, reason="no", actor="me", reverses=award.position)
        story.ledger.post(Posting(story.at, drafts=[taken]))
        story.restate(BO, "unlinked")
        return story

    def test_a_sound_store_is_found_sound(self, story: Story) -> None:
        """An empty one, and one in which something happened; there is nothing to make anew."""
        assert auditing.audit(story.ledger).breaches == []
        audit = auditing.audit(self.lived(story).ledger)
        assert (audit.breaches, audit.members, audit.accounts, audit.entries) == ([], 3, 2, 7)
        assert story.ledger.irregularities() == []
        assert story.ledger.rebalance() == []

    def test_holdings_are_what_the_other_ports_tell(self, story: Story) -> None:
        """Members, accounts, balances, streaks and calendar; unlinked accounts are among them."""
        story = self.lived(story)
        held = story.ledger.holdings()
        assert [story.ledger.member(member.member_id) for member in held.members] == list(held.members)
        assert [account.status for account in held.accounts] == ["tracked", "unlinked"]
        assert held.accounts[0] == story.account(ADA)
        points = {member_id: sum(balance.values()) for member_id, balance in held.balances.items()}
        told = {standing.member_id: standing.points for standing in story.ledger.members()}
        assert {member_id: points.get(member_id, 0) for member_id in told} == told
        assert list(held.streaks) == list(story.ledger.streaks())
        assert held.calendar == story.ledger.calendar()
        assert list(held.unreadable) == []
        rose = {(rises.day, account_id) for rises in held.rises for account_id in rises.account_ids}
        assert rose == {(one.day, one.account_id) for one in story.ledger.evidence(ADA, date.min, date.max)}

    def test_lines_are_the_feed(self, story: Story) -> None:
        """In pages, up to the position that the holdings name."""
        everything = self.lived(story).ledger.feed(after=0, limit=1_000)
        assert story.ledger.holdings().last_position == everything[-1].position
        paged = [*story.ledger.lines(after=0, limit=4), *story.ledger.lines(after=everything[3].position, limit=4)]
        assert paged == list(everything)
        assert list(story.ledger.lines(after=everything[-1].position, limit=4)) == []

    def test_a_wrong_streak_is_found_and_made_anew(self, story: Story) -> None:
        """From the evidence; a second repair finds nothing to do."""
        story = self.lived(story)
        story.ledger.post(Posting(story.at, streaks=[Streak(ADA, 0, MONDAY.date(), 9, 9)]))
        (found,) = auditing.audit(story.ledger).breaches
        assert (found.check, found.subject) == ("streak", f"member {ADA!r}")
        repair = auditing.repair(story.ledger, story.at)
        assert repair.changes == [
            Change("streak", f"member {ADA!r}", "the streak", "9 to 2026-03-02 (longest 9)", "none (longest 0)")
        ]
        assert repair.audit.is_healthy
        assert auditing.repair(story.ledger, story.at).changes == []

    def test_an_entry_that_does_not_follow_is_found(self, story: Story) -> None:
        """Points that the XP does not give are a breach of the entry, and of the account."""
        story = self.lived(story)
        story.at += timedelta(minutes=15)
        planned = story.planned({ADA_ID: 1_000})
        story.ledger.post(evolve(planned, moves=[evolve(move, points=99) for move in planned.moves]))
        checks = {breach.check for breach in auditing.audit(story.ledger).breaches}
        assert {"entry", "account"} <= checks
