"""The ledger contract for postings: entries, accounts, evidence, days, streaks and refused writes."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve

from ...core.days import Calendar
from ...core.model import DISCORD, Decision, Entry, Evidence, Link, Member, Move, XpChange
from ...core.posting import Booking, Posting, Settlement, SyncFailure, booked, drafted
from ...core.records import Excusal, MembershipEvent
from ...core.reports import StreakChange
from ...core.streaks import Milestone, Streak
from .story import ADA, ADA_ID, BENCHMARK, BO, BO_ID, CY, CY_ID, DAY, LATER, MONDAY, NOBODY, TODAY, StoreContract, Story

NEW, GONE = "m-new", "m-gone"


DRAFTS: Mapping[str, tuple[Entry, bool]] = {
    "an award": (BENCHMARK, True),
    "a bonus": (evolve(BENCHMARK, counts_as_activity=False, actor="app"), False),
    "an adjustment": (
        drafted("adjustment", ADA, "adjustment", -70, TODAY, MONDAY, "fix:1", "a typo 雪", "admin-7"),
        False,
    ),
}
"""Drafts, each with whether it makes a day active (R8, R17a)."""

Refused = Callable[[Story, Entry], dict[str, Any]]
EVENT = MembershipEvent(0, CY, "shown", MONDAY)
HOLIDAY = Excusal(TODAY, is_excused=True, at=LATER, actor="admin", reason="holiday")
REQUIRED = evolve(HOLIDAY, is_excused=False, reason=None)
ALONE = evolve(HOLIDAY, reason="ill", note="a call", member_id=ADA)
CHANGE = StreakChange(ADA, 0, 2, 1, 2, "award", TODAY)
BOS = evolve(BENCHMARK, member_id=BO, key="benchmark:2")
REFUSED: dict[str, Refused] = {
    "a key that is used": lambda *_: {"drafts": [BENCHMARK]},
    "such a key for something else": lambda *_: {
        "drafts": [evolve(BENCHMARK, kind="adjustment", member_id=BO, reason="typo", actor="admin")]
    },
    "a key twice": lambda *_: {"drafts": [evolve(BENCHMARK, key="benchmark:9")] * 2},
    "an award of nobody": lambda *_: {"drafts": [evolve(BENCHMARK, member_id=NOBODY, key="benchmark:9")]},
    "no award's reversal": lambda story, award: {"drafts": [story.reversal(award, reverses=999)]},
    "a reversal twice": lambda story, award: {"drafts": [story.reversal(award)] * 2},
    "a member twice": lambda *_: {"members": [Member(NEW, None, MONDAY), Member(NEW, "New", MONDAY)]},
    "an older member": lambda story, _: {"members": [evolve(story.member(ADA), version=0)]},
    "a newer member": lambda story, _: {"members": [evolve(story.member(ADA), version=2)]},
    "an older streak": lambda *_: {"streaks": [Streak(ADA, 0, TODAY, 2, 2)]},
    "a member's second version without a first": lambda *_: {"members": [Member(NEW, None, MONDAY, version=1)]},
    "a streak's second version without a first": lambda *_: {"streaks": [Streak(BO, 1, TODAY, 2, 2)]},
    "a newer streak": lambda *_: {"streaks": [Streak(ADA, 2, TODAY, 2, 2)]},
    "a streak twice": lambda *_: {"streaks": [Streak(BO, 0, TODAY, 1, 1), Streak(BO, 1, TODAY, 1, 1)]},
    "nobody's streak": lambda *_: {"streaks": [Streak(NOBODY, 0, TODAY, 1, 1)]},
    "nobody's change": lambda *_: {"changes": [StreakChange(NOBODY, 0, 2, 1, 2, "award", TODAY)]},
    "nobody's length": lambda *_: {"reached": [Milestone(NOBODY, 1)]},
    "an id that is linked": lambda *_: {"links": [Link(NEW, ADA_ID)]},
    "an id of whoever left": lambda *_: {"links": [Link(NEW, BO_ID)]},
    "an id of whoever moves": lambda story, _: {"moves": [_left(story)], "links": [Link(NEW, ADA_ID)]},
    "an id linked twice": lambda *_: {"links": [Link(CY, CY_ID), Link(NEW, CY_ID)]},
    "a second link": lambda *_: {"links": [Link(ADA, CY_ID)]},
    "two links": lambda *_: {"links": [Link(CY, CY_ID), Link(CY, f"{CY_ID}0")]},
    "nobody's link": lambda *_: {"links": [Link(NOBODY, CY_ID)]},
    "a forgotten member's link": lambda *_: {"links": [Link(GONE, CY_ID)]},
    "an older account": lambda story, _: {"moves": [_left(story, version=0)]},
    "an account twice": lambda story, _: {"moves": [_left(story)] * 2},
    "nobody's account": lambda story, _: {"moves": [_left(story, account_id=999)]},
    "nobody's event": lambda *_: {"events": [EVENT, evolve(EVENT, member_id=NOBODY)]},
    "an event of no account": lambda *_: {"events": [EVENT, evolve(EVENT, account_id=999)]},
    "an event beside no link": lambda *_: {"events": [EVENT], "links": [Link(CY, ADA_ID)]},
    "nobody's excusal": lambda *_: {"excusals": [evolve(ALONE, member_id=NOBODY)]},
    "an excusal twice": lambda *_: {"excusals": [HOLIDAY, HOLIDAY]},
    "excusals upon older news": lambda story, _: {
        "excusals": [HOLIDAY],
        "revision": story.ledger.activity(TODAY).revision - 1,
    },
    "a draft on another calendar": lambda *_: {
        "drafts": [evolve(BENCHMARK, key="benchmark:9")],
        "calendar": Calendar(TODAY),
    },
    "a settlement upon older news": lambda story, _: {"settlement": Settlement(TODAY, story.settlement().revision - 1)},
}


def _left(story: Story, **account: Any) -> Move:
    return Move.of_status(evolve(story.account(ADA), **account), "left", "opens")


class PostingContract(StoreContract):
    """What a posting does to entries, balances, accounts and evidence (R8, R9, R11, R19), and what is a `Conflict`."""

    def test_an_opening_is_a_silent_entry_of_no_points(self, members: Story) -> None:
        """An account's first entry is a silent opening of no points, at the XP from which counting begins."""
        (entry,) = members.ledger.history(ADA, limit=10)
        assert (entry.kind, entry.source, entry.points, entry.silent) == ("opening", "discord", 0, True)
        assert entry.xp == XpChange(members.account(ADA).account_id, None, 1_000, None, 1_000)

    def test_a_posting_returns_the_entries_of_all_its_drafts(self, members: Story) -> None:
        """A posting of several drafts returns their entries in order, as the feed shows them."""
        drafts = [evolve(BENCHMARK, member_id=who, key=f"several:{who}") for who in (ADA, BO)]
        posted = members.post(drafts=drafts)
        assert [entry.member_id for entry in posted] == [ADA, BO]
        assert members.ledger.feed(after=posted[0].position - 1, limit=10) == posted

    def test_a_change_short_of_a_point_posts_no_entry(self, members: Story) -> None:
        """A rise short of a whole point updates the account without an entry; the next entry includes it."""
        members.sync({ADA_ID: 1_090, BO_ID: 50})
        assert len(members.ledger.history(ADA, limit=10)) == 1
        assert (members.account(ADA).xp_total, members.account(ADA).xp_posted) == (1_090, 1_000)
        members.sync({ADA_ID: 1_250, BO_ID: 50})
        entry = members.ledger.history(ADA, limit=1)[0]
        told = entry.kind, entry.points, entry.silent, entry.day, entry.at
        assert told == ("gain", 2, False, members.at.date(), members.at)
        assert entry.xp is not None
        assert (entry.xp.xp_before, entry.xp.xp_after, entry.xp.carried_after) == (1_000, 1_250, 50)

    def test_each_line_follows_from_the_one_above_and_balances_are_their_sums(self, members: Story) -> None:
        """Each entry continues from the account's last one, and balances, even negative, are the sums of entries."""
        for xp in (1_030, 1_080, 1_130, 1_131, 900, 905, 300, 2_000, 2**53):
            members.sync({ADA_ID: xp, BO_ID: 50})
            points = members.standing(ADA).points
            assert points == sum(entry.points for entry in members.ledger.history(ADA, limit=50)) == (xp - 1_000) // 100
            assert members.account(ADA).xp_total == xp
        lines = [entry for entry in reversed(members.ledger.history(ADA, limit=50)) if entry.xp is not None]
        assert [line.points for line in lines[:-1]] == [0, 1, -2, -6, 17]
        for above, line in pairwise(lines):
            assert above.xp is not None
            assert line.xp is not None
            assert (line.xp.xp_before, line.xp.baseline_before) == (above.xp.xp_after, above.xp.baseline_after)
            assert line.xp.carried_before == above.xp.carried_after

    def test_a_rebase_keeps_the_points(self, members: Story) -> None:
        """A rebase moves baseline and XP together and posts a silent entry of no points."""
        members.sync({ADA_ID: 1_250, BO_ID: 50})
        members.restate(ADA, "tracked", next_reading="returns", window_from=members.at)
        members.sync({ADA_ID: 20, BO_ID: 50})
        entry, account = members.ledger.history(ADA, limit=1)[0], members.account(ADA)
        assert (entry.kind, entry.points, entry.silent) == ("rebase", 0, True)
        assert (account.xp_total, account.xp_baseline, account.xp_carried) == (20, -230, 50)
        assert (account.next_reading, account.window_from) == ("continues", None)

    def test_evidence_is_one_row_a_day_with_the_first_window(self, members: Story) -> None:
        """Two rises of an account on one day leave one row of evidence, with the window of the first."""
        opens_at = members.at
        for xp in (1_001, 1_002):
            members.sync({ADA_ID: xp, BO_ID: 50})
        window = opens_at, opens_at + timedelta(minutes=15)
        account_id = members.account(ADA).account_id
        assert members.ledger.evidence(ADA, TODAY, TODAY) == [Evidence(TODAY, DISCORD, None, account_id, *window)]
        assert members.ledger.evidence(BO, TODAY, TODAY) == []

    def test_a_long_window_leaves_evidence_for_each_day(self, members: Story) -> None:
        """A rise found after an outage from Monday to Thursday is evidence for each of the four days."""
        members.at += 3 * DAY
        members.sync({ADA_ID: 1_001, BO_ID: 50})
        days = [TODAY + number * DAY for number in range(4)]
        assert [one.day for one in members.ledger.evidence(ADA, date.min, date.max)] == days
        assert [one.day for one in members.ledger.evidence(ADA, days[1], days[2])] == days[1:3]

    @pytest.mark.parametrize("meanwhile", ["an account moved", "it was posted", "another was posted"])
    def test_a_sync_stands_on_what_it_was_planned_on(self, members: Story, meanwhile: str) -> None:
        """A planned sync is a `Conflict` if an account changed or a sync was posted since, even one without moves."""
        members.at += timedelta(minutes=15)
        as_it_was = {ADA_ID: 1_000, BO_ID: 50}
        planned = members.planned(as_it_was if meanwhile == "another was posted" else {ADA_ID: 1_500, BO_ID: 500})
        if meanwhile == "an account moved":
            members.restate(BO, "left")
        elif meanwhile == "it was posted":
            members.ledger.post(planned)
        else:
            assert planned.moves == []
            members.sync(as_it_was)
        members.refuses(planned)

    @pytest.mark.parametrize("flaw", REFUSED)
    def test_what_cannot_be_is_not_written(self, members: Story, flaw: str) -> None:
        """An impossible posting is a `Conflict` and writes nothing, even if no use case would make it."""
        members.restate(BO, "left")
        members.post(members=[Member(GONE, None, MONDAY, is_forgotten=True)])
        (award,) = members.post(drafts=[BENCHMARK], streaks=[Streak(ADA, 0, TODAY, 1, 1)])
        members.at += timedelta(minutes=15)
        beside: dict[str, Any] = {
            "members": [Member(NEW, None, MONDAY)],
            "drafts": [evolve(BENCHMARK, key="benchmark:2")],
        }
        members.refuses(Posting(**{"at": members.at} | beside | REFUSED[flaw](members, award)))
        members.post(**beside)

    @pytest.mark.parametrize("kind", DRAFTS)
    def test_a_draft_comes_back_as_it_was_posted(self, members: Story, kind: str) -> None:
        """A draft's entry is the same by key, in the feed and in the history, and counts in balances and activity."""
        draft, is_active = DRAFTS[kind]
        members.at = MONDAY + 3 * DAY * is_active
        (entry,) = members.post(drafts=[draft])
        assert entry == booked(draft, entry.position, members.at)
        assert members.ledger.booking(str(draft.key)).posted == entry
        assert members.ledger.feed(after=entry.position - 1, limit=1) == [entry]
        assert members.ledger.history(ADA, limit=1) == [entry]
        standing = members.standing(ADA)
        assert (standing.points, standing.points_by_source) == (draft.points, {draft.source: draft.points})
        evidence = [Evidence(TODAY, "benchmark", entry.position)] * is_active
        assert members.ledger.evidence(ADA, TODAY, TODAY) == evidence
        assert members.ledger.day_record(TODAY).active == [Streak(ADA)] * is_active
        assert members.ledger.activity(TODAY).days == [(TODAY, [ADA])] * is_active

    def test_what_is_booked_is_decided_on_one_state(self, members: Story) -> None:
        """A booking says whether the member exists, which entry has the key, its reversal, and everyone's calendar."""
        ledger = members.ledger
        assert ledger.booking("benchmark:1", ADA) == Booking(ledger.calendar(), is_member=True)
        (award,) = members.post(drafts=[BENCHMARK])
        (back,) = members.post(drafts=[members.reversal(award)])
        members.post(excusals=[Excusal(TODAY, is_excused=True, at=MONDAY, actor="admin")])
        assert TODAY in ledger.calendar().excused
        assert ledger.booking(str(award.key), "m-nobody") == Booking(ledger.calendar(), False, award, back)  # noqa: FBT003
        assert ledger.booking("benchmark:2").posted is None

    @pytest.mark.parametrize("kind", ["an award", "a bonus"])
    def test_an_award_is_reversed_once(self, members: Story, kind: str) -> None:
        """A reversal keeps who and why, takes points and evidence back, and is a `Conflict` the second time."""
        (award,) = members.post(drafts=[DRAFTS[kind][0]])
        assert members.ledger.booking(str(award.key)).reversal is None
        draft = members.reversal(award)
        (posted,) = members.post(drafts=[draft])
        assert posted == booked(draft, posted.position, members.at)
        assert members.ledger.booking(str(award.key)).reversal == posted
        assert members.ledger.history(ADA, limit=2) == [posted, award]
        assert members.standing(ADA).points == 0
        assert members.ledger.evidence(ADA, TODAY, TODAY) == []
        members.refuses(Posting(members.at, drafts=[draft]))


class DaysContract(StoreContract):
    """What the store must keep of active, excused and settled days (R11-R15), streaks, and readings (R26)."""

    def test_a_day_knows_who_was_active(self, members: Story) -> None:
        """A day lists each active member once, by id, with the stored streak, whatever made the day active."""
        members.sync({ADA_ID: 1_030, BO_ID: 50})
        members.post(drafts=[BOS, BENCHMARK])
        assert members.ledger.day_record(TODAY).active == [Streak(ADA), Streak(BO)]
        assert members.ledger.day_record(TODAY + DAY).active == []

    def test_activity_is_of_any_kind(self, members: Story) -> None:
        """Activity lists each active member once a day, oldest day first, through the day asked for."""
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
        members.post(drafts=[members.reversal(award)])
        assert [day for day, _ in members.ledger.activity(date.max).days] == [thursday]

    def test_a_run_knows_how_many_rose_on_the_day_to_be_settled(self, members: Story) -> None:
        """The run state counts accounts whose XP rose on the next day to settle and the required day before it."""
        friday = TODAY - 3 * DAY
        members.post(drafts=[BENCHMARK])
        assert members.ledger.run_state().rises == {TODAY: 0, friday: 0}
        members.sync({ADA_ID: 1_030, BO_ID: 50})
        assert members.ledger.run_state().rises == {TODAY: 1, friday: 0}
        members.post(settlement=members.settlement())
        assert members.ledger.run_state().rises == {TODAY + DAY: 0, TODAY: 1}

    def test_a_streak_is_replaced(self, members: Story) -> None:
        """A posted streak replaces the stored one at its next version; streaks are listed by member id."""
        members.post(streaks=[Streak(ADA, 0, TODAY, 1, 1)])
        assert members.ledger.streak_of(ADA) == Streak(ADA, 1, TODAY, 1, 1)
        members.post(streaks=[Streak(BO, 0, None, 0, 0), Streak(ADA, 1, TODAY, 2, 2)])
        assert members.ledger.activity(TODAY).streaks == [Streak(ADA, 2, TODAY, 2, 2), Streak(BO, 1)]

    def test_a_day_is_settled_once(self, members: Story) -> None:
        """A day is settled once, at an exact instant; postings planned on the calendar before it are a `Conflict`."""
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
        """A settlement is a `Conflict` if the day's evidence changed after the day was read."""
        (award,) = members.post(drafts=[BENCHMARK])
        settlement = members.settlement()
        if change == "sync":
            members.sync({ADA_ID: 1_010, BO_ID: 50})
        else:
            members.post(drafts=[BOS if change == "award" else members.reversal(award)])
        members.refuses(Posting(members.at, settlement=settlement))

    def test_the_facts_hold_what_is_open(self, members: Story) -> None:
        """A member's facts list the active days after the last settled day separately."""
        members.post(settlement=members.settlement())
        members.post(drafts=[BENCHMARK, evolve(BENCHMARK, day=TODAY + DAY, key="benchmark:2")])
        members.at += DAY
        facts = members.facts(ADA)
        assert (facts.open_days, facts.calendar.settled_through) == (frozenset({TODAY + DAY}), TODAY)
        assert (facts.streak, facts.enrolled_at) == (Streak(ADA), MONDAY)

    def test_days_are_excused_and_required_again(self, members: Story) -> None:
        """Days can be excused and required again; the calendar differs after each change, even with the same days."""
        wednesday, calendars = TODAY + 2 * DAY, list[Calendar]()
        for excusal in (evolve(HOLIDAY, day=wednesday), HOLIDAY, REQUIRED, HOLIDAY):
            members.post(excusals=[excusal])
            calendars.append(members.ledger.calendar())
        both, one = {TODAY, wednesday}, {wednesday}
        assert [calendar.excused for calendar in calendars] == [one, both, one, both]
        assert calendars[1] != calendars[3]

    def test_an_excusal_sees_all_news(self, members: Story) -> None:
        """An excusal for everyone is a `Conflict` if evidence was posted after the streaks were derived."""
        revision = members.ledger.activity(TODAY).revision
        members.post(drafts=[BENCHMARK])
        assert members.ledger.activity(TODAY).revision > revision
        members.refuses(Posting(MONDAY, excusals=[HOLIDAY], revision=revision))

    def test_days_are_excused_for_one_member(self, members: Story) -> None:
        """Days excused for one member affect no one else, and each can be required again by itself (R13a)."""
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
        """A day's record lists who is excused alone and was not active; activity lists all who are excused alone."""
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
        """Excusals come oldest first, with who and why: all of them, or those for everyone and one member."""
        told = [ALONE, HOLIDAY, evolve(ALONE, member_id=BO), evolve(REQUIRED, reason="a mistake")]
        for one in told:
            members.post(excusals=[one])
        numbered = [evolve(one, number=number) for number, one in enumerate(told, 1)]
        assert members.ledger.excusals() == numbered
        assert members.ledger.excusals(ADA) == [one for one in numbered if one.member_id != BO]

    def test_changes_are_kept_with_their_cause(self, members: Story) -> None:
        """Streak changes keep their order, instant, cause and causing entry; a repair's have no day."""
        (award,) = members.post(drafts=[BENCHMARK], changes=[CHANGE])
        repaired = evolve(CHANGE, cause="repair", day=None)
        members.post(changes=[evolve(CHANGE, member_id=BO), repaired])
        first, last = members.ledger.streak_changes(ADA)
        assert evolve(first, number=0) == evolve(CHANGE, at=members.at, entry=award.position)
        assert evolve(last, number=0) == evolve(repaired, at=members.at)
        assert last.number > first.number > 0
        assert members.ledger.streak_changes(CY) == []

    def test_a_length_is_recorded_once_for_a_member(self, members: Story) -> None:
        """Each length is recorded once per member, in the order in which it was first reached."""
        for at, who, length in ((MONDAY, ADA, 4), (MONDAY, ADA, 5), (members.at, BO, 5), (members.at, ADA, 5)):
            members.post(at=at, reached=[Milestone(who, length)])
        told = members.ledger.lengths_reached({5, 10}, after=0, limit=10)
        assert [(one.member_id, one.threshold, one.at) for one in told] == [(ADA, 5, MONDAY), (BO, 5, members.at)]
        assert members.ledger.lengths_reached({5}, after=told[0].number, limit=10) == told[1:]
        assert members.ledger.lengths_reached({4, 5}, after=0, limit=1)[0].threshold == 4
        assert members.ledger.lengths_reached(frozenset(), after=0, limit=10) == []

    def test_good_syncs_are_told_with_those_around_them(self, members: Story) -> None:
        """Good syncs of a span come with the last one before and the first one after; failed syncs are not listed."""
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
        """The last XP read by the end of a day is kept, even after a fall or no change, of the account read last."""
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
        members.post(links=[Link(CY, CY_ID)])
        members.sync({ADA_ID: 1_090})
        assert members.ledger.xp_read([members.account(CY).account_id], members.at.date()) == 0

    def test_openings_and_rebases_are_told_with_the_sync_before_them(self, members: Story) -> None:
        """Openings and rebases come with the start of the good sync before them, if there was one."""
        ((opening, before),) = members.ledger.resets(ADA)
        assert (opening.kind, before) == ("opening", None)
        members.sync({ADA_ID: 1_500})
        looked_at = members.at
        members.restate(ADA, "tracked", next_reading="returns", window_from=members.at)
        members.sync({ADA_ID: 20})
        assert [(entry.kind, at) for entry, at in members.ledger.resets(ADA)][1:] == [("rebase", looked_at)]
        assert members.ledger.resets(CY) == []
