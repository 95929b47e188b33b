"""The search by id, Discord id or name."""

from typing import Any

import pytest
from attrs import evolve

from ...core.postings import Posting
from ...core.views import Found
from .story import ADA, ADA_ID, BO, BO_ID, CY, AuditedStory, StoreContract, Story

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
SEARCHES = {
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
