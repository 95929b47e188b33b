"""`backup` and `restore` on file systems without hard links, such as SMB, exFAT and many of FUSE."""

import errno
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.command import COMMAND, TIMEOUT_SECONDS, Operator
from support.copies import check, earned, keeper, standings
from trc_engage.adapters.sqlite import backup

NO_LINKS = "link,linkat:error={}"
NO_RENAME = "renameat2:error={}"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return earned(tmp_path)


@pytest.fixture
def operator(store: Path) -> Operator:
    return keeper(store)


def run_with(operator: Operator, injections: Sequence[str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command whose system calls fail as on such a file system."""
    if shutil.which("strace") is None:
        if os.environ.get("CI"):
            pytest.fail("strace is not installed")
        pytest.skip("strace is not installed")
    strace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=link,linkat,renameat2,fsync"]
    for injection in injections:
        strace += ["-e", f"inject={injection}"]
    return subprocess.run(
        [*strace, *COMMAND, *arguments],
        cwd=operator.folder,
        env=operator.env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


@pytest.mark.parametrize(
    "injections",
    [
        [NO_LINKS.format("EPERM")],
        [NO_LINKS.format("EOPNOTSUPP")],
        [NO_LINKS.format("EMLINK")],
        [NO_LINKS.format("ENOSYS")],
        [NO_LINKS.format("EACCES"), NO_RENAME.format("EINVAL")],
        [NO_LINKS.format("EPERM"), NO_RENAME.format("ENOSYS")],
        [NO_LINKS.format("EPERM"), NO_RENAME.format("EOPNOTSUPP")],
    ],
    ids=" ".join,
)
def test_a_copy_is_put_in_place_all_the_same(operator: Operator, store: Path, injections: list[str]) -> None:
    """The copy is whole, its owner's only and alone in its folder, and a restore from it works in the same way."""
    backed_up = run_with(operator, injections, "backup", "backups/b.db")
    assert (backed_up.returncode, backed_up.stderr) == (0, "")
    copy = operator.folder / "backups" / "b.db"
    assert list(copy.parent.iterdir()) == [copy]
    assert check(copy) == 5
    operator.env["TRC_ENGAGE_STORE"] = str(operator.folder / "restored.db")
    assert run_with(operator, injections, "restore", "backups/b.db").returncode == 0
    assert standings(operator.folder / "restored.db") == standings(store)


@pytest.mark.parametrize(
    "injections", [[NO_LINKS.format("EPERM")], [NO_LINKS.format("EPERM"), NO_RENAME.format("EINVAL")]], ids=" ".join
)
def test_nothing_is_overwritten_there_either(operator: Operator, injections: list[str]) -> None:
    """An existing file is not overwritten, and the backup fails with exit code 65."""
    copy = operator.folder / "backups" / "b.db"
    copy.write_bytes(b"mine")
    ran = run_with(operator, injections, "backup", "backups/b.db")
    assert (ran.returncode, copy.read_bytes(), list(copy.parent.iterdir())) == (65, b"mine", [copy])


@pytest.mark.parametrize("code", ["EINVAL", "EOPNOTSUPP", "ENOSYS"])
def test_a_folder_that_cannot_be_flushed_is_no_failure(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """A file system that cannot flush a folder does not make the backup fail."""
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112
            raise OSError(getattr(errno, code), code)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert operator.call("backup", "backups/b.db").code == 0
    assert check(operator.folder / "backups" / "b.db") == 5


def test_a_folder_on_a_disk_that_fails_is_one(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup whose folder cannot be flushed because of a disk error fails with exit code 74."""
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert operator.call("backup", "backups/b.db").code == 74


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """Create a finished file and return it."""
    part = tmp_path / "b.db.part"
    part.write_bytes(b"whole")
    return part


@pytest.mark.parametrize("way", range(3), ids=["link", "rename", "replace"])
def test_each_way_takes_a_free_name_and_no_other(part: Path, monkeypatch: pytest.MonkeyPatch, way: int) -> None:
    """Each way of moving refuses a name in use, which changes neither file, and takes a free one."""
    monkeypatch.setattr(backup, "WAYS", backup.WAYS[way : way + 1])
    target = part.with_name("b.db")
    target.write_bytes(b"")
    with pytest.raises(FileExistsError):
        backup.move_to_free_name(part, target)
    assert (target.read_bytes(), part.read_bytes()) == (b"", b"whole")
    target.unlink()
    backup.move_to_free_name(part, target)
    assert target.read_bytes() == b"whole"


def test_a_name_that_was_held_and_is_lost_is_not_taken_back(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name whose placeholder someone else has written to in the meantime is left to them."""
    target = part.with_name("b.db")
    monkeypatch.setattr(backup, "WAYS", backup.WAYS[2:])
    real = os.open

    def opened(path: Path, flags: int, mode: int = 0o777) -> int:
        descriptor = real(path, flags, mode)
        path.write_bytes(b"theirs")
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(FileExistsError):
        backup.move_to_free_name(part, target)
    assert target.read_bytes() == b"theirs"


def test_a_name_that_cannot_be_replaced_is_let_go_of(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the placeholder cannot be replaced, it is removed and the first error is raised."""
    target = part.with_name("b.db")

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(backup, "WAYS", (refuse, backup.WAYS[2]))
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="Input/output"):
        backup.move_to_free_name(part, target)
    assert not target.exists()
