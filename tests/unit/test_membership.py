"""Membership on every ledger: what is on record, who was never seen, and who left (R6a, R7, R26, R31)."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from support.community import IDS, LEDGERS, MONDAY, Community, opened
from trc_engage import InvalidValue, LinkTaken, NotLinked, RosterError, UnknownMember
from trc_engage.usecases.audit import audit
from trc_engage.usecases.members import Newcomer

WHY = {"by": "admin-7", "reason": "marked by mistake", "note": "told by phone"}
WRONG = {name: f"{number}00000000000000000" for number, name in enumerate(IDS, start=1)}


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community on an empty store, and audit the store at the end."""
    with opened(request.param, tmp_path) as ledger:
        yield Community(ledger)
        assert audit(ledger).breaches == []


def kinds(community: Community, name: str) -> list[str]:
    """Return the kinds of a member's events, oldest first."""
    return [event.kind for event in community.engage.events(name)]


def test_all_that_is_done_is_on_record(community: Community) -> None:
    """Each change is recorded with its time, actor, reason and note; a repeat or a new name leaves no event."""
    engage = community.engage
    engage.enroll("ada", discord_id=IDS["ada"], **WHY)
    engage.enroll("ada", discord_id=IDS["ada"], name="Ada")
    community.sync(ada=1_000)
    for do in (engage.leave, engage.leave, engage.rejoin, engage.rejoin, engage.hide, engage.hide, engage.show):
        do("ada", **WHY)
    engage.unlink("ada", **WHY)
    engage.link("ada", IDS["bo"], **WHY)
    told = engage.events("ada")
    kept = ["enrolled", "linked", "left", "returned", "hidden", "shown", "unlinked", "linked"]
    assert [event.kind for event in told] == kept
    assert {(event.actor, event.reason, event.note) for event in told} == {tuple(WHY.values())}
    assert [event.account_id for event in told] == [None, 1, 1, 1, None, None, 1, 2]
    assert [event.at for event in told[:3]] == [community.now - timedelta(minutes=15)] * 2 + [community.now]


def test_nothing_on_record_names_anybody(community: Community) -> None:
    """The record has no name or Discord id; forgetting erases all earlier reasons and notes, but not its own (R26)."""
    community.enroll("ada")
    community.engage.leave("ada", **WHY)
    community.engage.forget("ada", by="admin-7", reason="as asked")
    told = community.engage.events("ada")
    assert not any(text in repr(told) for text in ("Ada", IDS["ada"], WHY["reason"], WHY["note"]))
    assert [(event.kind, event.actor, event.reason) for event in told[2:]] == [
        ("left", "admin-7", None),
        ("forgotten", "admin-7", "as asked"),
    ]


@pytest.mark.parametrize(("flaw", "error"), [("nobody", UnknownMember), ("bo", NotLinked)])
def test_many_leave_or_return_together_or_not_at_all(community: Community, flaw: str, error: type) -> None:
    """One unknown or unlinked member stops the leave or return of many, and nothing is noted for the others."""
    community.enroll("ada", "cy")
    community.engage.enroll("bo")
    for do in (community.engage.leave_all, community.engage.rejoin_all):
        with pytest.raises(error, match=flaw):
            do(["ada", flaw, "cy"])
    assert [done.outcome for done in community.engage.leave_all(["ada", "cy", "ada"])] == ["left", "left"]
    assert [done.outcome for done in community.engage.rejoin_all(["cy", "ada"])] == ["returned", "returned"]
    assert kinds(community, "ada") == ["enrolled", "linked", "left", "returned"]


def test_only_a_leave_on_record_is_undone_and_once(community: Community) -> None:
    """Only the current account's last leave can be undone, once, and only with an actor and a reason (R6a)."""
    engage = community.engage
    community.enroll("ada")
    community.sync(ada=1_000)
    for name, value in (("by", {"reason": "x"}), ("reason", {"by": "x"})):
        with pytest.raises(InvalidValue, match=name):
            engage.rejoin("ada", never_left=True, **value)
    with pytest.raises(
        InvalidValue, match=r"^member_id: 'ada': never_left undoes a leave, and this member's account has none"
    ):
        engage.rejoin("ada", never_left=True, **WHY)
    engage.leave("ada")
    assert [engage.rejoin("ada", never_left=True, **WHY).outcome for _ in range(2)] == ["never_left", "unchanged"]
    engage.leave("ada")
    engage.unlink("ada")
    engage.link("ada", IDS["ada"])
    with pytest.raises(InvalidValue, match="never_left"):
        engage.rejoin("ada", never_left=True, **WHY)


def test_the_days_of_a_long_mistake_are_excused_with_who_and_why(community: Community) -> None:
    """Undoing a leave of nine days excuses its weekdays for that member alone, with actor, reason and note (R6a)."""
    community.enroll("ada", "bo")
    community.sync(ada=1_000, bo=1_000)
    community.engage.leave("ada")
    community.now += timedelta(days=9)
    community.engage.rejoin("ada", never_left=True, **WHY)
    excusals = community.ledger.excusals("ada")
    assert [one.day.day for one in excusals] == [2, 3, 4, 5, 6, 9, 10, 11]
    assert {(one.member_id, one.actor, one.reason, one.note) for one in excusals} == {("ada", *WHY.values())}
    assert not community.ledger.excusals("bo")


def test_of_many_marked_by_mistake_each_gets_back_what_was_lost(community: Community) -> None:
    """Undoing a nine-day leave keeps the reasons of days excused before; undoing a leave of an hour excuses nothing."""
    engage = community.engage
    community.enroll("ada", "bo")
    community.sync(ada=1_000, bo=1_000)
    engage.leave("ada")
    ill = [date(2026, 3, day) for day in (3, 4, 5, 6, 9, 10, 11)]
    engage.excuse(*ill, reason="ill", by="admin-3", member_id="ada")
    community.now += timedelta(days=9)
    engage.leave("bo")
    community.now += timedelta(hours=1)
    back = engage.rejoin_all(["ada", "bo"], never_left=True, **WHY)
    assert [one.outcome for one in back] == ["never_left", "never_left"]
    told = [(one.member_id, one.day, one.reason) for one in community.ledger.excusals()]
    assert told == [*(("ada", day, "ill") for day in ill), ("ada", MONDAY.date(), WHY["reason"])]


def test_whoever_left_is_marked_and_can_be_left_out(community: Community) -> None:
    """Leaderboards, ranks and lists mark members who left; with `present=True` they are left out and ranks close up."""
    engage = community.engage
    community.enroll("ada", "bo", "cy")
    for name, points in (("ada", 30), ("bo", 20), ("cy", 10)):
        community.award(name, f"benchmark:{name}", points=points)
    community.now += timedelta(days=1)
    community.sync(ada=0, bo=0, cy=0)
    engage.settle()
    engage.leave("ada")
    month = community.now.date()
    for board in (engage.leaderboard, engage.longest_streaks, lambda **how: engage.leaderboard(month=month, **how)):
        assert [(one.member_id, one.has_left) for one in board()] == [("ada", True), ("bo", False), ("cy", False)]
        assert [one.member_id for one in board(present=True)] == ["bo", "cy"]
    assert [engage.rank("bo").rank, engage.rank("bo", present=True).rank] == [2, 1]
    assert [one.has_left for one in engage.members()] == [True, False, False]
    engage.rejoin("ada")
    assert not engage.rank("ada").has_left
    assert len(engage.leaderboard(present=True)) == 3


def test_whom_no_board_ever_showed_is_known(community: Community) -> None:
    """An account counts as never seen, present or left, until this board or an earlier one has shown it (R31)."""
    engage = community.engage
    community.board_id = "mee6:111"
    community.enroll("ada", "bo", "cy", "dee")
    assert list(engage.never_seen()) == ["ada", "bo", "cy", "dee"]
    community.sync(ada=1_000, bo=40)
    assert list(engage.never_seen()) == ["cy", "dee"]
    engage.leave("dee")
    community.sync(ada=None, bo=None)
    assert list(engage.never_seen()) == ["cy", "dee"]
    community.board_id, community.xp = "mee6:222", {"fay": 1}
    engage.sync(adopt_board=True, by="admin-7", reason="we moved")
    assert list(engage.never_seen()) == ["cy", "dee"]
    community.sync(cy=15)
    assert list(engage.never_seen()) == ["dee"]
    assert engage.status().tally.never_seen == 1


def test_nobody_there_for_a_day_is_a_trouble(community: Community) -> None:
    """Three accounts that no board has shown for 24 hours are a trouble, which ends once one is seen (R31)."""
    engage = community.engage
    for name in ("ada", "bo", "cy"):
        engage.enroll(name, discord_id=WRONG[name])
    for _ in range(95):
        community.run()
    assert engage.status().troubles == []
    assert community.run().outcome == "synced"
    (trouble,) = engage.status().troubles
    assert (trouble.topic, engage.status().is_healthy) == ("unseen", False)
    assert "spreadsheet" in trouble.why
    engage.link("ada", IDS["ada"])
    community.chat("ada", 500)
    community.run()
    assert engage.status().troubles == []


@pytest.mark.parametrize("count", [2, 3])
def test_nobody_there_is_no_trouble_while_there_may_be_reasons(community: Community, count: int) -> None:
    """Two unseen accounts are no trouble, and neither are three beside one that was seen (R31)."""
    engage = community.engage
    for name in ("ada", "bo", "cy")[:count]:
        engage.enroll(name, discord_id=WRONG[name])
    if count > 2:
        community.enroll("dee")
        community.chat("dee", 700)
    for _ in range(100):
        community.run()
    assert engage.status().troubles == []
    assert engage.status().tally.never_seen == count


def test_an_account_that_was_never_seen_is_linked_anew(community: Community) -> None:
    """An account never seen can be linked to another id, singly or by import, even if ids change hands (R7)."""
    engage = community.engage
    for name, other in (("ada", "bo"), ("bo", "ada")):
        engage.enroll(name, discord_id=IDS[other])
    engage.enroll("cy", discord_id=WRONG["cy"])
    assert engage.link("cy", IDS["cy"]).outcome == "relinked"
    corrected = [Newcomer(name, IDS[name]) for name in ("ada", "bo", "cy")]
    outcomes = [getattr(done, "outcome", done) for done in engage.enroll_all(corrected, by="import")]
    assert outcomes == ["relinked", "relinked", "unchanged"]
    assert kinds(community, "ada") == ["enrolled", "linked", "unlinked", "linked"]
    assert [event.account_id for event in engage.events("cy")] == [None, 3, 3, 4]
    community.sync(ada=1_000, bo=2_000, cy=3_000)
    community.sync(ada=1_100, bo=2_200, cy=3_300)
    assert [community.points(name) for name in ("ada", "bo", "cy")] == [1, 2, 3]


def test_a_link_that_is_refused_leaves_the_old_one(community: Community) -> None:
    """An unseen account cannot be relinked to another member's id, and keeps its old link."""
    community.enroll("ada", "bo")
    community.sync(bo=1_000)
    results = community.engage.enroll_all([Newcomer("ada", IDS["bo"]), Newcomer("cy")], skip_bad=True)
    assert [isinstance(one, LinkTaken) for one in results] == [True, False]
    assert kinds(community, "ada") == ["enrolled", "linked"]
    assert [one.discord_id for one in community.ledger.linked_accounts()] == [IDS["ada"], IDS["bo"]]


def test_an_account_that_was_seen_is_not_linked_anew(community: Community) -> None:
    """A seen account cannot be linked to another id, and no other member can take its id (R7)."""
    community.enroll("ada", "bo")
    community.sync(ada=1_000)
    with pytest.raises(LinkTaken):
        community.engage.link("ada", IDS["cy"])
    with pytest.raises(LinkTaken):
        community.engage.link("bo", IDS["ada"])
    assert kinds(community, "bo") == ["enrolled", "linked"]


def test_a_list_of_the_server_says_who_left_and_who_is_back(community: Community) -> None:
    """Comparing with a list of the server's members notes leaves and returns of linked ids, and counts strangers."""
    engage = community.engage
    community.enroll("ada", "bo", "cy")
    community.sync(ada=1_000, bo=1_000, cy=1_000)
    engage.leave("bo")
    present = [IDS["ada"], IDS["bo"], "999", "998"]
    planned = engage.reconcile(present, dry_run=True)
    assert (planned.outcome, planned.left, planned.returned, planned.strangers) == ("planned", ["cy"], ["bo"], 2)
    assert kinds(community, "cy") == ["enrolled", "linked"]
    done = engage.reconcile(present, by="admin-7", reason="monthly check")
    assert (done.outcome, done.left, done.returned) == ("reconciled", ["cy"], ["bo"])
    assert [event.actor for event in engage.events("cy")] == [None, None, "admin-7"]
    engage.leave("ada")
    assert [engage.events(name)[-1].window_from for name in ("ada", "cy")] == [community.now] * 2
    again = engage.reconcile(present[1:])
    assert (again.left, again.returned) == ([], [])


def test_a_list_without_many_members_is_refused(community: Community) -> None:
    """A list that lacks five of nine members is refused unless an admin accepts it; one that lacks four is noted."""
    engage, names = community.engage, list(IDS)[:9]
    community.enroll(*names)
    four = [IDS[name] for name in names[5:]]
    with pytest.raises(RosterError, match="5 of 9 members have left") as refused:
        engage.reconcile(four)
    assert (refused.value.kind, refused.value.argument) == ("distrusted", "accept_departures")
    with pytest.raises(InvalidValue, match="by"):
        engage.reconcile(four, accept_departures=True)
    assert engage.reconcile(four, dry_run=True).distrusted
    assert list(engage.reconcile([IDS[name] for name in names[4:]]).left) == names[:4]
    assert list(engage.reconcile([], accept_departures=True, by="admin-7", reason="closed").left) == names[4:]


def test_a_member_marked_by_mistake_from_thursday_to_monday(community: Community) -> None:
    """Undoing a mistaken leave repairs the streak and the points, and the record shows who did what (R6a)."""
    engage, a_day = community.engage, timedelta(days=1)
    community.enroll("ada")
    community.sync(ada=1_000)
    for xp in (1_100, 1_200, 1_300):
        community.sync(a_day if xp > 1_100 else timedelta(minutes=15), ada=xp)
    community.sync(a_day)
    assert f"{community.now:%a %H:%M}" == "Thu 09:30"
    engage.leave("ada", by="admin-3")
    community.xp["ada"] = 1_400
    community.now += timedelta(days=4)
    engage.settle()
    broken = engage.standing("ada").streak
    assert (broken and broken.current, community.points("ada")) == (0, 3)
    engage.rejoin("ada", never_left=True, **WHY)
    community.run(a_day)
    mended = engage.standing("ada").streak
    assert (mended and mended.current, community.points("ada")) == (6, 4)
    assert [(event.kind, event.actor) for event in engage.events("ada")[2:]] == [
        ("left", "admin-3"),
        ("never_left", "admin-7"),
    ]


def test_a_member_reset_while_nobody_knew_that_they_had_left(community: Community) -> None:
    """A reset during an unnoticed leave is deducted (R4), and an admin can give the points back on record (R8)."""
    community.enroll("ada")
    for xp in (1_000, 7_000, 1_100):
        report = community.sync(ada=xp)
    assert (report.points, community.points("ada")) == (-59, 1)
    community.engage.adjust("ada", points=59, key="reset:ada", reason="reset by MEE6 while away", by="admin-7")
    assert community.points("ada") == 60
    community.sync(ada=1_200)
    assert community.points("ada") == 61


MANY: dict[str, tuple[str, object, str]] = {
    "one id instead of a list": ("leave_all", "ada", "member_ids: 'ada': give a list of str"),
    "an id instead of a list to return": ("rejoin_all", "ada", "member_ids: 'ada': give a list of str"),
    "a number among ids": ("leave_all", ["ada", 5], "member_ids: 5: give a list of str"),
    "ids instead of newcomers": ("enroll_all", ["m-1"], "newcomers: 'm-1': give a list of Newcomer"),
}


@pytest.mark.parametrize(("method", "given", "says"), MANY.values(), ids=MANY)
def test_many_are_given_as_a_list(community: Community, method: str, given: object, says: str) -> None:
    """A text is refused where a list belongs, because it would be taken as a list of its letters."""
    community.enroll("ada")
    with pytest.raises(InvalidValue) as caught:
        getattr(community.engage, method)(given)
    assert str(caught.value) == says
