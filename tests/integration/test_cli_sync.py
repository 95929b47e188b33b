"""`sync` on the command line: how XP becomes points, and what prevents it."""

import os
import pty
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.command import ADA, GRACE, Operator
from support.terminal import read_out
from trc_engage import Engage
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server

BY_NOBODY = {
    "key": None,
    "reason": None,
    "by": None,
    "reverses": None,
    "booked_at": None,
    "counts_as_activity": True,
}


def test_xp_becomes_points(operator: Operator, server: Mee6Server) -> None:
    """The JSON of `sync`, `show` and `history` is what scripts expect, from the first enrollment to the first gain."""
    enroll = ("members", "enroll", "--json")
    assert operator.run(*enroll, "m-1", "--discord-id", ADA, "--name", "Ada").json["outcome"] == "enrolled"
    assert operator.run(*enroll, "m-2", "--discord-id", GRACE).json["outcome"] == "enrolled"
    assert operator.run("sync", "--json").json["opened"] == 2
    server.board.give(ADA, 250)
    server.board.give(GRACE, 50)
    report = operator.run("sync", "--fresh", "--json").json
    assert datetime.fromisoformat(report.pop("taken_at")).tzinfo is not None
    assert report == {
        "outcome": "synced",
        "opened": 0,
        "gained": 2,
        "deducted": 0,
        "rebased": 0,
        "unchanged": 0,
        "absent": 0,
        "missed": 0,
        "points": 2,
        "pages": 1,
        "rows": 2,
        "late": [],
        "dry_run": False,
    }
    assert operator.run("show", "m-1", "--json").json == {
        "member_id": "m-1",
        "name": "Ada",
        "points": 2,
        "points_by_source": {"discord": 2},
        "discord": {
            "discord_id": ADA,
            "xp_total": 1_250,
            "xp_carried": 50,
            "xp_to_next_point": 50,
            "status": "tracked",
        },
        "streak": {"current": 0, "longest": 0, "active_today": True, "at_risk": False, "next_milestone": 5},
        "left": False,
    }
    newest, opening = operator.run("history", "m-1", "--json").json["entries"]
    instants = [datetime.fromisoformat(entry.pop("at")) for entry in (opening, newest)]
    assert instants == sorted(instants)
    assert (newest, opening) == (
        {
            "position": 3,
            "kind": "gain",
            "source": "discord",
            "points": 2,
            "day": opening["day"],
            "silent": False,
            **BY_NOBODY,
            "xp_before": 1_000,
            "xp_after": 1_250,
            "xp_carried": 50,
            "xp_carried_before": 0,
            "xp_baseline": 1_000,
            "xp_baseline_before": 1_000,
        },
        {
            "position": 1,
            "kind": "opening",
            "source": "discord",
            "points": 0,
            "day": opening["day"],
            "silent": True,
            **BY_NOBODY,
            "xp_before": None,
            "xp_after": 1_000,
            "xp_carried": 0,
            "xp_carried_before": None,
            "xp_baseline": 1_000,
            "xp_baseline_before": None,
        },
    )


def test_a_dry_run_tells_and_writes_nothing(opened: Operator) -> None:
    """A dry run writes nothing, and the sync after it books the points that it announced."""
    planned = opened.call("sync", "--fresh", "--dry-run", "--json").json
    assert (planned["outcome"], planned["dry_run"], planned["gained"], planned["points"]) == ("planned", True, 2, 2)
    assert planned["moves"] == [
        {"member_id": "m-1", "kind": "gain", "points": 2, "xp_before": 1_000, "xp_after": 1_250},
        {"member_id": "m-2", "kind": None, "points": 0, "xp_before": 2_000, "xp_after": 2_050},
    ]
    assert opened.call("show", "m-1", "--json").json["points"] == 0
    assert opened.call("sync", "--fresh", "--json").json["points"] == 2


def test_a_sync_soon_after_another_answers_from_its_reading(opened: Operator, server: Mee6Server) -> None:
    """A sync soon after another requests nothing, and its answer says that it is cached and names `--fresh`."""
    requests = len(server.requests)
    cached = opened.call("sync", "--json").json
    assert (cached["outcome"], cached["unchanged"], cached["pages"], len(server.requests)) == ("cached", 2, 0, requests)
    assert "--fresh" in opened.call("sync").out


def test_a_failed_sync_is_told_in_json_too(opened: Operator, server: Mee6Server) -> None:
    """The JSON of a failed sync has the kind, the message and when to retry, before which MEE6 is not asked again."""
    requests = len(server.requests)
    server.trouble("rate_limited_seconds")
    ran = opened.call("sync", "--fresh", "--json")
    assert (ran.code, ran.json["outcome"], ran.json["kind"]) == (69, "failed", "rate_limited")
    assert timedelta(0) < datetime.fromisoformat(ran.json["retry_at"]) - datetime.now(UTC) <= timedelta(seconds=120)
    assert ran.err == f"trc-engage: {ran.json['message']}\n"
    assert f"after {datetime.fromisoformat(ran.json['retry_at']):%Y-%m-%d %H:%M:%S} UTC" in ran.err
    waiting = opened.call("sync", "--fresh", "--json")
    assert (waiting.code, waiting.json["retry_at"], len(server.requests)) == (69, ran.json["retry_at"], requests + 1)
    assert opened.call("show", "m-1", "--json").json["points"] == 0


DECIDED = ("--by", "admin-7", "--reason", "a new season", "--yes")


def test_drops_are_for_an_admin_to_decide(operator: Operator, server: Mee6Server) -> None:
    """A board that would lower many members is refused; `--rebase-drops` takes no points, `--accept-drops` does."""
    ids = [str(int(ADA) + 100 + number) for number in range(6)]
    for number, discord_id in enumerate(ids):
        server.board.join(discord_id, xp=5_000)
        operator.call("members", "enroll", f"m-{number}", "--discord-id", discord_id)
    operator.call("sync")
    for discord_id in ids:
        server.board.remove(discord_id, 1_000)
    refused = operator.call("sync", "--fresh", "--json")
    assert (refused.code, refused.json["kind"]) == (69, "distrusted")
    assert "--accept-drops" in refused.err
    assert "--rebase-drops" in refused.err

    rebased = operator.call("sync", "--rebase-drops", *DECIDED, "--json").json
    assert (rebased["rebased"], rebased["points"]) == (6, 0)
    for discord_id in ids:
        server.board.remove(discord_id, 1_000)
    accepted = operator.call("sync", "--accept-drops", *DECIDED, "--json").json
    assert (accepted["deducted"], accepted["points"]) == (6, -60)


@pytest.mark.parametrize(
    ("option", "answer", "code", "points"),
    [("--accept-drops", "y\n", 0, -8), ("--accept-drops", "n\n", 0, 0), ("--rebase-drops", "y\n", 0, 0)],
)
def test_at_a_terminal_a_decision_about_drops_is_asked(
    opened: Operator, server: Mee6Server, option: str, answer: str, code: int, points: int
) -> None:
    """At a terminal the numbers are shown before the question, and only a yes changes anything (R27)."""
    server.board.remove(ADA, 1_000)
    ours, theirs = pty.openpty()
    process = opened.start("sync", option, *DECIDED[:-1], stdin=theirs)
    os.write(ours, answer.encode())
    out, asked = process.communicate(timeout=60)
    os.close(theirs)
    read_out(ours)
    assert (process.returncode, opened.call("show", "m-1", "--json").json["points"]) == (code, points)
    lost, kept = (1, 0) if option == "--accept-drops" else (0, 1)
    assert f"{lost} member{'s' * (not lost)} would lose points, {kept} would keep them and count on" in asked
    assert ("nothing was changed" in asked) == (not out.strip())


def test_ctrl_c_at_a_question_changes_nothing(opened: Operator, server: Mee6Server) -> None:
    """Ctrl-C at a question ends with 130, as everywhere, and changes nothing."""
    server.board.remove(ADA, 1_000)
    ours, theirs = pty.openpty()
    process = opened.start("sync", "--accept-drops", *DECIDED[:-1], stdin=theirs)
    assert process.stderr is not None
    asked = ""
    while not asked.endswith("[y/N]"):
        asked += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    os.close(theirs)
    read_out(ours)
    assert (process.returncode, said.rstrip().endswith("nothing was changed")) == (130, True)
    assert opened.call("show", "m-1", "--json").json["points"] == 0


def test_a_sync_beside_another_says_busy(opened: Operator, tmp_path: Path) -> None:
    """While another process holds the lease, `sync` names it and ends with exit code 75."""
    at = datetime.now(UTC)
    with SqliteLedger.open(tmp_path / "engage.db") as ledger:
        lease = ledger.lease("run", at, at + timedelta(minutes=5))
        ran = opened.run("sync", "--json")
        ledger.release(lease)
    assert (ran.code, ran.json["kind"]) == (75, "busy")
    assert f":{os.getpid()}:" in ran.err


def test_clocks_that_disagree_are_trouble_of_the_source(opened: Operator, server: Mee6Server, tmp_path: Path) -> None:
    """If the server's clock is a year off, or the store is from the future, `sync` fails and names `date -u`."""
    server.trouble("clock_off", times=1)
    ran = opened.call("sync", "--fresh", "--json")
    assert (ran.code, ran.json["kind"], "date -u" in ran.err) == (69, "clock", True)

    ahead = datetime.now(UTC) + timedelta(days=365)
    with (
        Mee6Server.start(clock=lambda: ahead) as server_ahead,
        SqliteLedger.open(tmp_path / "engage.db") as ledger,
        Mee6Source.open(server_ahead.guild_id, base_url=server_ahead.url) as source,
    ):
        server_ahead.board.join(ADA, xp=1_000)
        server_ahead.board.join(GRACE, xp=2_000)
        Engage(ledger=ledger, source=source, clock=lambda: ahead).sync(adopt_board=True, by="me", reason="to get ahead")
    ran = opened.call("sync", "--json")
    assert (ran.code, ran.json["kind"], "date -u" in ran.err) == (69, "clock", True)


def test_ctrl_c_ends_quietly_and_leaves_the_store_free(opened: Operator, server: Mee6Server) -> None:
    """Ctrl-C during a read ends `sync` silently with exit code 130, and the next sync can start at once."""
    server.trouble("timeout", times=1)
    requests = len(server.requests)
    process = opened.start("sync", "--fresh")
    while len(server.requests) == requests:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 130
    assert opened.run("sync", "--fresh", "--json").json["points"] == 2
