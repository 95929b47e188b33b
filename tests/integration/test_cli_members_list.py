"""`members list` sorts members as people expect, and shows only those you ask for."""

from pathlib import Path

import pytest

from support.command import Operator


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return an operator with five members, one of whom left."""
    operator = Operator(tmp_path)
    names = {"m-10": "Grace Hopper", "m-2": "Ada Lovelace", "M-1": "Ada Byron", "m-9b": "", "m-9": "Ægir"}
    for number, (member, name) in enumerate(names.items()):
        linked = ("members", "enroll", member, "--discord-id", f"{300 + number}", *(("--name", name) if name else ()))
        assert operator.call(*linked).code == 0
    assert operator.call("members", "left", "m-2").code == 0
    return operator


def listed(operator: Operator, *words: str) -> list[str]:
    """Return the ids that `members list` shows, which are the same in JSON."""
    text = operator.call("members", "list", *words).out.splitlines()[1:]
    members = [one["member_id"] for one in operator.call("members", "list", "--json", *words).json["members"]]
    assert [line.split()[0] for line in text if not line.startswith("no ")] == members
    return members


def test_numbers_in_ids_are_sorted_as_numbers(operator: Operator) -> None:
    """Numbers within ids are compared as numbers, so m-2 comes before m-10, and letters regardless of case."""
    assert listed(operator) == ["M-1", "m-2", "m-9", "m-9b", "m-10"]


def test_who_left_can_be_listed(operator: Operator) -> None:
    """`--left` lists only members who have left."""
    assert listed(operator, "--left") == ["m-2"]


@pytest.mark.parametrize(("part", "members"), [("ada", ["M-1", "m-2"]), ("HOPPER", ["m-10"]), ("æ", ["m-9"])])
def test_names_are_found_by_a_part(operator: Operator, part: str, members: list[str]) -> None:
    """`--name` finds any part of a name, in upper or lower case."""
    assert listed(operator, "--name", part) == members


def test_choices_go_together_and_may_choose_nobody(operator: Operator) -> None:
    """Options to select members combine, and if no member matches, the output says so."""
    assert listed(operator, "--left", "--name", "ada") == ["m-2"]
    assert operator.call("members", "list", "--left", "--name", "grace").out == "no member matches\n"
