"""`backup` and `restore`: under the name asked for there is a whole copy or none."""

import itertools
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import COMMAND, Operator
from support.copies import check, earned, keeper, standings


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return earned(tmp_path)


@pytest.fixture
def operator(store: Path) -> Operator:
    return keeper(store)


KILLED = """
import os, signal, sys
from pathlib import Path
from trc_engage.adapters.sqlite import database
moment = int(sys.argv[1])
seen = 0

def count():
    global seen
    seen += 1
    if seen == moment:
        os.kill(os.getpid(), signal.SIGKILL)

class Deadly(database.FileConnection):
    def backup(self, target, *, progress, **how):
        count()
        super().backup(target, progress=lambda *told: (count(), progress(*told)), **how)

database.FileConnection = Deadly

def deadly(call):
    def called(*given, **options):
        count()
        result = call(*given, **options)
        count()
        return result
    return called

for name in ("fsync", "link"):
    setattr(os, name, deadly(getattr(os, name)))
Path.unlink = deadly(Path.unlink)
from trc_engage.adapters.sqlite import backup
backup.STEP_PAGES = 7
from trc_engage.entrypoints.cli import main
sys.argv = ["trc-engage", *sys.argv[2:]]
main()
"""


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_killed_at_any_moment_a_copy_is_whole_or_not_there(operator: Operator, store: Path, command: str) -> None:
    """After SIGKILL at any moment, the file asked for is whole or absent, and leftovers are told by their names."""
    held = operator.folder / "backups" / "b.db"
    env = dict(operator.env)
    if command == "restore":
        assert operator.run("backup", "source.db").code == 0
        env["TRC_ENGAGE_STORE"] = str(held)
    entries = standings(store)
    outcomes = []
    for moment in itertools.count(1):
        arguments = [command, "source.db" if command == "restore" else str(held)]
        victim = subprocess.run(
            [sys.executable, "-c", KILLED, str(moment), *arguments],
            cwd=operator.folder,
            env=env,
            capture_output=True,
            check=False,
        )
        assert victim.returncode in {0, -signal.SIGKILL}, victim.stderr.decode()
        outcomes.append(victim.returncode)
        if held.exists():
            check(held)
            assert standings(held) == entries
        for left in held.parent.iterdir():
            assert left.name in {"b.db", "b.db-journal"} or ".part" in left.name
            left.unlink()
        if victim.returncode == 0:
            break
    assert len(outcomes) > 8
    assert standings(store) == entries


@pytest.mark.parametrize("way", ["file", "folder", "dangling", "journal"])
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_nothing_is_overwritten(operator: Operator, store: Path, command: str, way: str) -> None:
    """Neither command overwrites a file, a folder, a link or the journal of a former store; each ends with an error."""
    target = operator.folder / "backups" / "there.db"
    if way == "file":
        target.write_text("precious")
    elif way == "folder":
        target.mkdir()
    elif way == "dangling":
        target.symlink_to("nowhere")
    else:
        target.with_name("there.db-journal").write_text("precious")
    before = sorted(target.parent.rglob("*"))
    if command == "backup":
        ran = operator.call("backup", str(target))
    else:
        ran = operator.call("restore", str(store), env={"TRC_ENGAGE_STORE": str(target)})
    # A folder in place of the store is an error of the setting that names the store.
    assert ran.code == (78 if (command, way) == ("restore", "folder") else 65)
    assert "there.db" in ran.err
    assert sorted(target.parent.rglob("*")) == before
    assert all(left.read_text() == "precious" for left in before if left.is_file())


@pytest.mark.parametrize("file", ["nowhere/b.db", "engage.db/b.db", "/proc/b.db"])
def test_a_folder_that_takes_nothing_is_named(operator: Operator, file: str) -> None:
    """A backup into a folder that cannot hold it ends with exit code 74 and says that nothing was put there."""
    ran = operator.call("backup", file)
    assert (ran.code, ran.out) == (74, "")
    assert ran.err.startswith(f"trc-engage: {file}: ")
    assert "nothing was put there" in ran.err


def test_a_full_disk_leaves_nothing_behind(operator: Operator) -> None:
    """If the disk is full, `backup` ends with exit code 74 and leaves no file."""

    def smaller() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    ended = subprocess.run(
        [*COMMAND, "backup", "backups/b.db"],
        cwd=operator.folder,
        env=operator.env,
        capture_output=True,
        text=True,
        preexec_fn=smaller,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (74, "")
    assert "free space" in ended.stderr
    assert list((operator.folder / "backups").iterdir()) == []


def test_a_file_that_is_not_there_is_not_made(operator: Operator, store: Path) -> None:
    """Restoring a file that does not exist creates neither the file nor a store."""
    store.rename(operator.folder / "old.db")
    ran = operator.call("restore", "backups/nothing.db")
    assert (ran.code, ran.err) == (65, "trc-engage: backups/nothing.db: there is no such file\n")
    assert not store.exists()
    assert list((operator.folder / "backups").iterdir()) == []
