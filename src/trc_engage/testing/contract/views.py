"""What people read."""

import pytest

from ...core.entries import Entry
from ...core.views import DiscordStanding, Standing
from .story import ADA, ADA_ID, BO, BO_ID, CY, MONDAY, StoreContract, Story


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
            ADA, "Ada", 2, {"discord": 2}, DiscordStanding(ADA_ID, "tracked", 1_275, 75)
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

    @pytest.mark.usefixtures("seven_entries")
    def test_past_the_ends_there_is_nothing(self, story: Story) -> None:
        """A position beyond the last entry, or before the first, finds nothing."""
        last = story.ledger.feed(after=0, limit=1_000)[-1].position
        assert story.ledger.feed(after=last, limit=10) == []
        assert story.ledger.history(ADA, limit=10, before=1) == []
