"""What a ledger promises of members, entries, evidence, days and streaks."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from attrs import evolve

from ...core.days import Calendar
from ...core.errors import Conflict
from ...core.model import DISCORD, Evidence, Link, Member, Move, XpChange
from ...core.posting import Draft, Posting, Settlement
from ...core.streaks import Streak
from .story import ADA, ADA_ID, BO, BO_ID, MONDAY, StoreContract, Story

TODAY = MONDAY.date()
NOTHING_SETTLED = Calendar(TODAY - timedelta(days=1))
BENCHMARK = Draft("award", ADA, "benchmark", 50, TODAY, MONDAY, "benchmark:1")


class MembersContract(StoreContract):
    """Where promises of activity begin."""

    @pytest.fixture
    def members(self, story: Story) -> Story:
        """Begin with two members, one of them linked and opened."""
        story.enroll(ADA, ADA_ID)
        story.enroll(BO)
        story.sync({ADA_ID: 0})
        return story


class ActivityContract(MembersContract):
    """What the store promises of awards (R8), evidence (R11), settled days (R15) and streaks (R16)."""

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
        """A second draft of the same key is `Conflict`, whatever it is, and changes nothing."""
        members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        before = members.meaning()
        for again in (BENCHMARK, evolve(BENCHMARK, kind="adjustment", member_id=BO, reason="typo", actor="admin")):
            with pytest.raises(Conflict):
                members.ledger.post(Posting(MONDAY, drafts=[again]))
        assert members.meaning() == before

    def test_only_members_are_awarded(self, members: Story) -> None:
        """A draft of somebody unknown is `Conflict`."""
        with pytest.raises(Conflict):
            members.ledger.post(Posting(MONDAY, drafts=[evolve(BENCHMARK, member_id="m-nobody")]))
        assert members.ledger.entry_of("benchmark:1") is None

    def test_an_award_is_reversed_once(self, members: Story) -> None:
        """The reversal says why and by whom, takes points and evidence back, and a second one is `Conflict`."""
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
        with pytest.raises(Conflict):
            members.ledger.post(Posting(MONDAY, drafts=[draft]))

    def test_an_adjustment_is_no_evidence(self, members: Story) -> None:
        """It moves the balance, below zero too, and makes no day active."""
        draft = Draft("adjustment", BO, "adjustment", -7, TODAY, MONDAY, "fix:1", "typo", "admin")
        members.ledger.post(Posting(MONDAY, drafts=[draft]))
        assert members.standing(BO).points == -7
        assert members.ledger.day_record(TODAY).active == []

    def test_a_day_knows_who_was_active(self, members: Story) -> None:
        """Each member once, by id, whether by Discord, by awards or by both, with the stored streak."""
        members.sync({ADA_ID: 30})
        members.ledger.post(Posting(MONDAY, drafts=[evolve(BENCHMARK, member_id=BO, key="benchmark:2"), BENCHMARK]))
        assert members.ledger.day_record(TODAY).active == [Streak(ADA), Streak(BO)]
        assert members.ledger.day_record(TODAY + timedelta(days=1)).active == []

    def test_a_run_knows_how_many_rose_on_the_day_to_be_settled(self, members: Story) -> None:
        """And on the required day before it; awards are no rises."""
        friday = TODAY - timedelta(days=3)
        members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        assert members.ledger.run_state().rises == {TODAY: 0, friday: 0}
        members.sync({ADA_ID: 30})
        assert members.ledger.run_state().rises == {TODAY: 1, friday: 0}
        record = members.ledger.day_record(TODAY)
        members.ledger.post(Posting(members.at, settlement=Settlement(TODAY, record.revision)))
        assert members.ledger.run_state().rises == {TODAY + timedelta(days=1): 0, TODAY: 1}

    def test_streaks_stand_on_their_versions(self, members: Story) -> None:
        """A streak is replaced at the version it was planned on, and at no other."""
        first = Streak(ADA, 0, TODAY, 1, 1)
        members.ledger.post(Posting(MONDAY, streaks=[first]))
        assert members.ledger.streak_of(ADA) == evolve(first, version=1)
        for version in (0, 2):
            with pytest.raises(Conflict):
                members.ledger.post(Posting(MONDAY, streaks=[evolve(first, version=version, length=2, longest=2)]))
        members.ledger.post(Posting(MONDAY, streaks=[Streak(ADA, 1, TODAY, 2, 2), Streak(BO, 0, None, 0, 0)]))
        assert members.ledger.activity(TODAY).streaks == [Streak(ADA, 2, TODAY, 2, 2), Streak(BO, 1)]

    def test_a_day_is_settled_once(self, members: Story) -> None:
        """Settling moves the calendar on, and what was planned on the calendar before is `Conflict`."""
        calendar = members.ledger.calendar()
        assert calendar == NOTHING_SETTLED
        revision = members.ledger.day_record(TODAY).revision
        settled = Posting(members.at, calendar=calendar, settlement=Settlement(TODAY, revision))
        members.ledger.post(settled)
        assert members.ledger.calendar().settled_through == TODAY
        assert members.ledger.run_state().sync.seen_at == members.at
        for stale in (settled, Posting(MONDAY, drafts=[BENCHMARK], calendar=calendar)):
            with pytest.raises(Conflict):
                members.ledger.post(stale)

    @pytest.mark.parametrize("change", ["award", "reversal", "sync"])
    def test_a_settlement_sees_what_came_or_went(self, members: Story, change: str) -> None:
        """Evidence that changed since the day was read makes the settlement `Conflict`."""
        (award,) = members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        record = members.ledger.day_record(TODAY)
        if change == "award":
            members.ledger.post(Posting(MONDAY, drafts=[evolve(BENCHMARK, member_id=BO, key="benchmark:2")]))
        elif change == "reversal":
            gone = evolve(BENCHMARK, kind="reversal", points=-50, key=None, reverses=award.position)
            members.ledger.post(Posting(MONDAY, drafts=[gone]))
        else:
            members.sync({ADA_ID: 10})
        with pytest.raises(Conflict):
            members.ledger.post(Posting(members.at, settlement=Settlement(TODAY, record.revision)))
        assert members.ledger.calendar() == NOTHING_SETTLED

    def test_the_facts_hold_what_is_open(self, members: Story) -> None:
        """Active days after the last settled one are told apart from what is decided."""
        members.ledger.post(Posting(MONDAY, settlement=Settlement(TODAY, members.ledger.day_record(TODAY).revision)))
        tuesday = TODAY + timedelta(days=1)
        members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK, evolve(BENCHMARK, day=tuesday, key="benchmark:2")]))
        facts = members.ledger.facts(ADA, tuesday)
        assert facts is not None
        assert (facts.open_days, facts.calendar.settled_through, facts.streak) == (
            frozenset({tuesday}),
            TODAY,
            Streak(ADA),
        )

    def test_days_before_the_first_enrollment_count_as_settled(self, story: Story) -> None:
        """Nothing is required of them, and evidence for them is late; whether anyone is tracked is known."""
        assert story.ledger.calendar() == Calendar()
        assert not story.ledger.run_state().tracks_anyone
        story.enroll(ADA)
        story.at += timedelta(days=3)
        story.enroll(BO, BO_ID)
        assert story.ledger.calendar() == NOTHING_SETTLED
        assert story.ledger.run_state().tracks_anyone
        story.restate(BO, "left")
        assert not story.ledger.run_state().tracks_anyone

    def test_who_is_forgotten_leaves_no_name_and_no_id(self, members: Story) -> None:
        """Name and Discord ids give way to a tombstone, also those of accounts unlinked before (R9)."""
        members.restate(ADA, "unlinked")
        member = members.ledger.member(ADA)
        assert member is not None
        members.ledger.post(Posting(MONDAY, members=[evolve(member, name=None, is_forgotten=True)]))
        assert ADA_ID not in repr(members.meaning())
        assert members.ledger.holder_of(ADA_ID) is None
        assert [entry.kind for entry in members.ledger.history(ADA, limit=5)] == ["opening"]


class FactsContract(StoreContract):
    """What the store knows of members and their links (R1, R2, R7)."""

    def test_an_empty_store_knows_nobody(self, story: Story) -> None:
        """An unknown member, account or holder is None, not an error."""
        assert story.ledger.member(ADA) is None
        assert story.ledger.account_of(ADA) is None
        assert story.ledger.holder_of(ADA_ID) is None
        assert story.ledger.accounts_to_sync() == []

    def test_a_member_is_kept_as_enrolled(self, story: Story) -> None:
        """Id, name and instant of a member come back as they were given, any Unicode included."""
        story.enroll(ADA, name="Ada 雪\u202e👍")
        assert story.ledger.member(ADA) == Member(ADA, "Ada 雪\u202e👍", MONDAY, version=1)

    def test_a_new_name_is_an_update(self, story: Story) -> None:
        """A member is replaced at the version it was read at, and at no other; the link stays."""
        story.enroll(ADA, ADA_ID, name="Ada")
        renamed = Member(ADA, "Ada L.", MONDAY, version=1)
        story.ledger.post(Posting(MONDAY, members=[renamed]))
        assert story.ledger.member(ADA) == evolve(renamed, version=2)
        assert story.account(ADA).discord_id == ADA_ID
        with pytest.raises(Conflict):
            story.ledger.post(Posting(MONDAY, members=[renamed]))

    def test_a_new_account_waits_for_its_opening(self, story: Story) -> None:
        """A link opens an account that waits, without points or XP."""
        story.enroll(ADA, ADA_ID)
        account = story.account(ADA)
        assert (account.status, account.next_reading) == ("waiting", "opens")
        assert story.ledger.holder_of(ADA_ID) == account
        assert story.ledger.accounts_to_sync() == [account]

    def test_a_discord_id_belongs_to_one_member(self, story: Story) -> None:
        """A second link of the same id is `Conflict`, and the member it came with is not enrolled either."""
        story.enroll(ADA, ADA_ID)
        with pytest.raises(Conflict):
            story.enroll(BO, ADA_ID)
        assert story.ledger.member(BO) is None

    def test_a_member_has_one_link(self, story: Story) -> None:
        """A second link of the same member is `Conflict`."""
        story.enroll(ADA, ADA_ID)
        with pytest.raises(Conflict):
            story.ledger.post(Posting(MONDAY, links=[Link(ADA, BO_ID)]))
        assert story.account(ADA).discord_id == ADA_ID

    def test_links_of_one_posting_must_not_collide(self, story: Story) -> None:
        """Two links of the same id in one posting are refused together."""
        story.enroll(ADA)
        story.enroll(BO)
        with pytest.raises(Conflict):
            story.ledger.post(Posting(MONDAY, links=[Link(ADA, ADA_ID), Link(BO, ADA_ID)]))
        assert story.ledger.accounts_to_sync() == []

    def test_only_a_member_can_be_linked(self, story: Story) -> None:
        """A link of somebody unknown, or forgotten, is `Conflict`."""
        with pytest.raises(Conflict):
            story.ledger.post(Posting(MONDAY, links=[Link(ADA, ADA_ID)]))
        story.ledger.post(Posting(MONDAY, members=[Member(ADA, None, MONDAY, is_forgotten=True)]))
        with pytest.raises(Conflict):
            story.ledger.post(Posting(MONDAY, links=[Link(ADA, ADA_ID)]))

    def test_unlinking_frees_both_sides(self, story: Story) -> None:
        """After an unlink the id can go to another member and the member take another id, as new accounts."""
        story.enroll(ADA, ADA_ID)
        first = story.account(ADA)
        story.restate(ADA, "unlinked")
        assert story.ledger.account_of(ADA) is None
        assert story.ledger.accounts_to_sync() == []
        story.enroll(BO, ADA_ID)
        story.ledger.post(Posting(MONDAY, links=[Link(ADA, BO_ID)]))
        assert story.account(BO).account_id != first.account_id
        assert story.account(ADA).status == "waiting"

    def test_who_left_is_not_synced_but_keeps_the_link(self, story: Story) -> None:
        """A left account holds its id and its XP, and no sync looks for it."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 500})
        story.restate(ADA, "left")
        assert story.ledger.accounts_to_sync() == []
        assert story.account(ADA).xp_total == 500
        with pytest.raises(Conflict):
            story.enroll(BO, ADA_ID)

    def test_accounts_come_in_the_order_of_their_ids(self, story: Story) -> None:
        """The accounts of a sync are ordered, so that the same board always posts the same way."""
        for number in range(20):
            story.enroll(f"m-{number}", str(90 - number))
        ids = [account.account_id for account in story.ledger.accounts_to_sync()]
        assert ids == sorted(ids)
        assert len(ids) == 20

    def test_a_window_of_its_own_is_kept(self, story: Story) -> None:
        """Where an account's window begins on its own comes back to the microsecond."""
        story.enroll(ADA, ADA_ID)
        begins = MONDAY.replace(microsecond=123456)
        story.restate(ADA, "tracked", next_reading="returns", window_from=begins)
        assert story.account(ADA).window_from == begins


class PostingContract(StoreContract):
    """What a posting does to entries, balances, accounts and evidence (R9, R11, R19)."""

    @pytest.fixture
    def pair(self, story: Story) -> Story:
        """Begin with two members, linked and opened at 1,000 and 50 XP."""
        story.enroll(ADA, ADA_ID, "Ada")
        story.enroll(BO, BO_ID, "Bo")
        story.sync({ADA_ID: 1_000, BO_ID: 50})
        return story

    def test_an_opening_is_a_silent_entry_of_no_points(self, pair: Story) -> None:
        """The opening says at which XP counting begins, and has nothing before it."""
        (entry,) = pair.ledger.history(ADA, limit=10)
        assert (entry.kind, entry.source, entry.points, entry.silent) == ("opening", "discord", 0, True)
        assert entry.xp == XpChange(pair.account(ADA).account_id, None, 1_000, None, 1_000)

    def test_a_gain_pays_and_is_told(self, pair: Story) -> None:
        """A rise of 250 XP is an entry of 2 points, not silent, and 50 XP are carried."""
        pair.sync({ADA_ID: 1_250, BO_ID: 50})
        entry = pair.ledger.history(ADA, limit=1)[0]
        assert (entry.kind, entry.points, entry.silent, entry.day, entry.at) == (
            "gain",
            2,
            False,
            pair.at.date(),
            pair.at,
        )
        assert entry.xp is not None
        assert (entry.xp.xp_before, entry.xp.xp_after, entry.xp.carried_after) == (1_000, 1_250, 50)

    def test_a_change_short_of_a_point_posts_no_entry(self, pair: Story) -> None:
        """A rise that the floor swallows moves the account and leaves the ledger alone."""
        pair.sync({ADA_ID: 1_090, BO_ID: 50})
        assert len(pair.ledger.history(ADA, limit=10)) == 1
        assert (pair.account(ADA).xp_total, pair.account(ADA).xp_posted) == (1_090, 1_000)

    def test_each_line_follows_from_the_one_above(self, pair: Story) -> None:
        """An entry begins where the account's last one ended, whatever was read in between."""
        for xp in (1_030, 1_080, 1_130, 1_131, 900, 905, 2_000):
            pair.sync({ADA_ID: xp, BO_ID: 50})
        lines = [entry for entry in reversed(pair.ledger.history(ADA, limit=50)) if entry.xp is not None]
        assert [line.points for line in lines] == [0, 1, -2, 11]
        for above, line in pairwise(lines):
            assert above.xp is not None
            assert line.xp is not None
            assert (line.xp.xp_before, line.xp.baseline_before) == (above.xp.xp_after, above.xp.baseline_after)
            assert line.xp.carried_before == above.xp.carried_after

    def test_balances_are_the_sums_of_entries(self, pair: Story) -> None:
        """Points go below zero and back as the entries say."""
        for xp in (1_500, 300, 320, 5_000, 4_999):
            pair.sync({ADA_ID: xp, BO_ID: 50})
            standing = pair.standing(ADA)
            assert standing.points == sum(entry.points for entry in pair.ledger.history(ADA, limit=50))
            assert standing.points == (xp - 1_000) // 100

    def test_a_rebase_keeps_the_points(self, pair: Story) -> None:
        """A rebase moves baseline and XP together and posts a silent entry of no points."""
        pair.sync({ADA_ID: 1_250, BO_ID: 50})
        pair.restate(ADA, "tracked", next_reading="returns", window_from=pair.at)
        pair.sync({ADA_ID: 20, BO_ID: 50})
        entry = pair.ledger.history(ADA, limit=1)[0]
        assert (entry.kind, entry.points, entry.silent) == ("rebase", 0, True)
        account = pair.account(ADA)
        assert (account.xp_total, account.xp_baseline, account.xp_carried) == (20, -230, 50)
        assert (account.next_reading, account.window_from) == ("continues", None)

    def test_evidence_is_one_row_a_day_with_the_first_window(self, pair: Story) -> None:
        """A second rise on the same day adds no second row."""
        opens_at = pair.at
        pair.sync({ADA_ID: 1_001, BO_ID: 50})
        closes_at = pair.at
        pair.sync({ADA_ID: 1_002, BO_ID: 50})
        monday = MONDAY.date()
        account_id = pair.account(ADA).account_id
        assert pair.ledger.evidence(ADA, monday, monday) == [
            Evidence(monday, DISCORD, None, account_id, opens_at, closes_at)
        ]
        assert pair.ledger.evidence(BO, monday, monday) == []

    def test_a_long_window_leaves_evidence_for_each_day(self, pair: Story) -> None:
        """After an outage from Monday to Thursday the doubt is the member's benefit."""
        pair.at += timedelta(days=3)
        pair.sync({ADA_ID: 1_001, BO_ID: 50})
        days = [one.day for one in pair.ledger.evidence(ADA, date.min, date.max)]
        assert days == [date(2026, 3, number) for number in (2, 3, 4, 5)]
        assert pair.ledger.evidence(ADA, date(2026, 3, 3), date(2026, 3, 4))[0].day == date(2026, 3, 3)

    def test_a_posting_stands_on_the_versions_it_was_planned_on(self, pair: Story) -> None:
        """If one account moved meanwhile nothing of the posting is written, not even for the others."""
        pair.at += timedelta(minutes=15)
        planned = pair.planned({ADA_ID: 1_500, BO_ID: 500})
        pair.restate(BO, "left")
        before = pair.meaning()
        with pytest.raises(Conflict):
            pair.ledger.post(planned)
        assert pair.meaning() == before

    def test_the_same_posting_twice_is_moved(self, pair: Story) -> None:
        """What was posted once cannot be posted again."""
        pair.at += timedelta(minutes=15)
        planned = pair.planned({ADA_ID: 1_500, BO_ID: 50})
        pair.ledger.post(planned)
        before = pair.meaning()
        with pytest.raises(Conflict):
            pair.ledger.post(planned)
        assert pair.meaning() == before

    def test_a_sync_stands_on_the_sync_it_followed(self, pair: Story) -> None:
        """A sync that changes nothing is `Conflict` too if another was posted since it was planned."""
        pair.at += timedelta(minutes=15)
        idle = pair.planned({ADA_ID: 1_000, BO_ID: 50})
        assert idle.moves == []
        pair.sync({ADA_ID: 1_000, BO_ID: 50})
        with pytest.raises(Conflict):
            pair.ledger.post(idle)

    def test_a_failed_posting_leaves_nothing_behind(self, pair: Story) -> None:
        """Members, moves and the run fall with the link that cannot be made."""
        pair.at += timedelta(minutes=15)
        planned = pair.planned({ADA_ID: 1_500, BO_ID: 500})
        before = pair.meaning()
        with pytest.raises(Conflict):
            pair.ledger.post(evolve(planned, members=[Member("m-new", None, MONDAY)], links=[Link("m-new", ADA_ID)]))
        assert pair.meaning() == before
        assert pair.ledger.member("m-new") is None

    def test_moves_free_the_ids_that_links_take(self, pair: Story) -> None:
        """One posting can unlink an id and link it to somebody else."""
        move = Move.of_status(pair.account(ADA), "unlinked", "continues")
        other = Move.of_status(pair.account(BO), "unlinked", "continues")
        pair.ledger.post(Posting(pair.at, moves=[move, other], links=[Link(BO, ADA_ID)]))
        assert pair.account(BO).discord_id == ADA_ID

    def test_large_numbers_are_exact(self, pair: Story) -> None:
        """XP up to 2**53, the most a board can show, is kept to the last unit."""
        pair.sync({ADA_ID: 2**53, BO_ID: 50})
        assert pair.account(ADA).xp_total == 2**53
        standing = pair.standing(ADA)
        assert standing.points == (2**53 - 1_000) // 100
