"""What a ledger promises of days and how they are settled, of streaks, and of what was read."""

from datetime import date, timedelta

import pytest
from attrs import evolve

from ...core.days import Calendar
from ...core.model import Decision
from ...core.posting import Posting, SyncFailure
from ...core.records import Excusal
from ...core.reports import StreakChange
from ...core.streaks import Milestone, Streak
from .story import ADA, ADA_ID, BENCHMARK, BO, BO_ID, CY, DAY, LATER, MONDAY, TODAY, StoreContract, Story, reversal

HOLIDAY = Excusal(TODAY, is_excused=True, at=LATER, actor="admin", reason="holiday")
REQUIRED = evolve(HOLIDAY, is_excused=False, reason=None)
ALONE = evolve(HOLIDAY, reason="ill", note="a call", member_id=ADA)
CHANGE = StreakChange(ADA, 0, 2, 1, 2, "award", TODAY)
BOS = evolve(BENCHMARK, member_id=BO, key="benchmark:2")


class DaysContract(StoreContract):
    """What the store promises of days that are active, excused or settled (R11-R15), streaks, and readings (R26)."""

    def test_a_day_knows_who_was_active(self, members: Story) -> None:
        """Each member once, by id, whether by Discord, by awards or by both, with the stored streak."""
        members.sync({ADA_ID: 1_030, BO_ID: 50})
        members.post(drafts=[BOS, BENCHMARK])
        assert members.ledger.day_record(TODAY).active == [Streak(ADA), Streak(BO)]
        assert members.ledger.day_record(TODAY + DAY).active == []

    def test_activity_is_of_any_kind(self, members: Story) -> None:
        """Day by day, oldest first and through the day asked for; by Discord, by an award or by both, each once."""
        assert members.ledger.activity(date.max).days == []
        members.at += 3 * DAY
        for xp in (1_000, 1_010):
            members.sync({ADA_ID: xp, BO_ID: 50})
        tuesday, wednesday, thursday = (TODAY + number * DAY for number in (1, 2, 3))
        for key, member_id, day in (("1", BO, thursday), ("2", ADA, thursday), ("3", BO, tuesday)):
            (award,) = members.post(drafts=[evolve(BENCHMARK, member_id=member_id, day=day, key=key)])
        found = [(day, sorted(active)) for day, active in members.ledger.activity(thursday).days]
        assert found == [(tuesday, [BO]), (thursday, [ADA, BO])]
        assert [day for day, _ in members.ledger.activity(wednesday).days] == [tuesday]
        members.post(drafts=[reversal(award)])
        assert [day for day, _ in members.ledger.activity(date.max).days] == [thursday]

    def test_a_run_knows_how_many_rose_on_the_day_to_be_settled(self, members: Story) -> None:
        """And on the required day before it; awards are no rises."""
        friday = TODAY - 3 * DAY
        members.post(drafts=[BENCHMARK])
        assert members.ledger.run_state().rises == {TODAY: 0, friday: 0}
        members.sync({ADA_ID: 1_030, BO_ID: 50})
        assert members.ledger.run_state().rises == {TODAY: 1, friday: 0}
        members.post(settlement=members.settlement())
        assert members.ledger.run_state().rises == {TODAY + DAY: 0, TODAY: 1}

    def test_a_streak_is_replaced(self, members: Story) -> None:
        """Each has a version, and all are told by member id."""
        members.post(streaks=[Streak(ADA, 0, TODAY, 1, 1)])
        assert members.ledger.streak_of(ADA) == Streak(ADA, 1, TODAY, 1, 1)
        members.post(streaks=[Streak(BO, 0, None, 0, 0), Streak(ADA, 1, TODAY, 2, 2)])
        assert members.ledger.activity(TODAY).streaks == [Streak(ADA, 2, TODAY, 2, 2), Streak(BO, 1)]

    def test_a_day_is_settled_once(self, members: Story) -> None:
        """When is told to the microsecond; what was planned on the calendar before is `Conflict`."""
        calendar = members.ledger.calendar()
        assert calendar == Calendar(TODAY - DAY)
        settled = Posting(MONDAY + DAY, calendar=calendar, settlement=members.settlement())
        members.ledger.post(settled)
        assert members.ledger.calendar().settled_through == TODAY
        assert members.ledger.run_state().sync.seen_at == MONDAY + DAY
        members.refuses(settled, Posting(MONDAY, drafts=[BENCHMARK], calendar=calendar))
        assert members.ledger.settled(TODAY - 3 * DAY, TODAY + 3 * DAY) == {TODAY: MONDAY + DAY}
        assert members.ledger.settled(TODAY + DAY, TODAY + 3 * DAY) == {}

    @pytest.mark.parametrize("change", ["award", "reversal", "sync"])
    def test_a_settlement_sees_what_came_or_went(self, members: Story, change: str) -> None:
        """Evidence that changed since the day was read makes the settlement `Conflict`."""
        (award,) = members.post(drafts=[BENCHMARK])
        settlement = members.settlement()
        if change == "sync":
            members.sync({ADA_ID: 1_010, BO_ID: 50})
        else:
            members.post(drafts=[BOS if change == "award" else reversal(award)])
        members.refuses(Posting(members.at, settlement=settlement))

    def test_the_facts_hold_what_is_open(self, members: Story) -> None:
        """Active days after the last settled one are told apart from what is decided."""
        members.post(settlement=members.settlement())
        members.post(drafts=[BENCHMARK, evolve(BENCHMARK, day=TODAY + DAY, key="benchmark:2")])
        members.at += DAY
        facts = members.facts(ADA)
        assert (facts.open_days, facts.calendar.settled_through) == (frozenset({TODAY + DAY}), TODAY)
        assert (facts.streak, facts.enrolled_at) == (Streak(ADA), MONDAY)

    def test_days_are_excused_and_required_again(self, members: Story) -> None:
        """Every change counts, so that no two calendars look alike by chance."""
        wednesday, calendars = TODAY + 2 * DAY, list[Calendar]()
        for excusal in (evolve(HOLIDAY, day=wednesday), HOLIDAY, REQUIRED, HOLIDAY):
            members.post(excusals=[excusal])
            calendars.append(members.ledger.calendar())
        both, one = {TODAY, wednesday}, {wednesday}
        assert [calendar.excused for calendar in calendars] == [one, both, one, both]
        assert calendars[1] != calendars[3]

    def test_an_excusal_sees_all_news(self, members: Story) -> None:
        """Whatever was posted since everybody's streaks were derived makes it `Conflict`."""
        revision = members.ledger.activity(TODAY).revision
        members.post(drafts=[BENCHMARK])
        assert members.ledger.activity(TODAY).revision > revision
        members.refuses(Posting(MONDAY, excusals=[HOLIDAY], revision=revision))

    def test_days_are_excused_for_one_member(self, members: Story) -> None:
        """Several in one posting, for nobody else; and each is required again by itself (R13a)."""
        days, before = [TODAY + number * DAY for number in range(3)], members.ledger.calendar()
        members.post(excusals=[evolve(ALONE, day=day) for day in days])
        members.post(excusals=[evolve(ALONE, day=days[1], is_excused=False)])
        left = {days[0], days[2]}
        assert [members.ledger.calendar(one).alone for one in (ADA, BO, None)] == [left, set(), set()]
        assert [members.ledger.calendar(one).excused for one in (ADA, BO, None)] == [set()] * 3
        whole = members.ledger.calendar()
        assert whole == members.ledger.calendar(ADA) != before, "whatever was planned on it is stale"
        assert members.ledger.run_state().calendar == whole
        assert members.facts(ADA).calendar.alone == left

    def test_a_day_knows_who_else_is_excused_on_it(self, members: Story) -> None:
        """With the stored streak, and not who was active; so does the whole activity."""
        members.post(streaks=[Streak(ADA, 0, TODAY, 1, 1)], excusals=[ALONE, evolve(ALONE, member_id=BO)])
        record = members.ledger.day_record(TODAY)
        assert sorted(record.excused, key=lambda one: one.member_id) == [Streak(ADA, 1, TODAY, 1, 1), Streak(BO)]
        members.post(drafts=[BENCHMARK])
        assert members.ledger.day_record(TODAY).excused == [Streak(BO)]
        assert members.ledger.day_record(TODAY + DAY).excused == []
        assert members.ledger.activity(TODAY).excused == [(TODAY, [ADA, BO])]
        assert members.ledger.activity(TODAY - DAY).excused == []
        members.post(excusals=[evolve(ALONE, is_excused=False)])
        assert members.ledger.activity(TODAY).excused == [(TODAY, [BO])]

    def test_excusals_are_told_with_who_and_why(self, members: Story) -> None:
        """Oldest first: everybody's and a member's own, or all."""
        told = [ALONE, HOLIDAY, evolve(ALONE, member_id=BO), evolve(REQUIRED, reason="a mistake")]
        for one in told:
            members.post(excusals=[one])
        numbered = [evolve(one, number=number) for number, one in enumerate(told, 1)]
        assert members.ledger.excusals() == numbered
        assert members.ledger.excusals(ADA) == [one for one in numbered if one.member_id != BO]

    def test_changes_are_kept_with_their_cause(self, members: Story) -> None:
        """In order, with the instant of their posting and the entry that caused them; the doctor's without a day."""
        (award,) = members.post(drafts=[BENCHMARK], changes=[CHANGE])
        repaired = evolve(CHANGE, cause="repair", day=None)
        members.post(changes=[evolve(CHANGE, member_id=BO), repaired])
        first, last = members.ledger.streak_changes(ADA)
        assert evolve(first, number=0) == evolve(CHANGE, at=members.at, entry=award.position)
        assert evolve(last, number=0) == evolve(repaired, at=members.at)
        assert last.number > first.number > 0
        assert members.ledger.streak_changes(CY) == []

    def test_a_length_is_recorded_once_for_a_member(self, members: Story) -> None:
        """In the order in which lengths were first reached, whatever became of the streaks; each is told once."""
        for at, who, length in ((MONDAY, ADA, 4), (MONDAY, ADA, 5), (members.at, BO, 5), (members.at, ADA, 5)):
            members.post(at=at, reached=[Milestone(who, length)])
        told = members.ledger.lengths_reached({5, 10}, after=0, limit=10)
        assert [(one.member_id, one.threshold, one.at) for one in told] == [(ADA, 5, MONDAY), (BO, 5, members.at)]
        assert members.ledger.lengths_reached({5}, after=told[0].number, limit=10) == told[1:]
        assert members.ledger.lengths_reached({4, 5}, after=0, limit=1)[0].threshold == 4
        assert members.ledger.lengths_reached(frozenset(), after=0, limit=10) == []

    def test_good_syncs_are_told_with_those_around_them(self, members: Story) -> None:
        """With what the board hid and what was decided: from the last before an instant on; failures are none."""
        times, decision = [members.at], Decision("accept_drops", "admin-7", "cleaned up")
        for _ in range(2):
            members.sync({ADA_ID: 1_000, BO_ID: 50})
            times.append(members.at)
        members.sync({ADA_ID: 1_000}, missed=3, decision=decision)
        times.append(members.at)
        failed_at = members.at + timedelta(minutes=1)
        members.post(at=failed_at, failure=SyncFailure(failed_at, "down", "no answer", counts=True))
        told = members.ledger.good_runs(times[1], times[2])
        assert [(run.at, run.missed, run.decision) for run in told] == [(at, 0, None) for at in times[:3]]
        told = members.ledger.good_runs(times[0], times[3] + DAY)
        assert [run.at for run in told] == times
        assert (told[-1].missed, told[-1].decision) == (3, decision)
        assert members.ledger.good_runs(MONDAY, MONDAY)[0].at == times[0]

    def test_the_last_xp_of_a_day_is_kept(self, members: Story) -> None:
        """Also where it fell, on days without a change too; of the last account that was read."""
        account_id = members.account(ADA).account_id
        assert members.ledger.xp_read([account_id], TODAY - DAY) is None
        for xp in (1_120, 1_080):
            members.sync({ADA_ID: xp})
        members.at += 2 * DAY
        members.sync({ADA_ID: 1_090})
        days = [TODAY + number * DAY for number in range(4)]
        assert [members.ledger.xp_read([account_id], day) for day in days] == [1_080, 1_080, 1_090, 1_090]
        assert members.ledger.xp_read([account_id, account_id + 9], days[1]) == 1_080
        assert members.ledger.xp_read([account_id, members.account(BO).account_id], days[3]) == 50
        assert members.ledger.xp_read([], TODAY) is None

    def test_openings_and_rebases_are_told_with_the_sync_before_them(self, members: Story) -> None:
        """Which began the time in which nothing is known of the XP."""
        ((opening, before),) = members.ledger.resets(ADA)
        assert (opening.kind, before) == ("opening", None)
        members.sync({ADA_ID: 1_500})
        looked_at = members.at
        members.restate(ADA, "tracked", next_reading="returns", window_from=members.at)
        members.sync({ADA_ID: 20})
        assert [(entry.kind, at) for entry, at in members.ledger.resets(ADA)][1:] == [("rebase", looked_at)]
        assert members.ledger.resets(CY) == []
