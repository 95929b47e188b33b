"""Days and streaks on the command line, over a store that holds five weeks, under a clock that the test sets."""

import os
import pty
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from syrupy.assertion import SnapshotAssertion

from support.command import Operator
from support.lives import FOUR, NOW, five_weeks, four_in
from support.terminal import read_out
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.entrypoints.cli import app


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """Yield an operator of the store of five weeks, on its last morning."""
    (tmp_path / "engage.db").write_bytes(five_weeks())
    with time_machine.travel(NOW, tick=False):
        yield Operator(tmp_path)


def test_a_clock_behind_the_ledger_settles_nothing(operator: Operator) -> None:
    """If the clock is behind the ledger, `settle` ends with exit code 69 and says how to look at the clock."""
    with time_machine.travel(NOW - timedelta(days=2)):
        ran = operator.call("settle")
    assert (ran.code, "date -u" in ran.err) == (69, True)


def test_days_are_settled_and_pending_ones_explained(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """A day waits for a successful sync after its end, and `settle` says which days wait and why."""
    quiet = ("--accept-quiet", "2026-03-04", "--by", "admin-7", "--reason", "a slow day", "--yes")
    told = [operator.call("settle"), operator.call("settle", *quiet)]
    with time_machine.travel(NOW + timedelta(days=2)):
        told.append(operator.call("settle"))
        pending = operator.call("settle", "--json").json
    assert "\n".join(ran.out for ran in told) == snapshot
    assert pending["settled"] == []
    assert [(one["day"], one["cause"]) for one in pending["pending"]] == [
        ("2026-03-05", "no_sync"),
        ("2026-03-06", "no_sync"),
    ]


def test_the_leaderboard_ranks_current_streaks(operator: Operator) -> None:
    """The leaderboard by streak lists only current streaks, as long as `show` says, and refuses a month."""
    assert operator.call("leaderboard", "--by", "streak", "--month", "2026-03").code == 2
    ranks = operator.call("leaderboard", "--by", "streak", "--json").json["ranks"]
    lengths = [one["streak"] for one in ranks]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths
    assert all(lengths)
    for one in ranks:
        assert operator.call("show", one["member_id"], "--json").json["streak"]["current"] == one["streak"]
    lines = operator.call("leaderboard", "--by", "streak").out.splitlines()
    assert (lines[0], len(lines)) == ("longest current streaks, in weekdays", 3 + len(ranks))


def test_a_store_without_accounts_settles_day_by_day(tmp_path: Path) -> None:
    """Without accounts a day is settled once it is over, and many days are printed as a range."""
    operator = Operator(tmp_path)
    with time_machine.travel(NOW) as time:
        operator.call("members", "enroll", "m-1")
        assert operator.call("settle").out == "settled: nothing; every day that is over is already settled\n"
        time.shift(timedelta(days=1))
        assert operator.call("settle").out == "settled: Thu 2026-03-05\n"
        time.shift(timedelta(days=30))
        # There is no board to confirm that so much time has passed.
        operator.call("clock", "confirm", "--by", "admin-7", "--reason", "a month off")
        assert operator.call("settle").out == "settled: 30 days, Fri 2026-03-06 to Sat 2026-04-04\n"
        assert operator.call("settle", "--json").json == {"settled": [], "pending": []}


def test_an_excused_day_says_whose_streak_it_changed(operator: Operator) -> None:
    """Excusing a day, or undoing that, says whose streak changed; a second time changes nothing."""
    excuse = ("excuse", "2026-02-11", "--reason", "MEE6 stood still", "--by", "admin-7")
    assert operator.call(*excuse).out == (
        "Wed 2026-02-11 is excused: it breaks no streak\n1 streak changed:\n  m-1: current 14 → 21, longest 14 → 21\n"
    )
    again = operator.call(*excuse, "2026-12-25", "--json").json
    assert (again["outcome"], again["days"], again["unchanged"]) == ("excused", ["2026-12-25"], ["2026-02-11"])
    undone = operator.call("excuse", "2026-02-11", "--undo", "--by", "admin-7", "--reason", "it ran", "--json").json
    assert (undone["outcome"], undone["member_id"], len(undone["late"])) == ("required", None, 1)
    assert operator.call("excuse", "2026-02-11", "--undo", "--by", "admin-7", "--reason", "it ran").out == (
        "Wed 2026-02-11 is unchanged: nothing to do\n"
    )


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ([], "DAY, --by, --reason"),
        (["2026-03-04", "--by", "admin-7"], "--reason"),
        (["2026-03-04", "--undo"], "--by, --reason"),
    ],
)
def test_what_an_excuse_still_needs_is_named(operator: Operator, given: list[str], missing: str) -> None:
    """An incomplete `excuse` names what is missing, as wrong usage."""
    ran = operator.call("excuse", *given)
    assert (ran.code, f"Error: {missing} missing: give days" in ran.err) == (2, True)


def test_a_member_is_excused_alone(operator: Operator) -> None:
    """Past and future days can be excused for one member alone, and `--list` says for whom, by whom and why (R13a)."""
    alone = ("--member", "m-1", "--by", "admin-7")
    others = [operator.call("show", other).out for other in ("m-2", "m-3")]
    days = ("2026-02-11", "2026-12-24")
    assert operator.call("excuse", *days, *alone, "--reason", "in hospital", "--note", "a call").out == (
        "Wed 2026-02-11 is excused for m-1: it breaks no streak of that member\n"
        "Thu 2026-12-24 is excused for m-1: it breaks no streak of that member\n"
        "1 streak changed:\n  m-1: current 14 → 21, longest 14 → 21\n"
    )
    operator.call("excuse", "2026-12-25", "--reason", "Christmas", "--by", "admin-7")
    assert [operator.call("show", other).out for other in ("m-2", "m-3")] == others
    assert operator.call("excuse", days[0], "--undo", *alone, "--reason", "a mistake").out.endswith(
        "  m-1: current 21 → 14, longest 21 → 14\n"
    )
    listed = operator.call("excuse", "--list").out
    assert [line.split() for line in listed.splitlines()[-2:]] == [
        ["Thu", "2026-12-24", "m-1", "admin-7", "in", "hospital", "a", "call"],
        ["Fri", "2026-12-25", "everybody", "admin-7", "Christmas"],
    ]
    *_, christmas = operator.call("excuse", "--list", "--member", "m-2", "--json").json["excusals"]
    assert (christmas["day"], christmas["member_id"], christmas["note"]) == ("2026-12-25", None, None)


def test_a_member_is_shown_with_streak_and_calendar(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """`show` has the streak and a calendar, in lines of at most 80 characters."""
    told = [operator.call("show", member).out for member in ("m-1", "m-2")]
    assert "\n".join(told) == snapshot
    assert max(len(line) for one in told for line in one.splitlines()) <= 80


def test_colours_are_for_a_terminal_that_has_them(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets the same text in colors, unless NO_COLOR is set."""
    plain = operator.call("show", "m-1").out
    for term, no_color, coloured in (("xterm-256color", "", True), ("xterm-256color", "1", False)):
        ours, theirs = pty.openpty()
        for name, value in {**operator.env, "TERM": term, "NO_COLOR": no_color}.items():
            monkeypatch.setenv(name, value)
        with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch:
            patch.setattr("sys.stdout", terminal)
            app(["show", "m-1"], standalone_mode=False)
        shown = read_out(ours)
        assert ("\x1b[" in shown) == coloured
        lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()]
        assert lines == plain.splitlines()


def test_scripts_get_the_streak(operator: Operator) -> None:
    """The JSON of `show` has the streak's lengths, whether it is at risk, and the next milestone."""
    assert operator.call("show", "m-1", "--json").json["streak"] == {
        "current": 14,
        "longest": 14,
        "active_today": True,
        "at_risk": False,
        "next_milestone": 20,
    }
    assert operator.call("show", "m-2", "--json").json["streak"]["at_risk"] is True


def test_each_day_is_explained(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """`explain` says what made each day active and how XP became points, in lines of at most 80 characters."""
    told = [
        operator.call(*line.split()).out for line in ("explain m-1 --days 6", "explain m-2", "explain m-3 --days 2")
    ]
    assert "\n".join(told) == snapshot
    assert max(len(line) for one in told for line in one.splitlines()) <= 80


def test_scripts_get_the_days(operator: Operator) -> None:
    """The JSON of `explain` has each day's mark, evidence and entries."""
    days = [one["day"] for one in operator.call("explain", "m-1", "--days", "23", "--json").json["days"]]
    assert [day["mark"] for day in days[:6]] == ["active", "active", "active", "active", "weekend", "weekend"]
    assert (days[17]["day"], days[17]["mark"], days[22]["mark"]) == ("2026-02-16", "excused", "missed")
    wednesday = days[1]
    assert [one["source"] for one in wednesday["evidence"]] == ["discord", "benchmark"]
    assert wednesday["evidence"][0]["opens_at"] == "2026-03-04T08:45:00+00:00"
    assert sorted(entry["kind"] for entry in wednesday["entries"]) == ["award", "gain"]


def test_a_window_over_midnight_names_its_days(operator: Operator) -> None:
    """XP that rose between reads on two days counts for both days, and `explain` names the whole window."""
    with SqliteLedger.open(operator.folder / "engage.db") as ledger:
        community = four_in(ledger)
        community.now = NOW + timedelta(days=1)
        community.sync(timedelta(), **dict.fromkeys(FOUR, 10_000))
    with time_machine.travel(NOW + timedelta(days=1)):
        out = operator.call("explain", "m-4", "--days", "2").out
    window = "XP rose at some time between Thu 2026-03-05 09:15 UTC and Fri 2026-03-06 10:30 UTC."
    told = " ".join(out.split())
    assert f"Fri 2026-03-06 counts: {window}" in told
    assert f"Thu 2026-03-05 counts: {window}" in told
    assert "9,000 XP pay 90 points (9,000 XP), and no XP are left over" in told


def test_who_leads_is_ranked(operator: Operator, snapshot: SnapshotAssertion) -> None:
    """Equal points share a rank, of all time and of a month, and a member's own rank is given outside the list too."""
    operator.call("award", "m-4", "--source", "download", "--points", "31", "--key", "download:2")
    lines = ("leaderboard", "leaderboard --month 2026-03 --limit 1 --member m-2", "leaderboard --month 2025-12")
    assert "\n".join(operator.call(*line.split()).out for line in lines) == snapshot
    ranks = operator.call("leaderboard", "--json", "--limit", "3", "--member", "m-2").json
    assert (ranks["month"], [one["rank"] for one in ranks["ranks"]], ranks["own"]["rank"]) == (None, [1, 2, 2], 4)


def test_who_hides_is_left_out_and_still_ranked(operator: Operator) -> None:
    """A hidden member is left out of the leaderboard but still ranked, and is listed again once shown."""
    assert operator.call("members", "hide", "m-1", "--json").json["outcome"] == "hidden"
    hidden = operator.call("leaderboard", "--member", "m-1", "--json").json
    assert ([one["member_id"] for one in hidden["ranks"]], hidden["own"]["rank"]) == (["m-3", "m-2", "m-4"], 1)
    assert operator.call("leaderboard", "--member", "m-1").out.endswith("rank 1 with 81 points, hidden from the list\n")
    assert operator.call("members", "show", "m-1").out == "m-1: shown in leaderboards\n"
    assert operator.call("leaderboard", "--json").json["ranks"][0]["member_id"] == "m-1"
