"""Points booked by hand, and members who are hidden or forgotten, on the command line."""

import os
import pty
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from syrupy.assertion import SnapshotAssertion

from support.command import Operator
from support.lives import FOUR, NOW, five_weeks

AWARD = ("award", "m-2", "--source", "benchmark", "--points", "50", "--key", "benchmark:992")
LATE = (*AWARD, "--at", "2026-03-03T15:00+01:00")
REVERSE = ("reverse", "benchmark:992", "--reason", "withdrawn", "--by", "admin-7")
ADJUST = ("adjust", "m-2", "--points", "-5", "--key", "fix:17", "--reason", "typo", "--by", "admin-7")


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """Yield an operator of the store of five weeks, on its last morning."""
    (tmp_path / "engage.db").write_bytes(five_weeks())
    with time_machine.travel(NOW, tick=False):
        yield Operator(tmp_path)


def test_points_are_booked_once(operator: Operator) -> None:
    """A booking that is repeated is `unchanged`, and each answer has the member's points."""
    told = [operator.call(*line, "--json").json for line in (AWARD, AWARD, ADJUST, ADJUST, REVERSE, REVERSE)]
    assert [(one["outcome"], one["points"], one["entry"]["points"]) for one in told] == [
        ("awarded", 54, 50),
        ("unchanged", 54, 50),
        ("adjusted", 49, -5),
        ("unchanged", 49, -5),
        ("reversed", -1, -50),
        ("unchanged", -1, -50),
    ]
    assert {one["late"] for one in told} == {None}
    assert (told[0]["entry"]["at"], told[0]["entry"]["key"]) == (NOW.isoformat(), "benchmark:992")
    assert (told[2]["entry"]["by"], told[2]["entry"]["reason"]) == ("admin-7", "typo")
    assert told[4]["entry"]["reverses"] == told[0]["entry"]["position"]


def test_late_news_says_how_the_streak_changed(operator: Operator) -> None:
    """An award for a settled Tuesday joins Monday to Wednesday, its reversal splits them again, and each says so."""
    change = {"member_id": "m-2", "current_before": 1, "current_after": 3, "longest_before": 1, "longest_after": 3}
    caused = {"cause": "award", "day": "2026-03-03"}
    assert operator.call(*LATE, "--json").json["late"] == change | caused
    assert operator.call("show", "m-2", "--json").json["streak"]["current"] == 3
    assert operator.call(*REVERSE).out.splitlines()[-1].startswith("streak: current 3 → 1, longest 3 → 1")


def test_bookings_are_told_in_words(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """Each booking is described with the day and the member's points, and `history` explains the entries."""
    lines = (LATE, LATE, ADJUST, REVERSE, REVERSE, ("history", "m-2", "--limit", "4"))
    assert "\n".join(operator.call(*line).out for line in lines) == snapshot


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ((*AWARD[:-3], "51", "--key", "benchmark:991"), 65, "posted as +50 points for 'benchmark' to member 'm-1'"),
        ((*AWARD, "--at", "2026-03-05T10:00"), 65, "at: '2026-03-05T10:00': it has no zone; give a time with its zone"),
        ((*AWARD, "--at", "yesterday"), 65, "at: 'yesterday': give a time with its zone, such as 2026-03-05T14:00Z"),
        ((*AWARD, "--at", "0001-01-01T00:00+14:00"), 65, "at: '0001-01-01T00:00+14:00': give a time"),
        ((*AWARD, "--at", "2026-03-06T10:00Z"), 65, "at most two minutes ahead"),
        (("award", "m-2", "--source", "Discord", "--points", "5", "--key", "k"), 65, "only a sync posts points"),
        (("award", "m-2", "--source", "benchmark", "--points", "-5", "--key", "k"), 65, "points: -5"),
        (("award", "m-2", "--source", "benchmark", "--points", "many", "--key", "k"), 2, "many"),
        (("award", "m-9", *AWARD[2:]), 65, "member 'm-9' is not enrolled"),
        (("reverse", "benchmark:17", *REVERSE[2:]), 65, "there is no award with key 'benchmark:17'"),
        (REVERSE[:-2], 2, "--by"),
        (ADJUST[:-4], 2, "--reason"),
        (("settle", "--accept-quiet", "tomorrow"), 65, "accept-quiet: 'tomorrow': give a day such as 2026-12-25"),
        (("excuse", "2026-03-04", "--by", "a"), 2, "--undo"),
        (("excuse", "2026-03-04", "--reason", "x"), 2, "--by"),
        (("excuse", "--reason", "x", "--by", "a"), 2, "give days"),
        (("excuse", "2026-03-04", "--list"), 2, "--list takes"),
        (("excuse", "2026-02-30", "--reason", "x", "--by", "a"), 65, "day: '2026-02-30'"),
        (("excuse", "2026-02-28", "--reason", "x", "--by", "a"), 65, "excuse a weekday"),
        (("excuse", "2026-02-27", "--reason", "x", "--by", "a", "--member", "m-9"), 65, "member 'm-9' is not enrolled"),
        (("excuse", "2026-02-27", "--reason", " ", "--by", "a"), 65, "reason: "),
        (("excuse", "2026-02-27", "--reason", "x", "--by", " a"), 65, "by: "),
        (("explain", "m-9"), 65, "member 'm-9' is not enrolled"),
        (("explain", "m-1", "--days", "0"), 2, "--days"),
        (("leaderboard", "--month", "March"), 65, "month: 'March': give a month such as 2026-03"),
        (("leaderboard", "--member", "m-9"), 65, "member 'm-9' is not enrolled"),
        (("members", "forget", "m-1"), 2, "pass --yes"),
        (("members", "forget", "m-9", "--yes"), 65, "member 'm-9' is not enrolled"),
        (("members", "hide", "m-9"), 65, "member 'm-9' is not enrolled"),
    ],
)
def test_what_cannot_be_is_refused_with_its_remedy(
    operator: Operator, line: tuple[str, ...], code: int, says: str
) -> None:
    """Bad data and wrong usage are refused on stderr with exit code 65 or 2, and nothing is written."""
    before = (operator.folder / "engage.db").read_bytes()
    ran = operator.call(*line)
    assert (ran.code, ran.out, says in ran.err) == (code, "", True), ran.err
    assert (operator.folder / "engage.db").read_bytes() == before


def test_a_used_up_key_stays_used_up(operator: Operator) -> None:
    """The key of a reversed award is refused from then on, even for the same award."""
    assert [operator.call(*line).code for line in (AWARD, REVERSE, AWARD)] == [0, 0, 65]


def test_a_member_is_forgotten_on_purpose_only(operator: Operator) -> None:
    """Forgetting requires `--yes`; then no name or id is shown or in the file, and the points remain."""
    assert "Ada (m-1)" in operator.call("members", "forget", "m-1").err
    assert operator.call("members", "forget", "m-1", "--yes").out.startswith("m-1: forgotten")
    assert operator.call("members", "forget", "m-1", "--yes", "--json").json["outcome"] == "unchanged"
    shown = [operator.call(*line.split()).out for line in ("show m-1", "members list", "history m-1", "explain m-1")]
    assert all("(forgotten)" in out and "Ada" not in out and FOUR["m-1"] not in out for out in shown)
    assert shown[0].startswith("(forgotten) (m-1): 81 points")
    assert FOUR["m-1"].encode() not in (operator.folder / "engage.db").read_bytes()


CHANGES: dict[str, tuple[str, ...]] = {
    "forgotten": ("members", "forget", "Ad", "--yes"),
    "left": ("members", "left", "Ad"),
    "hidden": ("members", "hide", "Ad"),
    "awarded": ("award", "Ad", "--source", "x", "--points", "1", "--key", "k"),
    "excused": ("excuse", "2026-02-11", "--member", "Ad", "--by", "a", "--reason", "x"),
}


@pytest.mark.parametrize("line", CHANGES.values(), ids=CHANGES)
def test_the_beginning_of_a_name_shows_a_member_and_changes_none(operator: Operator, line: tuple[str, ...]) -> None:
    """A command that changes a member refuses the beginning of a name, and says whom it could mean; `show` takes it."""
    assert operator.call("show", "Ad").out.startswith("Ada (m-1)")
    before = (operator.folder / "engage.db").read_bytes()
    ran = operator.call(*line)
    assert (ran.code, "'Ad' could be 'm-1' (Ada); nothing was done; give the member's id" in ran.err) == (65, True), ran
    assert (operator.folder / "engage.db").read_bytes() == before


@pytest.mark.parametrize(("answer", "outcome"), [("y", "m-1: forgotten"), ("n", "nothing was changed")])
def test_at_a_terminal_forgetting_is_asked(operator: Operator, answer: str, outcome: str) -> None:
    """At a terminal `members forget` asks, and forgets the member only if the answer is yes."""
    ours, theirs = pty.openpty()
    process = operator.start("members", "forget", "m-1", stdin=theirs)
    os.write(ours, f"{answer}\n".encode())
    out, complaint = process.communicate(timeout=30)
    os.close(theirs)
    os.close(ours)
    assert (process.returncode, outcome in out + complaint) == (0, True)
    assert "Ada (m-1)" in complaint


COMMANDS = ("show", "history", "explain", "leaderboard", "award", "reverse", "adjust", "settle", "excuse")


@pytest.mark.parametrize("command", [*COMMANDS, "members enroll", "members forget"])
def test_every_help_has_an_example(operator: Operator, command: str) -> None:
    """Each command's help has an example, and no line is longer than 80 characters."""
    ran = operator.call(*command.split(), "--help")
    assert (ran.code, f"trc-engage {command}" in ran.out.partition("Example")[2]) == (0, True)
    assert max(map(len, ran.out.splitlines())) <= 80


def test_a_hostile_source_is_obeyed_by_nothing(operator: Operator) -> None:
    """Sources and actors with control characters are refused, and a reason with them is made safe when it is shown."""
    hostile = "a\u202e[b]x"
    assert operator.call(*AWARD[:3], hostile, *AWARD[4:]).code == 65
    line = ("adjust", "m-2", "--points", "1", "--key", "k", "--reason", "x\x1b]52;\x07\n\u202e", "--by")
    assert operator.call(*line, "\x1b[31m").code == 65
    assert operator.call(*line, "admin-7").code == 0
    for arguments in (("history", "m-2"), ("explain", "m-2"), ("show", "m-2")):
        assert operator.call(*arguments).out.replace("\n", "").isprintable()
