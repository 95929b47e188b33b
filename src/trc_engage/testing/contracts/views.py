"""What a ledger promises to whoever reads: standings, ranks, histories, and a crowd of members."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest
from attrs import evolve

from ...core.errors import Conflict
from ...core.model import Entry, Link, Member
from ...core.posting import Draft, Posting, Settlement
from ...core.reports import DiscordStanding, Found, Standing
from ...core.streaks import Streak
from .ledger import BENCHMARK, TODAY
from .story import ADA, ADA_ID, BO, BO_ID, CY, MONDAY, AuditedStory, StoreContract, Story

CROWD = 300
CROWD_DAY = date(2026, 3, 2)
IDS = [f"m-{number:03}" for number in range(CROWD)]
MEMBERS = [Member(member_id, f"Member {member_id}\t\\N\n", MONDAY) for member_id in IDS]
LINKS = [Link(member_id, str(10**17 + number)) for number, member_id in enumerate(IDS)]
STREAKS = [Streak(member_id, 0, CROWD_DAY if number else None, number, number) for number, member_id in enumerate(IDS)]
MIDDLE = CROWD // 2


class CrowdContract(StoreContract):
    """What one posting does for hundreds of members: all of it, or nothing (R7, R16, R19)."""

    @pytest.fixture
    def crowd(self, story: Story) -> Story:
        """Enroll and link everyone in one posting, and post everyone's streak."""
        story.ledger.post(Posting(MONDAY, members=MEMBERS, links=LINKS))
        story.ledger.post(Posting(MONDAY, streaks=STREAKS))
        return story

    def test_everyone_is_taken_in(self, crowd: Story) -> None:
        """Names as they were written, accounts in the order of the links, streaks as they were posted."""
        assert crowd.ledger.member(IDS[MIDDLE]) == evolve(MEMBERS[MIDDLE], version=1)
        assert [standing.name for standing in crowd.ledger.members()] == [member.name for member in MEMBERS]
        accounts = crowd.ledger.accounts_to_sync()
        assert [(account.member_id, account.discord_id, account.status) for account in accounts] == [
            (link.member_id, link.discord_id, "waiting") for link in LINKS
        ]
        assert crowd.ledger.activity(CROWD_DAY).streaks == [evolve(streak, version=1) for streak in STREAKS]

    def test_everyone_is_brought_up_to_date(self, crowd: Story) -> None:
        """Rows that are there already are replaced, once for each posting."""
        later = [evolve(streak, version=1, last=CROWD_DAY, length=1, longest=CROWD) for streak in STREAKS]
        renamed = [evolve(member, name=None, version=1) for member in MEMBERS]
        crowd.ledger.post(Posting(MONDAY, members=renamed, streaks=later))
        assert crowd.ledger.activity(CROWD_DAY).streaks == [evolve(streak, version=2) for streak in later]
        assert {standing.name for standing in crowd.ledger.members()} == {None}

    @pytest.mark.parametrize("version", [0, 2])
    def test_one_that_moved_undoes_all(self, crowd: Story, version: int) -> None:
        """A single streak or member at another version is enough."""
        before = (crowd.meaning(), crowd.ledger.activity(CROWD_DAY).streaks)
        streaks = [evolve(streak, version=1, longest=CROWD) for streak in STREAKS]
        streaks[MIDDLE] = evolve(streaks[MIDDLE], version=version)
        members = [evolve(member, name="Another", version=1) for member in MEMBERS]
        members[MIDDLE] = evolve(members[MIDDLE], version=version)
        for posting in (Posting(MONDAY, streaks=streaks), Posting(MONDAY, members=members)):
            with pytest.raises(Conflict):
                crowd.ledger.post(posting)
        assert (crowd.meaning(), crowd.ledger.activity(CROWD_DAY).streaks) == before

    @pytest.mark.parametrize("flaw", ["unknown", "forgotten", "id taken", "member taken"])
    def test_one_link_that_cannot_be_undoes_all(self, crowd: Story, flaw: str) -> None:
        """An unknown or forgotten member, or an id or a member that is linked already."""
        newcomers = [Member(f"n-{number:03}", None, MONDAY) for number in range(CROWD)]
        newcomers[MIDDLE] = evolve(newcomers[MIDDLE], is_forgotten=flaw == "forgotten")
        crowd.ledger.post(Posting(MONDAY, members=newcomers))
        before = crowd.meaning()
        links = [Link(member.member_id, str(10**18 + number)) for number, member in enumerate(newcomers)]
        links[MIDDLE] = {
            "unknown": Link("nobody", links[MIDDLE].discord_id),
            "forgotten": links[MIDDLE],
            "id taken": Link(links[MIDDLE].member_id, LINKS[0].discord_id),
            "member taken": Link(IDS[0], links[MIDDLE].discord_id),
        }[flaw]
        with pytest.raises(Conflict):
            crowd.ledger.post(Posting(MONDAY, links=links))
        assert crowd.meaning() == before
        crowd.ledger.post(Posting(MONDAY, links=links[:MIDDLE]))
        assert len(crowd.ledger.accounts_to_sync()) == CROWD + MIDDLE

    def test_a_crowd_without_points_stands_behind_those_who_have_some(self, crowd: Story) -> None:
        """Equals share a rank, a hidden member takes none, and who owes points comes last."""
        hidden = evolve(MEMBERS[7], is_hidden=True, version=1)
        drafts = [
            Draft("adjustment", IDS[number], "adjustment", points, CROWD_DAY, MONDAY, f"{number}", "a test", "tester")
            for number, points in ((5, -3), (7, 90), (8, 20), (9, 20), (11, 10))
        ]
        crowd.ledger.post(Posting(MONDAY, members=[hidden], drafts=drafts))
        for month in (None, CROWD_DAY.replace(day=1)):
            ranks = [(rank.rank, rank.member_id) for rank in crowd.ledger.ranking(month, limit=CROWD)]
            top = [(1, IDS[8]), (1, IDS[9]), (3, IDS[11])]
            nothing = [(4, member_id) for number, member_id in enumerate(IDS) if number not in {5, 7, 8, 9, 11}]
            assert ranks == [*top, *nothing, (CROWD - 1, IDS[5])]
            for limit in (1, 2, 3, 4):
                few = crowd.ledger.ranking(month, limit=limit)
                assert [(rank.rank, rank.member_id) for rank in few] == ranks[:limit]
            own = {number: crowd.ledger.rank_of(IDS[number], month) for number in (5, 6, 7, 9, 11)}
            assert {number: rank and (rank.rank, rank.points) for number, rank in own.items()} == {
                5: (CROWD - 1, -3),
                6: (4, 0),
                7: (1, 90),
                9: (1, 20),
                11: (3, 10),
            }


NAMES = {
    "m-1": "Ada Lovelace",
    "m-2": "ada KING",
    "m-3": "Grace (Ada) Hopper",
    "m-4": "Adam Smith",
    "m-5": "Zo\u00e9 Stra\u00dfe",
    "m-6": "\uff21\uff44\uff41\u200d-Marie \u2605",
    "m-7": "\u6771\u4eac\u592a\u90ce",
    "m-8": "\u0928\u092e\u0938\u094d\u0924\u0947",
    "m-9": "\u0412\u0435\u0440\u0430 \u2603",
}
SEARCHES: dict[str, list[str]] = {
    "ada": ["m-1", "m-2", "m-3", "m-6", "m-4"],
    "ADA": ["m-1", "m-2", "m-3", "m-6", "m-4"],
    "ada lov": ["m-1"],
    "Lovelace, Ada": ["m-1"],
    "hop gra ada": ["m-3"],
    "ada ada": ["m-1", "m-2", "m-3", "m-6", "m-4"],
    "lace": [],
    "da": [],
    "ada smith": ["m-4"],
    "zo\u00c9": ["m-5"],
    "zoe\u0301": ["m-5"],
    "strasse": ["m-5"],
    "marie": ["m-6"],
    "\u2605": ["m-6"],
    "\u6771\u4eac": ["m-7"],
    "\u592a\u90ce": [],
    "\u0928\u092e": ["m-8"],
    "\u0432\u0435\u0440": ["m-9"],
    "m-4": ["m-4"],
    "m-": ["m-6"],
    "": [],
    "   ": [],
    "%": [],
    "_": [],
    "' OR 1=1 --": [],
}


def change(story: Story, member_id: str, **what: Any) -> None:
    """Post a member as he becomes."""
    member = story.ledger.member(member_id)
    assert member is not None
    story.ledger.post(Posting(story.at, members=[evolve(member, **what)]))


class FindingContract(StoreContract):
    """Who is found, and in which order."""

    @pytest.mark.parametrize(("text", "found"), SEARCHES.items())
    def test_words_are_found_by_their_beginnings(self, story: Story, text: str, found: list[str]) -> None:
        """Whatever their case, width and composition; all that are asked for, in any order; whole words first."""
        for member_id, name in NAMES.items():
            story.enroll(member_id, name=name)
        assert story.ledger.find(text, limit=9) == [Found(one, NAMES[one]) for one in found]
        assert story.ledger.find(text, limit=1) == [Found(one, NAMES[one]) for one in found[:1]]

    def test_ids_are_found_whole_and_first(self, story: Story) -> None:
        """Of the member, then of the Discord account, then as a name; nobody twice."""
        story.enroll("ada", BO_ID, "Ada Bo")
        story.enroll(CY, name=BO_ID)
        story.enroll("adam", name="Ada")
        assert [one.member_id for one in story.ledger.find("ada", limit=9)] == ["ada", "adam"]
        assert [one.member_id for one in story.ledger.find(BO_ID, limit=9)] == ["ada", CY]
        assert story.ledger.find(BO_ID[:-1], limit=9) == [Found(CY, BO_ID)]

    def test_a_new_name_takes_the_place_of_the_old_one(self, story: Story) -> None:
        """And nobody is found by what is gone."""
        story.enroll(ADA, name="Ada King")
        change(story, ADA, name="Ada Lovelace")
        assert story.ledger.find("king", limit=9) == []
        assert story.ledger.find("lovelace", limit=9) == [Found(ADA, "Ada Lovelace")]

    def test_nobody_is_found_by_name_who_is_hidden_or_forgotten(self, story: Story) -> None:
        """By id the hidden are, and by name again once they are shown."""
        for who, discord_id in ((ADA, ADA_ID), (BO, BO_ID)):
            story.enroll(who, discord_id, "Mary")
        change(story, ADA, is_hidden=True)
        story.restate(BO, "unlinked")
        change(story, BO, name=None, is_forgotten=True)
        assert story.ledger.find("mary", limit=9) == []
        assert story.ledger.find(BO_ID, limit=9) == []
        assert story.ledger.find(BO, limit=9) == [Found(BO, None)]
        assert story.ledger.find(ADA, limit=9) == story.ledger.find(ADA_ID, limit=9) == [Found(ADA, "Mary")]
        change(story, ADA, is_hidden=False)
        assert story.ledger.find("mary", limit=9) == [Found(ADA, "Mary")]

    def test_a_name_of_any_length_can_be_kept(self, story: Story) -> None:
        """A long word is found by its beginning, and of many words the first ones count."""
        story.enroll(ADA, name="x" * 4_000)
        story.enroll(BO, name=" ".join(f"w{number:02}" for number in range(1_000)))
        assert [one.member_id for one in story.ledger.find("x" * 4_000, limit=9)] == [ADA]
        assert [one.member_id for one in story.ledger.find("w31", limit=9)] == [BO]
        assert story.ledger.find("w32", limit=9) == []

    def test_there_is_nothing_to_mend(self, audited: AuditedStory) -> None:
        """The words are kept in step with the names, through all that can happen to these."""
        for who in (ADA, BO, CY):
            audited.enroll(who, name=f"{who} of Somewhere")
        change(audited, ADA, is_hidden=True)
        change(audited, BO, name=None, is_forgotten=True)
        change(audited, CY, name="Nobody")
        assert list(audited.ledger.irregularities()) == []
        assert list(audited.ledger.reword()) == []


class RanksContract(StoreContract):
    """What the store tells of who leads."""

    @pytest.fixture
    def ranked(self, story: Story) -> Story:
        """Award 30 points to two members and 10 to a third, of which 20 and 10 in April."""
        april = date(2026, 4, 1)
        for member_id, points, day in (
            ("a", 10, TODAY),
            ("a", 20, april),
            ("b", 30, TODAY),
            ("c", 10, date(2026, 4, 30)),
        ):
            if story.ledger.member(member_id) is None:
                story.enroll(member_id)
            key = f"{member_id}:{day}"
            draft = Draft("award", member_id, "benchmark", points, day, MONDAY, key)
            story.ledger.post(Posting(MONDAY, drafts=[draft]))
        story.enroll("d")
        return story

    def test_equals_share_a_rank(self, ranked: Story) -> None:
        """1, 1, 3, and whoever has nothing comes last."""
        ranks = ranked.ledger.ranking(None, limit=10)
        assert [(rank.rank, rank.member_id, rank.points) for rank in ranks] == [
            (1, "a", 30),
            (1, "b", 30),
            (3, "c", 10),
            (4, "d", 0),
        ]
        assert ranked.ledger.ranking(None, limit=2) == ranks[:2]
        assert [ranked.ledger.rank_of(rank.member_id, None) for rank in ranks] == ranks

    def test_current_streaks_rank_by_length(self, ranked: Story) -> None:
        """Equals share a rank; a broken streak, a hidden and a forgotten member are not listed."""
        for member_id in ("hidden", "gone"):
            ranked.enroll(member_id)
            member = ranked.ledger.member(member_id)
            assert member is not None
            changed = evolve(member, is_hidden=member_id == "hidden", is_forgotten=member_id == "gone", name=None)
            ranked.ledger.post(Posting(MONDAY, members=[changed]))
        assert ranked.ledger.streak_ranking(limit=10) == []
        friday = TODAY - timedelta(days=3)
        lengths = {"a": 3, "b": 7, "c": 3, "d": 9, "hidden": 8, "gone": 8}
        streaks = [Streak(one, 0, friday if one == "d" else TODAY, days, 9) for one, days in lengths.items()]
        ranked.ledger.post(Posting(MONDAY, streaks=streaks))
        revision = ranked.ledger.day_record(TODAY).revision
        ranked.ledger.post(Posting(ranked.at, settlement=Settlement(TODAY, revision)))
        ranks = ranked.ledger.streak_ranking(limit=10)
        assert [(rank.rank, rank.member_id, rank.streak, rank.points) for rank in ranks] == [
            (1, "b", 7, 30),
            (2, "a", 3, 30),
            (2, "c", 3, 10),
        ]
        assert ranked.ledger.streak_ranking(limit=2) == ranks[:2]

    def test_a_month_counts_by_the_day_of_the_entries(self, ranked: Story) -> None:
        """The first and the last day belong to it."""
        april = date(2026, 4, 1)
        ranks = ranked.ledger.ranking(april, limit=10)
        assert [(rank.rank, rank.member_id, rank.points) for rank in ranks] == [
            (1, "a", 20),
            (2, "c", 10),
            (3, "b", 0),
            (3, "d", 0),
        ]
        assert ranked.ledger.rank_of("c", april) == ranks[1]

    def test_a_month_has_the_sum_of_its_entries(self, story: Story) -> None:
        """However they came about: gains and deductions of many days, awards, what is taken back and what is owed."""
        story.enroll(ADA, ADA_ID)
        story.enroll(BO, BO_ID)
        for number, xp in enumerate((0, 750, 330, 1_940, 1_280)):
            story.sync({ADA_ID: xp, BO_ID: 5_000 - xp})
            day = story.at.date()
            award = evolve(BENCHMARK, day=day, at=story.at, key=f"benchmark:{number}")
            (entry,) = story.ledger.post(Posting(story.at, drafts=[award]))
            story.at += timedelta(days=20)
            story.ledger.post(
                Posting(
                    story.at,
                    drafts=[
                        evolve(award, kind="reversal", points=-50, key=None, reverses=entry.position),
                        Draft("adjustment", BO, "adjustment", -number, story.at.date(), story.at, f"fix:{number}"),
                    ],
                )
            )
        sums: dict[date, dict[str, int]] = defaultdict(lambda: {ADA: 0, BO: 0})
        for one in story.ledger.feed(after=0, limit=1_000):
            sums[one.day.replace(day=1)][one.member_id] += one.points
        assert len(sums) > 3
        for month, points in sums.items():
            assert {rank.member_id: rank.points for rank in story.ledger.ranking(month, limit=10)} == points
            assert {who: getattr(story.ledger.rank_of(who, month), "points", None) for who in points} == points

    def test_who_is_hidden_sees_the_own_rank(self, ranked: Story) -> None:
        """Hidden members are not listed and do not push anybody down."""
        member = ranked.ledger.member("a")
        assert member is not None
        ranked.ledger.post(Posting(MONDAY, members=[evolve(member, is_hidden=True)]))
        assert [rank.member_id for rank in ranked.ledger.ranking(None, limit=10)] == ["b", "c", "d"]
        assert [getattr(ranked.ledger.rank_of(who, None), "rank", None) for who in "abcx"] == [1, 1, 2, None]


class ViewsContract(StoreContract):
    """Standing, members, history and feed (R9, R23)."""

    def test_an_unknown_member_has_no_standing(self, story: Story) -> None:
        """None, not an error; and no history."""
        assert story.ledger.facts(ADA, MONDAY.date()) is None
        assert story.ledger.history(ADA, limit=10) == []

    def test_a_member_without_a_link_stands_at_zero(self, story: Story) -> None:
        """Whoever is enrolled has a standing."""
        story.enroll(ADA, name="Ada")
        assert story.standing(ADA) == Standing(ADA, "Ada", 0, {}, None)

    def test_a_standing_shows_points_and_xp(self, story: Story) -> None:
        """Points in all and by source, XP, carried XP and status."""
        story.enroll(ADA, ADA_ID, "Ada")
        story.sync({ADA_ID: 1_000})
        story.sync({ADA_ID: 1_275})
        assert story.standing(ADA) == Standing(
            ADA, "Ada", 2, {"discord": 2}, DiscordStanding(ADA_ID, "tracked", 1_275, 1_000)
        )

    def test_who_was_unlinked_still_shows_the_points(self, story: Story) -> None:
        """The points stay with the member, and the closed account is shown as such."""
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 0})
        story.sync({ADA_ID: 310})
        story.restate(ADA, "unlinked")
        standing = story.standing(ADA)
        assert standing.points == 3
        assert standing.discord is not None
        assert standing.discord.status == "unlinked"

    def test_members_are_listed_by_id(self, story: Story) -> None:
        """The list holds the same standings as those asked for one by one."""
        story.enroll(BO, BO_ID)
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 10})
        story.sync({ADA_ID: 910, BO_ID: 5})
        assert story.ledger.members() == [story.standing(ADA), story.standing(BO)]
        assert story.ledger.members(limit=1) == [story.standing(ADA)]
        assert story.ledger.members(after=ADA, limit=1) == [story.standing(BO)]
        assert story.ledger.members(after=BO) == []

    def test_the_tally_counts_members_accounts_and_entries(self, story: Story) -> None:
        """Accounts by status, closed ones too, and no status that none has; an empty store holds nothing."""
        empty = story.ledger.tally()
        assert (empty.members, dict(empty.accounts), empty.entries) == (0, {}, 0)
        story.enroll(ADA, ADA_ID)
        story.enroll(BO, BO_ID)
        story.enroll(CY)
        story.sync({ADA_ID: 0, BO_ID: 0})
        story.sync({ADA_ID: 310, BO_ID: 20})
        story.restate(BO, "unlinked")
        story.enroll("m-dee", BO_ID)
        tally = story.ledger.tally()
        assert (tally.members, dict(tally.accounts)) == (4, {"tracked": 1, "unlinked": 1, "waiting": 1})
        assert tally.entries == len(story.ledger.feed(after=0, limit=1_000)) == 3
        assert tally.store
        assert tally.size_bytes is None or tally.size_bytes > 0

    @pytest.fixture
    def seven_entries(self, story: Story) -> Story:
        """Let two members earn, so that there are entries at positions 1 to 7."""
        story.enroll(ADA, ADA_ID)
        story.enroll(BO, BO_ID)
        for step in range(4):
            story.sync({ADA_ID: 100 * step, BO_ID: 100 * step * (step != 2)})
        return story

    @pytest.mark.usefixtures("seven_entries")
    def test_the_feed_tells_every_entry_once_in_order(self, story: Story) -> None:
        """Reading page by page from the last position seen gives each entry exactly once."""
        everything = story.ledger.feed(after=0, limit=1_000)
        positions = [entry.position for entry in everything]
        assert positions == sorted(set(positions))
        paged: list[Entry] = []
        after = 0
        while page := story.ledger.feed(after=after, limit=2):
            assert page[0].position > after
            paged += page
            after = page[-1].position
        assert paged == everything

    @pytest.mark.usefixtures("seven_entries")
    def test_history_is_newest_first_and_pages(self, story: Story) -> None:
        """A page ends where the next begins, and holds the member's own entries only."""
        whole = story.ledger.history(ADA, limit=1_000)
        assert [entry.position for entry in whole] == sorted((entry.position for entry in whole), reverse=True)
        assert {entry.member_id for entry in whole} == {ADA}
        first = story.ledger.history(ADA, limit=2)
        rest = story.ledger.history(ADA, limit=1_000, before=first[-1].position)
        assert [*first, *rest] == whole

    def test_history_of_one_source_pages_too(self, seven_entries: Story) -> None:
        """What lies between its entries takes no room on a page."""
        ledger = seven_entries.ledger
        for key in ("k-1", "k-2"):
            ledger.post(Posting(MONDAY, drafts=[Draft("award", ADA, "benchmark", 5, MONDAY.date(), MONDAY, key)]))
            seven_entries.sync({ADA_ID: 1_000 * int(key[-1])})
        later, earlier = ledger.history(ADA, limit=9, source="benchmark")
        assert (later.key, earlier.key) == ("k-2", "k-1")
        assert ledger.history(ADA, limit=1, source="benchmark") == [later]
        assert ledger.history(ADA, limit=1, source="benchmark", before=later.position) == [earlier]

    @pytest.mark.usefixtures("seven_entries")
    def test_past_the_ends_there_is_nothing(self, story: Story) -> None:
        """A position beyond the last entry, or before the first, finds nothing."""
        last = story.ledger.feed(after=0, limit=1_000)[-1].position
        assert story.ledger.feed(after=last, limit=10) == []
        assert story.ledger.history(ADA, limit=10, before=1) == []
