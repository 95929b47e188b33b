"""One posting: all or nothing, once."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from attrs import evolve

from ...core.entries import DISCORD, Evidence, XpChange
from ...core.errors import Moved
from ...core.model import Link, Member, Move
from ...core.postings import Posting
from .story import ADA, ADA_ID, BO, BO_ID, MONDAY, StoreContract, Story


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
        with pytest.raises(Moved):
            pair.ledger.post(planned)
        assert pair.meaning() == before

    def test_the_same_posting_twice_is_moved(self, pair: Story) -> None:
        """What was posted once cannot be posted again."""
        pair.at += timedelta(minutes=15)
        planned = pair.planned({ADA_ID: 1_500, BO_ID: 50})
        pair.ledger.post(planned)
        before = pair.meaning()
        with pytest.raises(Moved):
            pair.ledger.post(planned)
        assert pair.meaning() == before

    def test_a_sync_stands_on_the_sync_it_followed(self, pair: Story) -> None:
        """A sync that changes nothing is `Moved` too if another was posted since it was planned."""
        pair.at += timedelta(minutes=15)
        idle = pair.planned({ADA_ID: 1_000, BO_ID: 50})
        assert idle.moves == []
        pair.sync({ADA_ID: 1_000, BO_ID: 50})
        with pytest.raises(Moved):
            pair.ledger.post(idle)

    def test_a_failed_posting_leaves_nothing_behind(self, pair: Story) -> None:
        """Members, moves and the run fall with the link that cannot be made."""
        pair.at += timedelta(minutes=15)
        planned = pair.planned({ADA_ID: 1_500, BO_ID: 500})
        before = pair.meaning()
        with pytest.raises(Moved):
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
