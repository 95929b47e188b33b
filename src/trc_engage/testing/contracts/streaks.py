"""What a ledger promises of excused days, of streaks and the lengths that they reached, and of what was read."""

from datetime import timedelta

import pytest
from attrs import evolve

from ...core.errors import Conflict
from ...core.model import Decision
from ...core.posting import Posting, Settlement, SyncFailure
from ...core.records import Excusal
from ...core.reports import StreakChange
from ...core.streaks import Milestone, Streak
from .ledger import BENCHMARK, TODAY, MembersContract
from .story import ADA, ADA_ID, BO, MONDAY, Story

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


CHANGE = StreakChange(ADA, 0, 2, 1, 2, "award", TODAY)


class StreakLivesContract(MembersContract):
    """What the store promises of the record of streaks (R17a, R28)."""

    def test_changes_are_kept_with_their_cause(self, members: Story) -> None:
        """In order, with the instant of their posting and the entry that caused them; the doctor's without a day."""
        at = MONDAY.replace(microsecond=31)
        (award,) = members.ledger.post(Posting(at, drafts=[BENCHMARK], changes=[CHANGE]))
        repaired = evolve(CHANGE, cause="repair", day=None)
        members.ledger.post(Posting(at, changes=[evolve(CHANGE, member_id=BO), repaired]))
        first, last = members.ledger.streak_changes(ADA)
        assert evolve(first, number=0) == evolve(CHANGE, at=at, entry=award.position)
        assert evolve(last, number=0) == evolve(repaired, at=at)
        assert last.number > first.number > 0
        with pytest.raises(Conflict):
            members.ledger.post(Posting(at, changes=[evolve(CHANGE, member_id="m-nobody")]))
        assert members.ledger.streak_changes("m-nobody") == []

    def test_a_length_is_recorded_once_for_a_member(self, members: Story) -> None:
        """In the order in which lengths were first reached, whatever became of the streaks; each is told once."""
        for at, who, length in ((MONDAY, ADA, 4), (MONDAY, ADA, 5), (members.at, BO, 5), (members.at, ADA, 5)):
            members.ledger.post(Posting(at, reached=[Milestone(who, length)]))
        told = members.ledger.lengths_reached({5, 10}, after=0, limit=10)
        assert [(one.member_id, one.threshold, one.at) for one in told] == [(ADA, 5, MONDAY), (BO, 5, members.at)]
        assert members.ledger.lengths_reached({5}, after=told[0].number, limit=10) == told[1:]
        assert members.ledger.lengths_reached({4, 5}, after=0, limit=1)[0].threshold == 4
        assert members.ledger.lengths_reached(frozenset(), after=0, limit=10) == []
        with pytest.raises(Conflict):
            members.ledger.post(Posting(MONDAY, reached=[Milestone("m-nobody", 1)]))

    def test_a_bonus_is_no_evidence(self, members: Story) -> None:
        """An award that is no activity moves the balance and makes no day active, nor does its reversal (R17a)."""
        bonus = evolve(BENCHMARK, counts_as_activity=False, actor="app")
        (award,) = members.ledger.post(Posting(MONDAY, drafts=[bonus]))
        assert (award.counts_as_activity, award.actor, award.booked_at) == (False, "app", None)
        assert members.ledger.entry_of("benchmark:1") == award
        assert members.standing(ADA).points == 50
        assert members.ledger.evidence(ADA, TODAY, TODAY) == []
        assert members.ledger.day_record(TODAY).active == []
        assert members.ledger.activity(TODAY).days == []

    def test_it_is_known_when_an_award_was_booked(self, members: Story) -> None:
        """If that is not when it happened, to the microsecond."""
        later = MONDAY + timedelta(days=3, microseconds=7)
        (award,) = members.ledger.post(Posting(later, drafts=[BENCHMARK]))
        assert (award.at, award.booked_at) == (MONDAY, later)
        assert members.ledger.history(ADA, limit=1) == [award]


class WatchContract(MembersContract):
    """What the store promises of what was read, when, and what was settled (R26)."""

    def test_good_syncs_are_told_with_those_around_them(self, members: Story) -> None:
        """The last one before an instant, those from it on, and the first one behind; failures are none."""
        times = [members.at]
        for _ in range(3):
            members.sync({ADA_ID: 0})
            times.append(members.at)
        failure = SyncFailure(members.at + timedelta(minutes=1), "down", "no answer", counts=True)
        members.ledger.post(Posting(failure.at, failure=failure))
        told = members.ledger.good_runs(times[1], times[2])
        assert [(run.at, run.missed, run.decision) for run in told] == [(at, 0, None) for at in times[:3]]
        assert [run.at for run in members.ledger.good_runs(times[0], times[3] + timedelta(days=1))] == times
        assert members.ledger.good_runs(MONDAY, MONDAY)[0].at == times[0]

    def test_a_decision_is_told_with_its_sync(self, members: Story) -> None:
        """And how many accounts the board hid."""
        members.at += timedelta(minutes=15)
        planned = members.planned({ADA_ID: 0})
        assert planned.run is not None
        decision = Decision("accept_drops", "admin-7", "cleaned up")
        report = evolve(planned.run.report, missed=3)
        members.ledger.post(evolve(planned, run=evolve(planned.run, decision=decision, report=report)))
        (_, run) = members.ledger.good_runs(members.at, members.at + timedelta(seconds=1))
        assert (run.missed, run.decision) == (3, decision)

    def test_the_last_xp_of_a_day_is_kept(self, members: Story) -> None:
        """Also where it fell, on days without a change too; of the last account that was read."""
        account_id = members.account(ADA).account_id
        assert members.ledger.xp_read([account_id], TODAY - timedelta(days=1)) is None
        for xp in (120, 80):
            members.sync({ADA_ID: xp})
        members.at += timedelta(days=2)
        members.sync({ADA_ID: 90})
        days = [TODAY + timedelta(days=number) for number in range(4)]
        assert [members.ledger.xp_read([account_id], day) for day in days] == [80, 80, 90, 90]
        assert members.ledger.xp_read([account_id, account_id + 1], days[1]) == 80
        assert members.ledger.xp_read([], TODAY) is None

    def test_openings_and_rebases_are_told_with_the_sync_before_them(self, members: Story) -> None:
        """Which began the time in which nothing is known of the XP."""
        ((opening, before),) = members.ledger.resets(ADA)
        assert (opening.kind, before) == ("opening", None)
        looked_at = members.at
        members.sync({ADA_ID: 500})
        looked_at = members.at
        members.restate(ADA, "tracked", next_reading="returns", window_from=members.at)
        members.sync({ADA_ID: 20})
        assert [(entry.kind, at) for entry, at in members.ledger.resets(ADA)][1:] == [("rebase", looked_at)]
        assert members.ledger.resets(BO) == []

    def test_it_is_known_when_a_day_was_settled(self, members: Story) -> None:
        """To the microsecond; of days that are not settled nothing is told."""
        at = MONDAY + timedelta(days=1, microseconds=5)
        revision = members.ledger.day_record(TODAY).revision
        members.ledger.post(Posting(at, settlement=Settlement(TODAY, revision)))
        assert members.ledger.settled(TODAY - timedelta(days=3), TODAY + timedelta(days=3)) == {TODAY: at}
        assert members.ledger.settled(TODAY + timedelta(days=1), TODAY + timedelta(days=3)) == {}
