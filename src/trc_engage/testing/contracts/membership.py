"""What was done about members stays on record (R26), who left is marked, and who was never seen is known (R31)."""

from datetime import timedelta

import pytest
from attrs import evolve

from ...core.errors import Conflict
from ...core.model import Link, Move
from ...core.posting import Draft, Posting, Settlement
from ...core.records import MembershipEvent
from ...core.streaks import Streak
from ...usecases import audit
from .story import ADA, ADA_ID, BO, BO_ID, CY, CY_ID, MONDAY, AuditedStory, StoreContract, Story

EXACT = MONDAY + timedelta(microseconds=123_457)
LEFT = MembershipEvent(0, ADA, "left", EXACT, "admin-7", "a move 雪", "said on the phone", 1, "continues", EXACT)


class MembershipContract(StoreContract):
    """Events are kept in the order in which they were posted, and only forgetting somebody blanks their texts."""

    @pytest.fixture
    def linked(self, story: Story) -> Story:
        """Begin with two members, one of them linked."""
        story.enroll(ADA, ADA_ID)
        story.enroll(BO)
        return story

    def test_an_event_comes_back_as_it_was_posted(self, linked: Story) -> None:
        """With its number, to the microsecond, and with what was said and what the leave kept."""
        account_id = linked.account(ADA).account_id
        left = evolve(LEFT, account_id=account_id)
        bare = MembershipEvent(0, BO, "hidden", MONDAY)
        linked.ledger.post(Posting(MONDAY, events=[left, bare]))
        assert list(linked.ledger.events(ADA)) == [evolve(left, number=1)]
        assert list(linked.ledger.events(BO)) == [evolve(bare, number=2)]
        assert list(linked.ledger.events("m-nobody")) == []

    def test_a_link_is_recorded_with_the_account_that_it_opens(self, linked: Story) -> None:
        """The store fills in the account, for it numbers them."""
        event = MembershipEvent(0, BO, "linked", MONDAY)
        linked.ledger.post(Posting(MONDAY, links=[Link(BO, BO_ID)], events=[event]))
        (kept,) = linked.ledger.events(BO)
        assert kept.account_id == linked.account(BO).account_id

    def test_events_of_everybody_come_in_pages(self, linked: Story) -> None:
        """Oldest first, those above a number, of one member or of all."""
        for kind in ("hidden", "shown", "hidden"):
            both = [MembershipEvent(0, who, kind, MONDAY) for who in (ADA, BO)]
            linked.ledger.post(Posting(MONDAY, events=both))
        events = linked.ledger.events
        assert [event.number for event in events(None)] == [1, 2, 3, 4, 5, 6]
        assert [(event.number, event.member_id) for event in events(None, after=2, limit=2)] == [(3, ADA), (4, BO)]
        assert [event.number for event in events(BO, after=2, limit=9)] == [4, 6]

    def test_who_is_forgotten_leaves_no_reasons_and_notes(self, linked: Story) -> None:
        """Reasons and notes from before are blanked, those of the forgetting and of others stay."""
        said = evolve(LEFT, account_id=None)
        linked.ledger.post(Posting(MONDAY, events=[said, evolve(said, member_id=BO)]))
        linked.restate(ADA, "unlinked")
        member = linked.ledger.member(ADA)
        assert member is not None
        gone = evolve(said, kind="forgotten", next_reading=None, window_from=None)
        linked.ledger.post(Posting(MONDAY, members=[member.forgotten()], events=[gone]))
        before, after = linked.ledger.events(ADA)
        assert before == evolve(said, number=1, reason=None, note=None)
        assert after == evolve(gone, number=3)
        assert list(linked.ledger.events(BO)) == [evolve(said, number=2, member_id=BO)]

    @pytest.mark.parametrize("flaw", ["member", "account", "link"])
    def test_an_event_is_written_with_its_posting_or_not_at_all(self, linked: Story, flaw: str) -> None:
        """One of nobody, of no account, or beside a link that cannot be made is `Conflict`, and leaves nothing."""
        event = MembershipEvent(0, BO, "shown", MONDAY)
        flawed = {
            "member": Posting(MONDAY, events=[event, evolve(event, member_id="m-nobody")]),
            "account": Posting(MONDAY, events=[event, evolve(event, account_id=999)]),
            "link": Posting(MONDAY, links=[Link(BO, ADA_ID)], events=[event]),
        }
        with pytest.raises(Conflict):
            linked.ledger.post(flawed[flaw])
        assert list(linked.ledger.events(None)) == []

    def test_the_doctor_compares_accounts_with_their_events(self, audited: AuditedStory) -> None:
        """Who is on record as having left is noted as left, and the other way round."""
        audited.enroll(ADA, ADA_ID)
        account = audited.account(ADA)
        left = evolve(LEFT, account_id=account.account_id)
        audited.ledger.post(Posting(MONDAY, moves=[Move.of_status(account, "left", "opens")], events=[left]))
        assert audit.audit(audited.ledger).is_healthy
        audited.ledger.post(Posting(MONDAY, events=[evolve(left, kind="returned")]))
        assert [breach.check for breach in audit.audit(audited.ledger).breaches] == ["event"]

    def test_whoever_left_is_marked_and_can_be_left_out(self, linked: Story) -> None:
        """In rankings of all time, of a month and of streaks, and in the own rank; ranks close up."""
        ledger, day = linked.ledger, MONDAY.date()
        drafts = [Draft("award", who, "benchmark", points, day, MONDAY, who) for who, points in ((ADA, 30), (BO, 20))]
        streaks = [Streak(ADA, 0, day, 3, 3), Streak(BO, 0, day, 2, 2)]
        ledger.post(Posting(MONDAY, drafts=drafts, streaks=streaks))
        ledger.post(Posting(MONDAY, settlement=Settlement(day, ledger.day_record(day).revision)))
        linked.restate(ADA, "left")
        everyone = [
            ledger.ranking(None, limit=9),
            ledger.ranking(day.replace(day=1), limit=9),
            ledger.streak_ranking(limit=9),
        ]
        for ranks in everyone:
            assert [(one.rank, one.member_id, one.has_left) for one in ranks] == [(1, ADA, True), (2, BO, False)]
        present = [
            ledger.ranking(None, limit=9, present=True),
            ledger.ranking(day.replace(day=1), limit=9, present=True),
            ledger.streak_ranking(limit=9, present=True),
        ]
        for ranks in present:
            assert [(one.rank, one.member_id) for one in ranks] == [(1, BO)]
        own = [ledger.rank_of(BO, None, present=there) for there in (False, True)]
        assert [one and one.rank for one in own] == [2, 1]

    def test_whom_no_board_ever_showed_is_known(self, linked: Story) -> None:
        """Those who wait, have a zero-XP record or left before a board showed them; not who was ever on one."""
        ledger = linked.ledger
        assert list(ledger.never_seen()) == [ADA]
        linked.enroll(CY, CY_ID)
        linked.sync({CY_ID: 500})
        assert (list(ledger.never_seen()), ledger.tally().never_seen) == ([ADA], 1)
        linked.restate(ADA, "left")
        linked.restate(CY, "tracked", next_reading="rebases")
        linked.sync({})
        assert linked.account(CY).may_be_unseen
        assert list(ledger.never_seen()) == [ADA]
        linked.restate(ADA, "unlinked")
        assert list(ledger.never_seen()) == []

    def test_since_when_nobody_was_seen_is_known(self, linked: Story) -> None:
        """Since the third was linked, as long as none of all who are looked for was ever on a board."""
        ledger = linked.ledger
        linked.at = EXACT
        linked.enroll(CY, CY_ID)
        assert ledger.run_state().unseen_since is None
        linked.at += timedelta(minutes=1)
        ledger.post(Posting(linked.at, links=[Link(BO, BO_ID)]))
        linked.at += timedelta(minutes=1)
        linked.enroll("m-dee", "80351110224678999")
        assert ledger.run_state().unseen_since == EXACT + timedelta(minutes=1)
        linked.sync({})
        assert ledger.run_state().unseen_since == EXACT + timedelta(minutes=1)
        linked.sync({CY_ID: 1})
        assert ledger.run_state().unseen_since is None
        linked.restate(CY, "left")
        assert ledger.run_state().unseen_since == EXACT + timedelta(minutes=2)
