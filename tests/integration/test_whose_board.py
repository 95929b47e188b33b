"""Whose board a store belongs to, on the command line and over real servers (R24)."""

import os
import pty
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import ADA, GRACE, Operator
from support.terminal import read_out
from trc_engage import InvalidValue
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server

ADOPT = ("sync", "--adopt-board", "--by", "admin-7", "--reason", "we moved")


@pytest.fixture
def other() -> Iterator[Mee6Server]:
    """Start another server with far more XP for both members, such as a trial of `mee6-server` or another guild's."""
    with Mee6Server.start() as server:
        server.board.join(ADA, username="ada", xp=91_000)
        server.board.join(GRACE, username="grace", xp=92_000)
        for number in range(1_500):
            server.board.join(str(900_000_000_000 + number), xp=95_000 - number)
        yield server


def points(operator: Operator) -> list[int]:
    """Return the points of both members."""
    return [operator.call("show", member, "--json").json["points"] for member in ("m-1", "m-2")]


DECIDED = ("--by", "admin-7", "--reason", "it is the same", "--yes")


@pytest.mark.parametrize(
    "options", [(), ("--fresh",), ("--dry-run",), ("--accept-drops", *DECIDED), ("--rebase-drops", *DECIDED)]
)
def test_a_trials_server_is_another_board(
    opened: Operator, server: Mee6Server, other: Mee6Server, options: tuple[str, ...]
) -> None:
    """A store refuses another server's board without a request to it; with its own server again, everything is paid."""
    ran = opened.call("sync", "--json", *options, env={"TRC_ENGAGE_MEE6_URL": other.url})
    assert (ran.code, ran.json["kind"]) == (69, "another_board")
    for told in (f"mee6:{server.guild_id}@{server.url[7:]}", f"mee6:{other.guild_id}@{other.url[7:]}", "--adopt-board"):
        assert told in ran.err
    assert other.requests == []
    assert opened.call("sync", "--fresh", "--json").json["points"] == 2


def test_another_guild_is_another_board(opened: Operator, server: Mee6Server) -> None:
    """With a mistyped guild id no member gains points, and the run says so by an alert and its exit code."""
    requests = len(server.requests)
    ran = opened.call("run-due", env={"TRC_ENGAGE_GUILD_ID": "200000000000000009"})
    assert (ran.code, len(server.requests)) == (69, requests)
    assert "the source reads another board" in ran.err
    status = opened.call("status", "--json").json
    assert status["board_id"] == f"mee6:{server.guild_id}@{server.url[7:]}"
    assert [trouble["topic"] for trouble in status["troubles"]] == ["source"]
    assert points(opened) == [0, 0]


def test_a_board_is_adopted_from_the_command_line(opened: Operator, server: Mee6Server, other: Mee6Server) -> None:
    """A dry run shows what adopting would do; then the whole board is read, the points stay, and new XP counts."""
    env = {"TRC_ENGAGE_MEE6_URL": other.url}
    opened.call("sync", "--fresh")
    assert points(opened) == [2, 0]
    looked = opened.call("sync", "--adopt-board", "--dry-run", env=env)
    assert (looked.code, "2 rebased" in looked.out) == (0, True)
    ran = opened.call(*ADOPT, "--yes", "--json", env=env)
    assert (ran.code, ran.json["rebased"], ran.json["points"], ran.json["rows"]) == (0, 2, 0, 1_502)
    assert points(opened) == [2, 0]
    history = opened.call("history", "m-1")
    assert "not counted; carried 50 stays; decided by admin-7: we moved" in history.out
    assert f"mee6:{other.guild_id}@{other.url[7:]}" in opened.call("status").out
    other.board.give(ADA, 50)
    assert opened.call("sync", "--fresh", "--json", env=env).json["points"] == 1
    back = opened.call("sync", "--fresh", env={"TRC_ENGAGE_MEE6_URL": server.url})
    assert (back.code, "cannot be compared" in back.err) == (69, True)
    assert opened.call("doctor").code == 0


@pytest.mark.parametrize(("answer", "adopts"), [("y", True), ("n", False)])
def test_at_a_terminal_an_adoption_is_asked(opened: Operator, other: Mee6Server, answer: str, adopts: bool) -> None:
    """At a terminal the numbers are shown before the question, and only a yes adopts."""
    ours, theirs = pty.openpty()
    opened.env["TRC_ENGAGE_MEE6_URL"] = other.url
    process = opened.start(*ADOPT, stdin=theirs)
    os.write(ours, f"{answer}\n".encode())
    out, complaint = process.communicate(timeout=60)
    os.close(theirs)
    read_out(ours)
    assert process.returncode == 0, complaint
    assert "of 2 accounts 2 would count on from the XP that it shows, 0 are not on it" in complaint
    assert ("2 rebased" in out) == adopts
    assert ("nothing was changed" in complaint) != adopts
    assert opened.call("sync", "--fresh").code == (0 if adopts else 69)


@pytest.mark.parametrize(
    ("base_url", "board_id"),
    [
        ("https://mee6.xyz", "mee6:1"),
        ("https://MEE6.xyz:443/", "mee6:1"),
        ("https://mee6.xyz.", "mee6:1"),
        ("http://mee6.xyz", "mee6:1@mee6.xyz:80"),
        ("https://mee6.xyz:8443", "mee6:1@mee6.xyz:8443"),
        ("http://127.0.0.1:8123", "mee6:1@127.0.0.1:8123"),
        ("http://[::1]:8123/path/to-it", "mee6:1@[::1]:8123"),
        ("https://bücher.example", "mee6:1@xn--bcher-kva.example:443"),
    ],
)
def test_the_source_says_whose_board_it_reads(base_url: str, board_id: str) -> None:
    """The board's id is source and guild, plus host and port unless they are MEE6's own in any spelling."""
    with Mee6Source.open("1", base_url=base_url, token="s3cret-token") as source:  # noqa: S106
        assert source.board_id == board_id


def test_no_credential_is_part_of_a_board() -> None:
    """An address with a password is refused, so none can be stored as part of a board's id."""
    with pytest.raises(InvalidValue):
        Mee6Source.open("1", base_url="http://me:pw@127.0.0.1:8123")


def test_sqlite_checks_foreign_keys(tmp_path: Path) -> None:
    """SQLite checks foreign keys on the ledger's connections, which it does not by default."""
    path = tmp_path / "engage.db"
    with SqliteLedger.open(path) as ledger, ledger._database.connection() as connection:
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO discord_activity (member_id, discord_id, linked_at) VALUES ('x', '1', 'y')")
