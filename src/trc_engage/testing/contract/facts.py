"""Members, accounts and links."""

import pytest
from attrs import evolve

from ...core.errors import Moved
from ...core.model import Link, Member
from ...core.postings import Posting
from .story import ADA, ADA_ID, BO, BO_ID, MONDAY, StoreContract, Story


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
        with pytest.raises(Moved):
            story.ledger.post(Posting(MONDAY, members=[renamed]))

    def test_a_new_account_waits_for_its_opening(self, story: Story) -> None:
        """A link opens an account that waits, without points or XP."""
        story.enroll(ADA, ADA_ID)
        account = story.account(ADA)
        assert (account.status, account.next_reading) == ("waiting", "opens")
        assert story.ledger.holder_of(ADA_ID) == account
        assert story.ledger.accounts_to_sync() == [account]

    def test_a_discord_id_belongs_to_one_member(self, story: Story) -> None:
        """A second link of the same id is `Moved`, and the member it came with is not enrolled either."""
        story.enroll(ADA, ADA_ID)
        with pytest.raises(Moved):
            story.enroll(BO, ADA_ID)
        assert story.ledger.member(BO) is None

    def test_a_member_has_one_link(self, story: Story) -> None:
        """A second link of the same member is `Moved`."""
        story.enroll(ADA, ADA_ID)
        with pytest.raises(Moved):
            story.ledger.post(Posting(MONDAY, links=[Link(ADA, BO_ID)]))
        assert story.account(ADA).discord_id == ADA_ID

    def test_links_of_one_posting_must_not_collide(self, story: Story) -> None:
        """Two links of the same id in one posting are refused together."""
        story.enroll(ADA)
        story.enroll(BO)
        with pytest.raises(Moved):
            story.ledger.post(Posting(MONDAY, links=[Link(ADA, ADA_ID), Link(BO, ADA_ID)]))
        assert story.ledger.accounts_to_sync() == []

    def test_only_a_member_can_be_linked(self, story: Story) -> None:
        """A link of somebody unknown, or forgotten, is `Moved`."""
        with pytest.raises(Moved):
            story.ledger.post(Posting(MONDAY, links=[Link(ADA, ADA_ID)]))
        story.ledger.post(Posting(MONDAY, members=[Member(ADA, None, MONDAY, is_forgotten=True)]))
        with pytest.raises(Moved):
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
        with pytest.raises(Moved):
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
