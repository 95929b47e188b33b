"""What holds for one holds for a crowd, which a store may well write in another way."""

from datetime import date

import pytest
from attrs import evolve

from ...core.errors import Moved
from ...core.model import Link, Member
from ...core.postings import Draft, Posting
from ...core.streaks import Streak
from .story import MONDAY, StoreContract, Story

CROWD = 300
TODAY = date(2026, 3, 2)
IDS = [f"m-{number:03}" for number in range(CROWD)]
MEMBERS = [Member(member_id, f"Member {member_id}\t\\N\n", MONDAY) for member_id in IDS]
LINKS = [Link(member_id, str(10**17 + number)) for number, member_id in enumerate(IDS)]
STREAKS = [Streak(member_id, 0, TODAY if number else None, number, number) for number, member_id in enumerate(IDS)]
MIDDLE = CROWD // 2


class CrowdContract(StoreContract):
    """What one posting does for hundreds of members: all of it, or nothing (R7, R16, R19)."""

    @pytest.fixture
    def crowd(self, story: Story) -> Story:
        """Enrol and link everyone in one posting, and post everyone's streak."""
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
        assert crowd.ledger.streaks() == [evolve(streak, version=1) for streak in STREAKS]

    def test_everyone_is_brought_up_to_date(self, crowd: Story) -> None:
        """Rows that are there already are replaced, once for each posting."""
        later = [evolve(streak, version=1, last=TODAY, length=1, longest=CROWD) for streak in STREAKS]
        renamed = [evolve(member, name=None, version=1) for member in MEMBERS]
        crowd.ledger.post(Posting(MONDAY, members=renamed, streaks=later))
        assert crowd.ledger.streaks() == [evolve(streak, version=2) for streak in later]
        assert {standing.name for standing in crowd.ledger.members()} == {None}

    @pytest.mark.parametrize("version", [0, 2])
    def test_one_that_moved_undoes_all(self, crowd: Story, version: int) -> None:
        """A single streak or member at another version is enough."""
        before = (crowd.meaning(), crowd.ledger.streaks())
        streaks = [evolve(streak, version=1, longest=CROWD) for streak in STREAKS]
        streaks[MIDDLE] = evolve(streaks[MIDDLE], version=version)
        members = [evolve(member, name="Another", version=1) for member in MEMBERS]
        members[MIDDLE] = evolve(members[MIDDLE], version=version)
        for posting in (Posting(MONDAY, streaks=streaks), Posting(MONDAY, members=members)):
            with pytest.raises(Moved):
                crowd.ledger.post(posting)
        assert (crowd.meaning(), crowd.ledger.streaks()) == before

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
        with pytest.raises(Moved):
            crowd.ledger.post(Posting(MONDAY, links=links))
        assert crowd.meaning() == before
        crowd.ledger.post(Posting(MONDAY, links=links[:MIDDLE]))
        assert len(crowd.ledger.accounts_to_sync()) == CROWD + MIDDLE

    def test_a_crowd_without_points_stands_behind_those_who_have_some(self, crowd: Story) -> None:
        """Equals share a rank, a hidden member takes none, and who owes points comes last."""
        hidden = evolve(MEMBERS[7], is_hidden=True, version=1)
        drafts = [
            Draft("adjustment", IDS[number], "adjustment", points, TODAY, MONDAY, f"{number}", "a test", "tester")
            for number, points in ((5, -3), (7, 90), (8, 20), (9, 20), (11, 10))
        ]
        crowd.ledger.post(Posting(MONDAY, members=[hidden], drafts=drafts))
        for month in (None, TODAY.replace(day=1)):
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
