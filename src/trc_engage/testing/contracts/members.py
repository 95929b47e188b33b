"""The ledger contract for members: links, events (R26) and accounts never seen (R31)."""

from datetime import timedelta

import pytest
from attrs import evolve

from ...core.days import Calendar
from ...core.model import Link, Member, Move
from ...core.posting import Posting, SyncState
from ...core.records import Excusal, MembershipEvent
from ...core.reports import StreakChange
from ...core.streaks import Milestone, Streak
from .story import ADA, ADA_ID, BO, BO_ID, CY, CY_ID, DAY, LATER, MONDAY, TODAY, StoreContract, Story

LEFT = MembershipEvent(0, ADA, "left", MONDAY, "admin-7", "a move 雪", "said on the phone", 1, "continues", LATER)
NEVER_SETTLED = Calendar(TODAY - DAY)
CROWD, MIDDLE = 300, 150
IDS = [f"m-{number:03}" for number in range(CROWD)]
MEMBERS = [Member(member_id, f"Member {member_id}\t\\N\n", MONDAY) for member_id in IDS]
LINKS = [Link(member_id, str(10**17 + number)) for number, member_id in enumerate(IDS)]


class MembersContract(StoreContract):
    """What the store must keep of members, links (R1, R2, R7) and events, also for hundreds at once (R19)."""

    def test_an_empty_store_knows_nobody_and_has_no_past(self, story: Story) -> None:
        """An empty store answers None or nothing about what it does not know, and raises no error."""
        ledger, tally = story.ledger, story.ledger.tally()
        one = ledger.member(ADA), ledger.account_of(ADA), ledger.holder_of(ADA_ID), ledger.facts(ADA, TODAY)
        past = ledger.run_state().last_slot, ledger.run_state(MONDAY).slot_end(MONDAY), ledger.next_request_at("run")
        assert {*one, *past} == {None}
        several = ledger.accounts_to_sync(), ledger.history(ADA, limit=10), ledger.activity(TODAY).days
        assert [*map(list, several)] == [[]] * 3
        assert (tally.members, dict(tally.accounts), tally.entries) == (0, {}, 0)
        assert (ledger.run_state().sync, ledger.run_state().tracks_anyone) == (SyncState(), False)
        assert ledger.calendar() == Calendar()

    def test_a_member_is_kept_as_enrolled_and_as_changed(self, story: Story) -> None:
        """A member's id, name and instant come back as given, in any Unicode, and a new name keeps the link."""
        story.enroll(ADA, ADA_ID, "Ada 雪\u202e👍")
        enrolled = Member(ADA, "Ada 雪\u202e👍", MONDAY, version=1)
        assert story.ledger.member(ADA) == enrolled
        story.change(ADA, name="Ada L.")
        assert story.ledger.member(ADA) == evolve(enrolled, name="Ada L.", version=2)
        assert story.account(ADA).discord_id == ADA_ID

    def test_a_new_account_waits_for_its_opening(self, story: Story) -> None:
        """A new link makes an account that waits for its opening and is synced."""
        story.enroll(ADA, ADA_ID)
        account = story.account(ADA)
        assert (account.status, account.next_reading) == ("waiting", "opens")
        assert story.ledger.holder_of(ADA_ID) == account
        assert story.ledger.accounts_to_sync() == [account]

    def test_unlinking_frees_both_sides(self, story: Story) -> None:
        """After an unlink, the id and the member can both be linked again, as new accounts."""
        story.enroll(ADA, ADA_ID)
        first = story.account(ADA)
        story.restate(ADA, "unlinked")
        assert story.ledger.account_of(ADA) is None
        assert story.ledger.accounts_to_sync() == []
        story.enroll(BO, ADA_ID)
        story.post(links=[Link(ADA, BO_ID)])
        assert story.account(BO).account_id != first.account_id
        assert story.account(ADA).status == "waiting"

    def test_moves_free_the_ids_that_links_take(self, members: Story) -> None:
        """One posting can unlink an id and link it to another member."""
        moves = [Move.of_status(members.account(who), "unlinked", "continues") for who in (ADA, BO)]
        members.post(moves=moves, links=[Link(BO, ADA_ID)])
        assert members.account(BO).discord_id == ADA_ID

    def test_who_left_is_not_synced_but_keeps_the_link(self, members: Story) -> None:
        """The account of a member who left keeps its id and XP, and no sync looks for it."""
        members.restate(ADA, "left")
        assert [account.member_id for account in members.ledger.accounts_to_sync()] == [BO]
        assert members.account(ADA).xp_total == 1_000
        members.enroll("m-dee", CY_ID)
        members.restate(BO, "unlinked")
        assert [account.member_id for account in members.ledger.linked_accounts()] == [ADA, "m-dee"]

    def test_a_window_of_its_own_is_kept(self, members: Story) -> None:
        """An account's own start of its window comes back to the microsecond."""
        members.restate(ADA, "tracked", next_reading="returns", window_from=LATER)
        assert members.account(ADA).window_from == LATER

    def test_days_before_the_first_enrollment_count_as_settled(self, story: Story) -> None:
        """Days before the first enrollment count as settled; the run state knows whether anyone is tracked."""
        story.enroll(ADA)
        story.at += timedelta(days=3)
        story.enroll(BO, BO_ID)
        assert story.ledger.calendar() == NEVER_SETTLED
        assert story.ledger.run_state().tracks_anyone
        story.restate(BO, "left")
        assert not story.ledger.run_state().tracks_anyone

    def test_whom_no_board_ever_showed_is_known(self, story: Story) -> None:
        """Linked members whom no board ever showed are listed, even if they left; those once on a board are not."""
        story.enroll(ADA, ADA_ID)
        story.enroll(CY, CY_ID)
        story.sync({CY_ID: 500})
        assert (list(story.ledger.never_seen()), story.ledger.tally().never_seen) == ([ADA], 1)
        story.restate(ADA, "left")
        story.restate(CY, "tracked", next_reading="rebases")
        story.sync({})
        assert story.account(CY).may_be_unseen
        assert list(story.ledger.never_seen()) == [ADA]
        story.restate(ADA, "unlinked")
        assert list(story.ledger.never_seen()) == []

    def test_since_when_nobody_was_seen_is_known(self, story: Story) -> None:
        """`unseen_since` is when the third account was linked, while none that syncs look for was ever on a board."""
        linked = (ADA, ADA_ID), (CY, CY_ID), (BO, BO_ID), ("m-dee", "80351110224678999")
        story.enroll(BO)
        for number, (member_id, discord_id) in enumerate(linked):
            assert story.ledger.run_state().unseen_since == (MONDAY + 2 * DAY if number > 2 else None)
            if member_id == BO:
                story.post(links=[Link(BO, BO_ID)])
            else:
                story.enroll(member_id, discord_id)
            story.at += DAY
        story.sync({})
        assert story.ledger.run_state().unseen_since == MONDAY + 2 * DAY
        story.sync({CY_ID: 1})
        assert story.ledger.run_state().unseen_since is None
        story.restate(CY, "left")
        assert story.ledger.run_state().unseen_since == MONDAY + 3 * DAY

    def test_an_event_comes_back_as_it_was_posted(self, members: Story) -> None:
        """An event comes back as posted, with its number, texts and exact instants, and what a leave kept."""
        bare = MembershipEvent(0, BO, "hidden", MONDAY)
        members.post(events=[LEFT, bare])
        assert list(members.ledger.events(ADA)) == [evolve(LEFT, number=1)]
        assert list(members.ledger.events(BO)) == [evolve(bare, number=2)]
        assert list(members.ledger.events("m-nobody")) == []

    def test_a_link_is_recorded_with_the_account_that_it_opens(self, members: Story) -> None:
        """The event of a link comes back with the id that the store gave the new account."""
        members.post(links=[Link(CY, CY_ID)], events=[MembershipEvent(0, CY, "linked", MONDAY)])
        (kept,) = members.ledger.events(CY)
        assert kept.account_id == members.account(CY).account_id

    def test_events_of_everybody_come_in_pages(self, members: Story) -> None:
        """Events come oldest first, above a number, of one member or of everyone."""
        for kind in ("hidden", "shown", "hidden"):
            members.post(events=[MembershipEvent(0, who, kind, MONDAY) for who in (ADA, BO)])
        events = members.ledger.events
        assert [event.number for event in events(None)] == [1, 2, 3, 4, 5, 6]
        assert [(event.number, event.member_id) for event in events(None, after=2, limit=2)] == [(3, ADA), (4, BO)]
        assert [event.number for event in events(BO, after=2, limit=9)] == [4, 6]

    def test_who_is_forgotten_leaves_no_name_no_id_and_no_texts(self, members: Story) -> None:
        """Forgetting erases a member's name, ids and texts, but not excused days or its own texts (R9, R13a)."""
        others, gone = evolve(LEFT, member_id=BO), evolve(LEFT, kind="forgotten", next_reading=None, window_from=None)
        ill = Excusal(TODAY, True, MONDAY, "admin", "ill", "a call", ADA)  # noqa: FBT003
        holiday, other = evolve(ill, member_id=None, note=None), evolve(ill, member_id=BO)
        members.post(events=[LEFT, others], excusals=[ill, holiday, other])
        members.restate(ADA, "unlinked")
        members.post(members=[members.member(ADA).forgotten()], events=[gone])
        assert list(members.ledger.events(ADA)) == [evolve(LEFT.forgotten(), number=1), evolve(gone, number=3)]
        assert list(members.ledger.events(BO)) == [evolve(others, number=2)]
        assert members.ledger.excusals() == [
            evolve(one, number=number) for number, one in enumerate([ill.forgotten(), holiday, other], 1)
        ]
        meaning = repr(members.meaning())
        assert ADA_ID not in meaning
        assert "👍" not in meaning
        assert members.ledger.holder_of(ADA_ID) is None
        assert [entry.kind for entry in members.ledger.history(ADA, limit=5)] == ["opening"]

    @pytest.fixture
    def crowd(self, story: Story) -> Story:
        """Enroll and link everyone in one posting."""
        story.post(members=MEMBERS, links=LINKS)
        return story

    def test_everyone_is_taken_in_and_brought_up_to_date(self, crowd: Story) -> None:
        """Hundreds of members, links and streaks can be posted at once, and replaced at once."""
        assert [crowd.ledger.member(member.member_id) for member in MEMBERS] == [
            evolve(member, version=1) for member in MEMBERS
        ]
        accounts = crowd.ledger.accounts_to_sync()
        assert [(account.member_id, account.discord_id, account.status) for account in accounts] == [
            (link.member_id, link.discord_id, "waiting") for link in LINKS
        ]
        assert [account.account_id for account in accounts] == sorted(account.account_id for account in accounts)
        streaks = [Streak(member_id, 0, TODAY if number else None, number) for number, member_id in enumerate(IDS)]
        for version in (0, 1):
            streaks = [evolve(streak, version=version, longest=streak.length + version) for streak in streaks]
            crowd.post(streaks=streaks)
            assert crowd.ledger.activity(TODAY).streaks == [evolve(one, version=version + 1) for one in streaks]
        crowd.post(members=[evolve(member, name=None, version=1) for member in MEMBERS])
        assert {standing.name for standing in crowd.ledger.members()} == {None}

    def test_what_changed_for_everyone_is_kept(self, crowd: Story) -> None:
        """One posting can change hundreds of streaks: every change is kept, and each length once (R16, R17a)."""
        changes = [StreakChange(member_id, 0, 2, 1, 2, "excused", TODAY) for member_id in IDS]
        for _ in range(2):
            crowd.post(changes=changes, reached=[Milestone(member_id, 2) for member_id in IDS])
        assert {len(crowd.ledger.streak_changes(member_id)) for member_id in IDS} == {2}
        told = crowd.ledger.lengths_reached({2}, after=0, limit=2 * CROWD)
        assert [one.member_id for one in told] == IDS

    @pytest.mark.parametrize("version", [0, 2])
    def test_one_that_moved_undoes_all(self, crowd: Story, version: int) -> None:
        """One streak or member at another version makes a posting of hundreds a `Conflict`."""
        crowd.post(streaks=[Streak(member_id, 0, TODAY, 1, 1) for member_id in IDS])
        streaks = [Streak(member_id, 1, TODAY, 2, 2) for member_id in IDS]
        members = [evolve(member, name="Another", version=1) for member in MEMBERS]
        streaks[MIDDLE] = evolve(streaks[MIDDLE], version=version)
        members[MIDDLE] = evolve(members[MIDDLE], version=version)
        crowd.refuses(Posting(MONDAY, streaks=streaks), Posting(MONDAY, members=members))

    @pytest.mark.parametrize("flaw", ["unknown", "forgotten", "id taken", "member taken"])
    def test_one_link_that_cannot_be_undoes_all(self, crowd: Story, flaw: str) -> None:
        """One link that is impossible or taken makes a posting of hundreds a `Conflict`."""
        newcomers = [Member(f"n-{number:03}", None, MONDAY) for number in range(CROWD)]
        newcomers[MIDDLE] = evolve(newcomers[MIDDLE], is_forgotten=flaw == "forgotten")
        crowd.post(members=newcomers)
        links = [Link(member.member_id, str(10**18 + number)) for number, member in enumerate(newcomers)]
        own = links[MIDDLE]
        links[MIDDLE] = {
            "unknown": Link("nobody", own.discord_id),
            "forgotten": own,
            "id taken": Link(own.member_id, LINKS[0].discord_id),
            "member taken": Link(IDS[0], own.discord_id),
        }[flaw]
        crowd.refuses(Posting(MONDAY, links=links))
        crowd.post(links=links[:MIDDLE])
        assert len(crowd.ledger.accounts_to_sync()) == CROWD + MIDDLE
