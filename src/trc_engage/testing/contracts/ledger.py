"""What a ledger promises of postings: entries, balances, accounts, evidence, and what it refuses to write."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve

from ...core.days import Calendar
from ...core.model import DISCORD, Entry, Evidence, Link, Member, Move, XpChange
from ...core.posting import Booking, Posting, Settlement, booked, drafted
from ...core.records import Excusal, MembershipEvent
from ...core.reports import StreakChange
from ...core.streaks import Milestone, Streak
from .story import (
    ADA,
    ADA_ID,
    BENCHMARK,
    BO,
    BO_ID,
    CY,
    CY_ID,
    DAY,
    MONDAY,
    NOBODY,
    TODAY,
    StoreContract,
    Story,
    reversal,
)

NEW, GONE = "m-new", "m-gone"


DRAFTS: Mapping[str, tuple[Entry, bool]] = {
    "an award": (BENCHMARK, True),
    "a bonus": (evolve(BENCHMARK, counts_as_activity=False, actor="app"), False),
    "an adjustment": (
        drafted("adjustment", ADA, "adjustment", -70, TODAY, MONDAY, "fix:1", "a typo 雪", "admin-7"),
        False,
    ),
}
"""What is booked by hand, and whether it makes a day active (R8, R17a)."""

Refused = Callable[[Story, Entry], dict[str, Any]]
EVENT = MembershipEvent(0, CY, "shown", MONDAY)
EXCUSAL = Excusal(TODAY, True, MONDAY, "admin")  # noqa: FBT003
REFUSED: dict[str, Refused] = {
    "a key that is used": lambda *_: {"drafts": [BENCHMARK]},
    "such a key for something else": lambda *_: {
        "drafts": [evolve(BENCHMARK, kind="adjustment", member_id=BO, reason="typo", actor="admin")]
    },
    "a key twice": lambda *_: {"drafts": [evolve(BENCHMARK, key="benchmark:9")] * 2},
    "an award of nobody": lambda *_: {"drafts": [evolve(BENCHMARK, member_id=NOBODY, key="benchmark:9")]},
    "no award's reversal": lambda _, award: {"drafts": [reversal(award, reverses=999)]},
    "a reversal twice": lambda _, award: {"drafts": [reversal(award)] * 2},
    "a member twice": lambda *_: {"members": [Member(NEW, None, MONDAY), Member(NEW, "New", MONDAY)]},
    "an older member": lambda story, _: {"members": [evolve(story.member(ADA), version=0)]},
    "a newer member": lambda story, _: {"members": [evolve(story.member(ADA), version=2)]},
    "an older streak": lambda *_: {"streaks": [Streak(ADA, 0, TODAY, 2, 2)]},
    "a newer streak": lambda *_: {"streaks": [Streak(ADA, 2, TODAY, 2, 2)]},
    "a streak twice": lambda *_: {"streaks": [Streak(BO, 0, TODAY, 1, 1), Streak(BO, 1, TODAY, 1, 1)]},
    "nobody's streak": lambda *_: {"streaks": [Streak(NOBODY, 0, TODAY, 1, 1)]},
    "nobody's change": lambda *_: {"changes": [StreakChange(NOBODY, 0, 2, 1, 2, "award", TODAY)]},
    "nobody's length": lambda *_: {"reached": [Milestone(NOBODY, 1)]},
    "an id that is linked": lambda *_: {"links": [Link(NEW, ADA_ID)]},
    "an id of whoever left": lambda *_: {"links": [Link(NEW, BO_ID)]},
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
    "nobody's excusal": lambda *_: {"excusals": [evolve(EXCUSAL, member_id=NOBODY)]},
    "an excusal twice": lambda *_: {"excusals": [EXCUSAL, EXCUSAL]},
    "excusals upon older news": lambda story, _: {
        "excusals": [EXCUSAL],
        "revision": story.ledger.activity(TODAY).revision - 1,
    },
    "a draft on another calendar": lambda *_: {
        "drafts": [evolve(BENCHMARK, key="benchmark:9")],
        "calendar": Calendar(TODAY),
    },
    "a settlement upon older news": lambda story, _: {
        "settlement": Settlement(TODAY, story.settlement().revision - 1),
    },
}


def _left(story: Story, **account: Any) -> Move:
    return Move.of_status(evolve(story.account(ADA), **account), "left", "opens")


class PostingContract(StoreContract):
    """What a posting does to entries, balances, accounts and evidence (R8, R9, R11, R19), and what is `Conflict`."""

    def test_an_opening_is_a_silent_entry_of_no_points(self, members: Story) -> None:
        """The opening says at which XP counting begins, and has nothing before it."""
        (entry,) = members.ledger.history(ADA, limit=10)
        assert (entry.kind, entry.source, entry.points, entry.silent) == ("opening", "discord", 0, True)
        assert entry.xp == XpChange(members.account(ADA).account_id, None, 1_000, None, 1_000)

    def test_a_change_short_of_a_point_posts_no_entry(self, members: Story) -> None:
        """A rise that the floor swallows moves the account and leaves the ledger alone, until the next one pays."""
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
        """An entry begins where the account's last one ended, whatever was read in between; points go below zero."""
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
        """A second rise on the same day adds no second row."""
        opens_at = members.at
        for xp in (1_001, 1_002):
            members.sync({ADA_ID: xp, BO_ID: 50})
        window = opens_at, opens_at + timedelta(minutes=15)
        account_id = members.account(ADA).account_id
        assert members.ledger.evidence(ADA, TODAY, TODAY) == [Evidence(TODAY, DISCORD, None, account_id, *window)]
        assert members.ledger.evidence(BO, TODAY, TODAY) == []

    def test_a_long_window_leaves_evidence_for_each_day(self, members: Story) -> None:
        """After an outage from Monday to Thursday the doubt is the member's benefit."""
        members.at += 3 * DAY
        members.sync({ADA_ID: 1_001, BO_ID: 50})
        days = [TODAY + number * DAY for number in range(4)]
        assert [one.day for one in members.ledger.evidence(ADA, date.min, date.max)] == days
        assert [one.day for one in members.ledger.evidence(ADA, days[1], days[2])] == days[1:3]

    @pytest.mark.parametrize("meanwhile", ["an account moved", "it was posted", "another was posted"])
    def test_a_sync_stands_on_what_it_was_planned_on(self, members: Story, meanwhile: str) -> None:
        """Nothing of it is written if one account moved, or if it or another was posted, though it changes nothing."""
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
        """Nor is anything that was posted with it, also where no use case makes such a posting."""
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
        """As the entry that it became, found by its key, fed and counted, with who said why, and when it was booked."""
        draft, is_active = DRAFTS[kind]
        members.at = MONDAY + 3 * DAY * is_active
        (entry,) = members.post(drafts=[draft])
        assert entry == booked(draft, entry.position, members.at)
        assert members.ledger.booking(str(draft.key)).posted == entry
        assert members.ledger.feed(after=entry.position - 1, limit=1) == [entry]
        assert members.ledger.history(ADA, limit=1) == [entry]
        assert members.standing(ADA).points == members.standing(ADA).points_by_source[draft.source] == draft.points
        evidence = [Evidence(TODAY, "benchmark", entry.position)] * is_active
        assert members.ledger.evidence(ADA, TODAY, TODAY) == evidence
        assert members.ledger.day_record(TODAY).active == [Streak(ADA)] * is_active
        assert members.ledger.activity(TODAY).days == [(TODAY, [ADA])] * is_active

    def test_what_is_booked_is_decided_on_one_state(self, members: Story) -> None:
        """Whether the member is there, what has the key and what took it back, and everybody's calendar."""
        ledger = members.ledger
        assert ledger.booking("benchmark:1", ADA) == Booking(ledger.calendar(), is_member=True)
        (award,) = members.post(drafts=[BENCHMARK])
        (back,) = members.post(drafts=[reversal(award)])
        members.post(excusals=[Excusal(TODAY, is_excused=True, at=MONDAY, actor="admin")])
        assert TODAY in ledger.calendar().excused
        assert ledger.booking(str(award.key), "m-nobody") == Booking(ledger.calendar(), False, award, back)  # noqa: FBT003
        assert ledger.booking("benchmark:2").posted is None

    @pytest.mark.parametrize("kind", ["an award", "a bonus"])
    def test_an_award_is_reversed_once(self, members: Story, kind: str) -> None:
        """The reversal says why and by whom, takes points and evidence back, and a second one is `Conflict`."""
        (award,) = members.post(drafts=[DRAFTS[kind][0]])
        assert members.ledger.booking(str(award.key)).reversal is None
        draft = reversal(award)
        (posted,) = members.post(drafts=[draft])
        assert posted == booked(draft, posted.position, members.at)
        assert members.ledger.booking(str(award.key)).reversal == posted
        assert members.ledger.history(ADA, limit=2) == [posted, award]
        assert members.standing(ADA).points == 0
        assert members.ledger.evidence(ADA, TODAY, TODAY) == []
        members.refuses(Posting(members.at, drafts=[draft]))
