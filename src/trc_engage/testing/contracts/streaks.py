"""What a ledger promises of excused days: everybody's, and one member's alone."""

from datetime import timedelta

import pytest
from attrs import evolve

from ...core.errors import Conflict
from ...core.posting import Excusal, Posting
from ...core.streaks import Streak
from .ledger import BENCHMARK, TODAY, MembersContract
from .story import ADA, BO, MONDAY, Story

HOLIDAY = Excusal(TODAY, is_excused=True, at=MONDAY.replace(microsecond=654321), actor="admin", reason="holiday")
REQUIRED = evolve(HOLIDAY, is_excused=False, reason=None)
ALONE = evolve(HOLIDAY, reason="ill", note="a call", member_id=ADA)


class ExcusalsContract(MembersContract):
    """What the store promises of excused days (R13, R13a)."""

    def test_days_are_excused_and_required_again(self, members: Story) -> None:
        """Every change counts, so that no two calendars look alike by chance."""
        wednesday = TODAY + timedelta(days=2)
        members.ledger.post(Posting(MONDAY, excusals=[HOLIDAY]))
        members.ledger.post(Posting(MONDAY, excusals=[evolve(HOLIDAY, day=wednesday)]))
        assert members.ledger.calendar().excused == {TODAY, wednesday}
        once = members.ledger.calendar()
        members.ledger.post(Posting(MONDAY, excusals=[REQUIRED]))
        assert members.ledger.calendar().excused == {wednesday}
        members.ledger.post(Posting(MONDAY, excusals=[HOLIDAY]))
        again = members.ledger.calendar()
        assert again.excused == once.excused
        assert again != once

    def test_an_excusal_sees_all_news(self, members: Story) -> None:
        """Whatever was posted since everybody's streaks were derived makes it `Conflict`."""
        revision = members.ledger.activity(TODAY).revision
        members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        assert members.ledger.activity(TODAY).revision > revision
        with pytest.raises(Conflict):
            members.ledger.post(Posting(MONDAY, excusals=[HOLIDAY], revision=revision))

    def test_days_are_excused_for_one_member(self, members: Story) -> None:
        """Several in one posting, for nobody else; and each is required again by itself (R13a)."""
        days = [TODAY + timedelta(days=number) for number in range(3)]
        before = members.ledger.calendar()
        members.ledger.post(Posting(MONDAY, excusals=[evolve(ALONE, day=day) for day in days]))
        members.ledger.post(Posting(MONDAY, excusals=[evolve(ALONE, day=days[1], is_excused=False)]))
        left = {days[0], days[2]}
        assert [members.ledger.calendar(one).alone for one in (ADA, BO, None)] == [left, set(), set()]
        assert [members.ledger.calendar(one).excused for one in (ADA, BO, None)] == [set()] * 3
        assert members.ledger.calendar() == members.ledger.calendar(ADA) != before, (
            "whatever was planned on it is stale"
        )
        assert members.ledger.run_state().calendar == members.ledger.calendar()
        facts = members.ledger.facts(ADA, TODAY)
        assert facts is not None
        assert facts.calendar.alone == left

    def test_a_day_knows_who_else_is_excused_on_it(self, members: Story) -> None:
        """With the stored streak, and not who was active; so does the whole activity."""
        members.ledger.post(Posting(MONDAY, streaks=[Streak(ADA, 0, TODAY, 1, 1)]))
        members.ledger.post(Posting(MONDAY, excusals=[ALONE, evolve(ALONE, member_id=BO)]))
        record = members.ledger.day_record(TODAY)
        assert sorted(record.excused, key=lambda one: one.member_id) == [Streak(ADA, 1, TODAY, 1, 1), Streak(BO)]
        members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        assert members.ledger.day_record(TODAY).excused == [Streak(BO)]
        assert members.ledger.day_record(TODAY + timedelta(days=1)).excused == []
        assert members.ledger.activity(TODAY).excused == [(TODAY, [ADA, BO])]
        assert members.ledger.activity(TODAY - timedelta(days=1)).excused == []
        members.ledger.post(Posting(MONDAY, excusals=[evolve(ALONE, is_excused=False)]))
        assert members.ledger.activity(TODAY).excused == [(TODAY, [BO])]

    def test_excusals_are_told_with_who_and_why(self, members: Story) -> None:
        """Oldest first: everybody's and a member's own, or all; and only of members that are there."""
        told = [ALONE, HOLIDAY, evolve(ALONE, member_id=BO), evolve(REQUIRED, reason="a mistake")]
        for one in told:
            members.ledger.post(Posting(MONDAY, excusals=[one]))
        numbered = [evolve(one, number=number) for number, one in enumerate(told, 1)]
        assert members.ledger.excusals() == numbered
        assert members.ledger.excusals(ADA) == [one for one in numbered if one.member_id != BO]
        for strange in ([evolve(ALONE, member_id="m-nobody")], [HOLIDAY, HOLIDAY]):
            with pytest.raises(Conflict):
                members.ledger.post(Posting(MONDAY, excusals=strange))
        assert members.ledger.excusals() == numbered

    def test_forgetting_blanks_the_reasons(self, members: Story) -> None:
        """What was said of somebody forgotten goes, not the excused days themselves (R9, R13a)."""
        members.ledger.post(Posting(MONDAY, excusals=[ALONE, HOLIDAY, evolve(ALONE, member_id=BO)]))
        member = members.ledger.member(ADA)
        assert member is not None
        members.ledger.post(Posting(MONDAY, members=[member.forgotten()]))
        told = [(one.member_id, one.day, one.reason, one.note) for one in members.ledger.excusals()]
        assert told == [(ADA, TODAY, None, None), (None, TODAY, "holiday", None), (BO, TODAY, "ill", "a call")]
