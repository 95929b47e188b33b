"""Leaderboards and ranks."""

from collections import defaultdict
from datetime import date, timedelta

import pytest
from attrs import evolve

from ...core.postings import Draft, Posting
from .activity import BENCHMARK, TODAY
from .story import ADA, ADA_ID, BO, BO_ID, MONDAY, StoreContract, Story


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
