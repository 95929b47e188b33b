"""Awards, evidence, days and streaks."""

from datetime import timedelta

import pytest
from attrs import evolve

from ...core.days import Calendar
from ...core.entries import Evidence
from ...core.errors import Moved
from ...core.postings import Draft, Excusal, Posting, Settlement
from ...core.streaks import Streak
from .story import ADA, ADA_ID, BO, BO_ID, MONDAY, StoreContract, Story

TODAY = MONDAY.date()
NOTHING_SETTLED = Calendar(TODAY - timedelta(days=1))
BENCHMARK = Draft("award", ADA, "benchmark", 50, TODAY, MONDAY, "benchmark:1")


class ActivityContract(StoreContract):
    """What the store promises of awards (R8), evidence (R11), settled days (R15) and streaks (R16)."""

    @pytest.fixture
    def members(self, story: Story) -> Story:
        """Begin with two members, one of them linked and opened."""
        story.enroll(ADA, ADA_ID)
        story.enroll(BO)
        story.sync({ADA_ID: 0})
        return story

    def test_an_award_is_an_entry_under_its_key(self, members: Story) -> None:
        """What was posted is returned, found by its key, fed and counted."""
        (entry,) = members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        assert (entry.kind, entry.source, entry.points, entry.day, entry.at, entry.silent) == (
            "award",
            "benchmark",
            50,
            TODAY,
            MONDAY,
            False,
        )
        assert members.ledger.entry_of("benchmark:1") == entry
        assert members.ledger.feed(after=entry.position - 1, limit=1) == [entry]
        assert members.standing(ADA).points_by_source == {"benchmark": 50}

    def test_a_key_is_used_once(self, members: Story) -> None:
        """A second draft of the same key is `Moved`, whatever it is, and changes nothing."""
        members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        before = members.meaning()
        for again in (BENCHMARK, evolve(BENCHMARK, kind="adjustment", member_id=BO, reason="typo", actor="admin")):
            with pytest.raises(Moved):
                members.ledger.post(Posting(MONDAY, drafts=[again]))
        assert members.meaning() == before

    def test_only_members_are_awarded(self, members: Story) -> None:
        """A draft of somebody unknown is `Moved`."""
        with pytest.raises(Moved):
            members.ledger.post(Posting(MONDAY, drafts=[evolve(BENCHMARK, member_id="m-nobody")]))
        assert members.ledger.entry_of("benchmark:1") is None

    def test_an_award_is_reversed_once(self, members: Story) -> None:
        """The reversal says why and by whom, takes points and evidence back, and a second one is `Moved`."""
        (award,) = members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        assert members.ledger.reversal_of(award.position) is None
        assert members.ledger.evidence(ADA, TODAY, TODAY) == [Evidence(TODAY, "benchmark", award.position)]
        draft = evolve(
            BENCHMARK,
            kind="reversal",
            points=-50,
            key=None,
            reason="withdrawn",
            actor="admin",
            reverses=award.position,
        )
        (reversal,) = members.ledger.post(Posting(MONDAY, drafts=[draft]))
        assert members.ledger.reversal_of(award.position) == reversal
        assert (reversal.reason, reversal.actor, reversal.reverses) == ("withdrawn", "admin", award.position)
        assert members.standing(ADA).points == 0
        assert members.ledger.evidence(ADA, TODAY, TODAY) == []
        with pytest.raises(Moved):
            members.ledger.post(Posting(MONDAY, drafts=[draft]))

    def test_an_adjustment_is_no_evidence(self, members: Story) -> None:
        """It moves the balance, below zero too, and makes no day active."""
        draft = Draft("adjustment", BO, "adjustment", -7, TODAY, MONDAY, "fix:1", "typo", "admin")
        members.ledger.post(Posting(MONDAY, drafts=[draft]))
        assert members.standing(BO).points == -7
        assert members.ledger.day_record(TODAY).active == []

    def test_a_day_knows_who_was_active(self, members: Story) -> None:
        """Each member once, whether by Discord, by awards or by both, with the stored streak."""
        members.sync({ADA_ID: 30})
        members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK, evolve(BENCHMARK, member_id=BO, key="benchmark:2")]))
        active = members.ledger.day_record(TODAY).active
        assert sorted(active, key=lambda streak: streak.member_id) == [Streak(ADA), Streak(BO)]
        assert members.ledger.rose_on(TODAY) == 1
        assert members.ledger.first_evidence_day() == TODAY
        assert members.ledger.day_record(TODAY + timedelta(days=1)).active == []

    def test_streaks_stand_on_their_versions(self, members: Story) -> None:
        """A streak is replaced at the version it was planned on, and at no other."""
        first = Streak(ADA, 0, TODAY, 1, 1)
        members.ledger.post(Posting(MONDAY, streaks=[first]))
        assert members.ledger.streak_of(ADA) == evolve(first, version=1)
        for version in (0, 2):
            with pytest.raises(Moved):
                members.ledger.post(Posting(MONDAY, streaks=[evolve(first, version=version, length=2, longest=2)]))
        members.ledger.post(Posting(MONDAY, streaks=[Streak(ADA, 1, TODAY, 2, 2), Streak(BO, 0, None, 0, 0)]))
        assert members.ledger.streaks() == [Streak(ADA, 2, TODAY, 2, 2), Streak(BO, 1)]

    def test_a_day_is_settled_once(self, members: Story) -> None:
        """Settling moves the calendar on, and what was planned on the calendar before is `Moved`."""
        calendar = members.ledger.calendar()
        assert calendar == NOTHING_SETTLED
        news = members.ledger.day_record(TODAY).news
        settled = Posting(members.at, calendar=calendar, settlement=Settlement(TODAY, news))
        members.ledger.post(settled)
        assert members.ledger.calendar().settled_through == TODAY
        assert members.ledger.sync_state().seen_at == members.at
        for stale in (settled, Posting(MONDAY, drafts=[BENCHMARK], calendar=calendar)):
            with pytest.raises(Moved):
                members.ledger.post(stale)

    @pytest.mark.parametrize("news", ["award", "reversal", "sync"])
    def test_a_settlement_sees_what_came_or_went(self, members: Story, news: str) -> None:
        """Evidence that changed since the day was read makes the settlement `Moved`."""
        (award,) = members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        record = members.ledger.day_record(TODAY)
        if news == "award":
            members.ledger.post(Posting(MONDAY, drafts=[evolve(BENCHMARK, member_id=BO, key="benchmark:2")]))
        elif news == "reversal":
            gone = evolve(BENCHMARK, kind="reversal", points=-50, key=None, reverses=award.position)
            members.ledger.post(Posting(MONDAY, drafts=[gone]))
        else:
            members.sync({ADA_ID: 10})
        with pytest.raises(Moved):
            members.ledger.post(Posting(members.at, settlement=Settlement(TODAY, record.news)))
        assert members.ledger.calendar() == NOTHING_SETTLED

    def test_days_are_excused_and_required_again(self, members: Story) -> None:
        """Every change counts, so that no two calendars look alike by chance."""
        wednesday = TODAY + timedelta(days=2)
        members.ledger.post(Posting(MONDAY, excusal=Excusal(TODAY, "holiday")))
        members.ledger.post(Posting(MONDAY, excusal=Excusal(wednesday, "holiday")))
        assert members.ledger.calendar().excused == {TODAY, wednesday}
        once = members.ledger.calendar()
        members.ledger.post(Posting(MONDAY, excusal=Excusal(TODAY, None)))
        assert members.ledger.calendar().excused == {wednesday}
        members.ledger.post(Posting(MONDAY, excusal=Excusal(TODAY, "holiday")))
        again = members.ledger.calendar()
        assert again.excused == once.excused
        assert again != once

    def test_an_excusal_sees_all_news(self, members: Story) -> None:
        """Whatever was posted since everybody's streaks were derived makes it `Moved`."""
        news = members.ledger.news()
        members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        assert members.ledger.news() > news
        with pytest.raises(Moved):
            members.ledger.post(Posting(MONDAY, excusal=Excusal(TODAY, "holiday", news)))

    def test_the_facts_hold_what_is_open(self, members: Story) -> None:
        """Active days after the last settled one are told apart from what is decided."""
        members.ledger.post(Posting(MONDAY, settlement=Settlement(TODAY, members.ledger.day_record(TODAY).news)))
        tuesday = TODAY + timedelta(days=1)
        members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK, evolve(BENCHMARK, day=tuesday, key="benchmark:2")]))
        facts = members.ledger.facts(ADA, tuesday)
        assert facts is not None
        assert (facts.open_days, facts.calendar.settled_through, facts.streak) == (
            frozenset({tuesday}),
            TODAY,
            Streak(ADA),
        )

    def test_days_before_the_first_enrolment_count_as_settled(self, story: Story) -> None:
        """Nothing is required of them, and evidence for them is late; whether anyone is tracked is known."""
        assert story.ledger.calendar() == Calendar()
        assert not story.ledger.tracks_anyone()
        story.enroll(ADA)
        story.at += timedelta(days=3)
        story.enroll(BO, BO_ID)
        assert story.ledger.calendar() == NOTHING_SETTLED
        assert story.ledger.tracks_anyone()
        story.restate(BO, "left")
        assert not story.ledger.tracks_anyone()

    def test_who_is_forgotten_leaves_no_name_and_no_id(self, members: Story) -> None:
        """Name and Discord ids give way to a tombstone, also those of accounts unlinked before (R9)."""
        members.restate(ADA, "unlinked")
        member = members.ledger.member(ADA)
        assert member is not None
        members.ledger.post(Posting(MONDAY, members=[evolve(member, name=None, is_forgotten=True)]))
        assert ADA_ID not in repr(members.meaning())
        assert members.ledger.holder_of(ADA_ID) is None
        assert [entry.kind for entry in members.ledger.history(ADA, limit=5)] == ["opening"]
