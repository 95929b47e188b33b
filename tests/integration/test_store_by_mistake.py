"""No command creates a store by mistake, and only its owner can read it (R31)."""

import os
import socket
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from support.command import ADA, GRACE, Operator
from support.postgres import schema, server_dsn
from trc_engage import StoreMissing
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sqlite import SqliteLedger

WITHOUT_A_STORE = [
    ["run-due"],
    ["daemon", "--once"],
    ["daemon"],
    ["sync"],
    ["sync", "--dry-run"],
    ["show", "m-1"],
    ["history", "m-1"],
    ["explain", "m-1"],
    ["leaderboard"],
    ["status"],
    ["status", "--json"],
    ["doctor"],
    ["settle"],
    ["excuse", "2026-12-25", "--reason", "holiday", "--by", "admin"],
    ["award", "m-1", "--source", "x", "--points", "1", "--key", "x:1"],
    ["reverse", "x:1", "--reason", "y", "--by", "z"],
    ["adjust", "m-1", "--points", "1", "--key", "x:2", "--reason", "y", "--by", "z"],
    ["members", "list"],
    ["members", "link", "m-1", ADA],
    ["members", "unlink", "m-1"],
    ["members", "left", "m-1"],
    ["members", "returned", "m-1"],
    ["members", "hide", "m-1"],
    ["members", "show", "m-1"],
    ["members", "forget", "m-1", "--yes"],
    ["export", "entries"],
    ["backup", "copy.db"],
    ["migrate-store", "engage.db", "other.db"],
    ["web", "--port", "0"],
]


@pytest.mark.parametrize("arguments", WITHOUT_A_STORE, ids=" ".join)
def test_no_other_command_makes_a_store(operator: Operator, arguments: list[str]) -> None:
    """On a mistyped path, each of these commands fails with exit code 74, says how to begin, and creates nothing."""
    ran = operator.run(*arguments) if arguments[0] in {"daemon", "web"} else operator.call(*arguments)
    assert ran.code == 74, (ran.out, ran.err)
    assert "there is no store" in ran.err
    assert "trc-engage init" in ran.err
    assert list(operator.folder.iterdir()) == []


@pytest.mark.parametrize("arguments", [["run-due"], ["daemon", "--once"], ["show", "m-1"], ["sync"]], ids=" ".join)
def test_nor_in_a_folder_that_is_not_mounted_or_in_the_users_own(operator: Operator, arguments: list[str]) -> None:
    """Neither the folder of a mistyped path nor that of the default store is created."""
    env = {"TRC_ENGAGE_STORE": str(operator.folder / "mnt" / "engage.db")}
    assert operator.run(*arguments, env=env).code == 74
    env = {"TRC_ENGAGE_STORE": "", "XDG_DATA_HOME": str(operator.folder / "data")}
    assert operator.run(*arguments, env=env).code == 74
    assert list(operator.folder.iterdir()) == []


@pytest.mark.parametrize("arguments", [["run-due"], ["show", "m-1"], ["sync"], ["status"], ["members", "list"]])
def test_an_empty_file_is_no_store_and_stays_empty(operator: Operator, arguments: list[str]) -> None:
    """An empty file, as a mount point or `touch` leaves it, is not a store and stays empty."""
    store = operator.folder / "engage.db"
    store.touch()
    ran = operator.call(*arguments)
    assert (ran.code, "there is no store" in ran.err, store.stat().st_size) == (74, True, 0)


@pytest.mark.parametrize("arguments", [["run-due"], ["show", "m-1"], ["sync"], ["status"], ["members", "list"]])
def test_nor_is_a_schema_laid_out(operator: Operator, arguments: list[str]) -> None:
    """On a mistyped PostgreSQL schema, commands fail and create no schema; enrolling creates it."""
    with schema() as name:
        dsn = f"{server_dsn()}{'&' if '?' in server_dsn() else '?'}schema={name}"
        ran = operator.call(*arguments, env={"TRC_ENGAGE_STORE": dsn})
        assert (ran.code, "there is no store" in ran.err) == (74, True), ran.err
        with pytest.raises(StoreMissing):
            PostgresLedger.open(server_dsn(), schema=name, create=False)
        assert operator.call("members", "enroll", "m-1", env={"TRC_ENGAGE_STORE": dsn}).code == 0
        assert operator.call("show", "m-1", env={"TRC_ENGAGE_STORE": dsn}).code == 0


def test_who_enrolls_makes_one_and_is_told_where(operator: Operator) -> None:
    """The first enrollment creates the store and says where on stderr, so that stdout is only the answer."""
    ran = operator.run("members", "enroll", "m-1", "--json")
    assert (ran.code, ran.err) == (0, f"created a store at {operator.folder / 'engage.db'}\n")
    assert ran.json["member_id"] == "m-1"
    assert operator.run("members", "enroll", "m-2").err == ""


@pytest.mark.parametrize(
    "arguments",
    [["enroll", ""], ["enroll", "m-1", "--discord-id", "x"], ["enroll", "m-1 "], ["import", "roster.csv"]],
    ids=" ".join,
)
def test_what_is_refused_makes_none_either(operator: Operator, arguments: list[str]) -> None:
    """A refused enrollment or import, such as one with a malformed id, creates no store."""
    (operator.folder / "roster.csv").write_text(f"member_id,discord_id\nm-1,{ADA}\nm-2,{ADA}\n")
    ran = operator.call("members", *arguments)
    assert (ran.code, (operator.folder / "engage.db").exists()) == (65, False), ran.err


def test_a_program_may_choose(tmp_path: Path) -> None:
    """`open` creates a store unless `create=False`; a store that vanished while open is not created again."""
    path = tmp_path / "engage.db"
    with pytest.raises(StoreMissing, match="there is no store"):
        SqliteLedger.open(path, create=False)
    assert not path.exists()
    with SqliteLedger.open(path) as ledger, SqliteLedger.open(path, create=False) as again:
        assert (ledger.members(), again.members()) == ([], [])
        path.unlink()
        for one in (ledger, again):
            with pytest.raises(StoreMissing):
                one.members()
    assert not path.exists()


@pytest.mark.parametrize(
    "arguments", [["show", "m-1"], ["status"], ["doctor"], ["members", "list"], ["sync"]], ids=" ".join
)
def test_a_file_of_another_program_is_refused(operator: Operator, arguments: list[str]) -> None:
    """Another program's SQLite file is no store, whether a command only reads or writes, and stays as it is."""
    store = operator.folder / "engage.db"
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    before = store.read_bytes()
    ran = operator.call(*arguments)
    assert (ran.code, "belongs to another program" in ran.err, store.read_bytes() == before) == (74, True, True)


@contextmanager
def bound(path: Path) -> Iterator[None]:
    """Bind a socket at the path."""
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        yield


@contextmanager
def done(make: Callable[[Path], object], path: Path) -> Iterator[None]:
    """Create something at the path."""
    make(path)
    yield


@pytest.mark.parametrize("what", ["pipe", "socket", "device", "folder"])
@pytest.mark.parametrize("arguments", [["show", "m-1"], ["members", "enroll", "m-1"], ["run-due"]], ids=" ".join)
def test_what_is_no_file_is_refused(operator: Operator, what: str, arguments: list[str]) -> None:
    """A pipe, socket, device or folder is refused as a store at once, without waiting for the other end of a pipe."""
    path = operator.folder / "engage.db"
    env = {"TRC_ENGAGE_STORE": "/dev/null" if what == "device" else str(path)}
    makers: dict[str, Callable[[Path], object]] = {"pipe": os.mkfifo, "folder": Path.mkdir, "device": str}
    with bound(path) if what == "socket" else done(makers[what], path):
        ran = operator.run(*arguments, env=env)
    assert (ran.code, "choose a file" in ran.err) == (78, True), ran.err


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o277], ids=oct)
def test_a_store_is_its_owners_alone(operator: Operator, mask: int) -> None:
    """The store, its journal and a folder created for it are the owner's only, whatever the umask."""
    data = operator.folder / "data"
    data.mkdir()
    env = {"TRC_ENGAGE_STORE": "", "XDG_DATA_HOME": str(data)}
    before = os.umask(mask)
    try:
        assert operator.run("members", "enroll", "m-1", env=env).code == 0
        assert operator.run("members", "enroll", "m-2", env=env).code == 0
    finally:
        os.umask(before)
    folder = data / "trc-engage"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"engage.db": 0o600, "engage.db-journal": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_never_is_anybody_elses(tmp_path: Path) -> None:
    """The file is created with mode 0600, so others cannot read it even before its mode could be set."""
    seen: list[int] = []
    real = os.open

    def watched(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            seen.append(mode)
        return real(path, flags, mode)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", watched)
        SqliteLedger.open(tmp_path / "engage.db").close()
    assert seen == [0o600]


def test_what_was_there_keeps_its_mode(operator: Operator) -> None:
    """A store that its owner made readable to a group keeps its mode, and its journal gets the same."""
    store = operator.folder / "engage.db"
    operator.call("members", "enroll", "m-1")
    store.chmod(0o640)
    (operator.folder / "engage.db-journal").unlink()
    operator.call("members", "enroll", "m-2")
    assert {stat.S_IMODE(path.stat().st_mode) for path in operator.folder.iterdir()} == {0o640}


def test_what_moves_and_restores_is_as_private(operator: Operator) -> None:
    """Backups, moved and restored stores are the owner's only, since they contain the same names."""
    before = os.umask(0)
    try:
        operator.call("members", "enroll", "m-1")
        assert operator.run("backup", "copy.db").code == 0
        assert operator.run("migrate-store", "engage.db", "moved.db").code == 0
        assert operator.run("restore", "copy.db", env={"TRC_ENGAGE_STORE": "restored.db"}).code == 0
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in operator.folder.iterdir()} == {0o600}


def test_a_store_without_members_is_not_healthy(operator: Operator) -> None:
    """A store without members is reported as NOT healthy even if all runs succeed (R31)."""
    SqliteLedger.open(operator.folder / "engage.db").close()
    assert operator.run("run-due").code == 0
    ran = operator.run("status")
    first = ran.out.splitlines()[0]
    assert (ran.code, first.startswith("NOT healthy: nobody is enrolled"), "members enroll" in first) == (1, True, True)
    operator.run("members", "enroll", "m-1", "--discord-id", ADA)
    assert operator.run("sync", "--fresh").code == 0
    assert operator.run("status").code == 0


@pytest.mark.parametrize(
    ("ids", "is_refused"),
    [
        (["803511102246789000", "175928847299117000"], True),
        (["803511102246789000", "175928847299117000", "175928847299117063"], True),
        (["803511102246789000", "175928847299117000", ADA, GRACE], False),
        (["803511102246789000"], False),
        (["803511102246789000", ADA], False),
        (["80351110224678900", "17592884729911700"], True),
        (["8035111022467890", "1759288472991170"], False),
        (["80351110224678910", "17592884729911720"], False),
        (["80351110224678900", "803511102246780000", "1", "2", "3"], True),
    ],
)
@pytest.mark.parametrize("options", [[], ["--skip-bad"]], ids=str)
def test_ids_that_a_spreadsheet_rounded_are_refused(
    operator: Operator, ids: list[str], options: list[str], *, is_refused: bool
) -> None:
    """An import is refused if two or more ids, and over half of those long enough, look rounded by a spreadsheet."""
    lines = [f"m-{number},{discord_id}" for number, discord_id in enumerate(ids)]
    (operator.folder / "roster.csv").write_text("\n".join(["member_id,discord_id", *lines]))
    ran = operator.call("members", "import", "roster.csv", *options)
    assert (ran.code, "format their column as text" in ran.err) == ((65, True) if is_refused else (0, False)), ran.err
    assert (operator.folder / "engage.db").exists() is not is_refused
