"""Members and their links (R6, R7), and which values are accepted."""

from datetime import date

import pytest

from support.community import IDS, Community
from trc_engage import Enrollment, InvalidValue, LinkTaken, Newcomer, NotLinked, UnknownMember


@pytest.fixture
def community() -> Community:
    """Return a community without members."""
    return Community()


def test_what_already_holds_does_nothing_and_says_so(community: Community) -> None:
    """Enrolling or linking again changes nothing and is answered as `unchanged` (R7)."""
    engage = community.engage
    assert engage.enroll("ada", discord_id=IDS["ada"], name="Ada") == Enrollment("ada", "enrolled")
    again = engage.enroll("ada", discord_id=IDS["ada"], name="Ada")
    assert (again.outcome, again.changed) == ("unchanged", False)
    assert engage.enroll("ada").outcome == "unchanged"
    assert engage.link("ada", IDS["ada"]).outcome == "unchanged"


def test_a_new_name_is_an_update(community: Community) -> None:
    """Enrolling with a new name updates it, and enrolling without a name keeps it."""
    community.enroll("ada")
    assert community.engage.enroll("ada", name="Ada L.").outcome == "updated"
    community.engage.enroll("ada")
    assert community.engage.standing("ada").name == "Ada L."


def test_a_second_link_is_refused_with_the_holders_name(community: Community) -> None:
    """A second link of a member or a Discord id is refused with the id and its member, and adds no member (R7)."""
    community.enroll("ada", "bo")
    community.sync(ada=1_000)
    with pytest.raises(LinkTaken, match="member 'ada' already holds Discord id"):
        community.engage.link("bo", IDS["ada"])
    with pytest.raises(LinkTaken, match=f"'ada' already holds Discord id {IDS['ada']}"):
        community.engage.enroll("ada", discord_id=IDS["cy"])
    with pytest.raises(LinkTaken) as caught:
        community.engage.enroll("dee", discord_id=IDS["ada"])
    assert (caught.value.member_id, caught.value.discord_id) == ("ada", IDS["ada"])
    with pytest.raises(UnknownMember):
        community.engage.standing("dee")


def test_a_member_can_be_linked_later(community: Community) -> None:
    """A member enrolled without a Discord id can be linked later, and to another id after an unlink."""
    community.engage.enroll("ada")
    assert community.engage.link("ada", IDS["ada"]).outcome == "linked"
    community.engage.unlink("ada")
    assert community.engage.enroll("ada", discord_id=IDS["bo"]).outcome == "linked"


def test_leaving_and_returning_are_safe_to_repeat(community: Community) -> None:
    """Leaving, returning or unlinking a second time changes nothing and is answered as `unchanged`."""
    community.enroll("ada")
    engage = community.engage
    steps = [engage.leave, engage.leave, engage.rejoin, engage.rejoin, engage.unlink, engage.unlink]
    outcomes = [step("ada").outcome for step in steps]
    assert outcomes == ["left", "unchanged", "returned", "unchanged", "unlinked", "unchanged"]


def test_who_left_before_the_opening_waits_again(community: Community) -> None:
    """An account that no sync has looked for before a leave is opened after the return."""
    community.enroll("ada")
    community.engage.leave("ada")
    community.engage.rejoin("ada")
    assert community.sync(ada=700).opened == 1


def test_who_has_no_link_cannot_leave(community: Community) -> None:
    """A member without a link can neither leave nor return, and the error says to link one."""
    community.engage.enroll("ada")
    for step in (community.engage.leave, community.engage.rejoin):
        with pytest.raises(NotLinked, match="'ada' has no linked Discord account; link one"):
            step("ada")


@pytest.mark.parametrize("call", ["link", "unlink", "leave", "rejoin", "standing", "history"])
def test_unknown_members_are_named(community: Community, call: str) -> None:
    """Every call for a member who is not enrolled is an error that names the member."""
    arguments = ["nobody", "80351110224678912"] if call == "link" else ["nobody"]
    with pytest.raises(UnknownMember, match="member 'nobody' is not enrolled"):
        getattr(community.engage, call)(*arguments)


def test_many_are_enrolled_in_one_posting(community: Community) -> None:
    """Each newcomer in a list gets an outcome, even one that is listed twice."""
    community.enroll("ada")
    ada = Newcomer("ada", IDS["ada"], "Ada")
    newcomers = [ada, Newcomer("bo", IDS["bo"], "Bo"), Newcomer("bo", IDS["bo"], "Bo"), Newcomer("bo", name="B.")]
    results = community.engage.enroll_all(newcomers)
    assert [result.outcome for result in results if isinstance(result, Enrollment)] == [
        "unchanged",
        "enrolled",
        "unchanged",
        "updated",
    ]


def test_if_one_cannot_be_enrolled_none_is(community: Community) -> None:
    """If one newcomer cannot be enrolled, none is, unless the bad ones are to be skipped."""
    newcomers = [Newcomer("ada", IDS["ada"]), Newcomer("bo", IDS["ada"]), Newcomer("cy", IDS["cy"])]
    results = community.engage.enroll_all(newcomers)
    assert [isinstance(result, LinkTaken) for result in results] == [False, True, False]
    assert community.engage.members() == []
    community.engage.enroll_all(newcomers, skip_bad=True)
    assert [standing.member_id for standing in community.engage.members()] == ["ada", "cy"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("member_id", ""),
        ("member_id", "  "),
        ("member_id", "a\nb"),
        ("member_id", "x" * 201),
        ("member_id", 7),
        ("discord_id", ""),
        ("discord_id", "ada#1234"),
        ("discord_id", "0123"),
        ("discord_id", "1" * 21),
        ("discord_id", "٣٤٥"),
        ("discord_id", 80351110224678912),
        ("name", "\ud800"),
        ("name", "nul\x00"),
        ("name", "x" * 4_001),
        ("name", 5),
    ],
)
def test_bad_values_are_named(community: Community, field: str, value: object) -> None:
    """A bad value is refused in one short line that begins with the field's name, and no member is enrolled."""
    given = {"member_id": "ada", field: value}
    with pytest.raises(InvalidValue) as caught:
        community.engage.enroll(given.pop("member_id"), **given)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert len(str(caught.value)) < 200
    assert community.engage.members() == []


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("history", {"limit": 0}),
        ("history", {"limit": 10_001}),
        ("history", {"limit": True}),
        ("history", {"before": -1}),
        ("history", {"source": ""}),
        ("history", {"source": "nul\x00"}),
        ("history", {"source": "x" * 51}),
        ("members", {"after": "nul\x00"}),
        ("members", {"after": "x" * 201}),
        ("members", {"after": None}),
        ("feed", {"after": -1}),
        ("feed", {"after": 2**63}),
        ("feed", {"after": "1"}),
    ],
)
def test_bad_pages_are_named(community: Community, call: str, arguments: dict[str, object]) -> None:
    """A limit, position, cursor or source that cannot be used is refused by its name."""
    community.enroll("ada")
    members = ["ada"] if call == "history" else []
    with pytest.raises(InvalidValue, match=next(iter(arguments))):
        getattr(community.engage, call)(*members, **arguments)


def test_nobody_is_excused_who_is_not_enrolled(community: Community) -> None:
    """Excusing a member who is not enrolled is an error that names the member, and no day is excused (R13a)."""
    with pytest.raises(UnknownMember, match="member 'nobody' is not enrolled"):
        community.engage.excuse(date(2026, 3, 3), reason="ill", by="admin-7", member_id="nobody")
    assert community.engage.excusals() == []
