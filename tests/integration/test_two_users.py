"""When root installs and a service runs, both work on one store, or get an error that says why not (R31)."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from support.command import ADA, PACKAGE, TIMEOUT_SECONDS, Ran

SERVICE = 54_321
"""A user id that nobody has; only the rights of files matter."""


class Machine:
    """A folder of the service's, an env file of root's, and a Python that both can run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir(mode=0o700)
        os.chown(self.state, SERVICE, SERVICE)
        self.file = folder / "trc-engage.env"
        self.file.write_text(f"TRC_ENGAGE_STORE={self.state}/engage.db\nTRC_ENGAGE_GUILD_ID=1\n")
        os.chown(self.file, 0, SERVICE)
        self.file.chmod(0o640)

    def run(self, user: int, *arguments: str) -> Ran:
        """Run a command as a user, with only the package's path in the environment."""
        ended = subprocess.run(
            [python(), "-m", "trc_engage", "--env-file", str(self.file), *arguments],
            env={"PYTHONPATH": f"{PACKAGE.parent}:{sysconfig.get_path('purelib')}"},
            cwd="/",
            user=user,
            group=user,
            extra_groups=[],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return Ran(ended.returncode, ended.stdout, ended.stderr)


def python() -> str:
    """Return a Python of this version that every user can run."""
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for path in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        if Path(path).exists():
            ran = subprocess.run([path, "-c", ""], user=SERVICE, group=SERVICE, check=False) if may_run(path) else None
            if ran is not None and ran.returncode == 0:
                return path
    return pytest.skip("no Python that another user may run")


def may_run(path: str) -> bool:
    """Return whether all users can enter every folder of a path."""
    return all(parent.stat().st_mode & 0o001 for parent in Path(path).resolve().parents)


@pytest.fixture
def machine() -> Iterator[Machine]:
    """Yield a machine in a folder that all users can enter, which pytest's own folders are not."""
    if os.geteuid() != 0:
        pytest.skip("only root can be two users")
    folder = Path(mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        yield Machine(folder)
    finally:
        shutil.rmtree(folder)


def test_what_root_makes_the_service_finds(machine: Machine) -> None:
    """A store that root creates in the service's folder belongs to the service, and both can use it."""
    made = machine.run(0, "members", "enroll", "m-1", "--discord-id", ADA)
    assert (made.code, f"created a store at {machine.state}/engage.db" in made.err) == (0, True)
    store = (machine.state / "engage.db").stat()
    assert (store.st_uid, store.st_gid, store.st_mode & 0o777) == (SERVICE, SERVICE, 0o600)
    assert machine.run(SERVICE, "show", "m-1").code == 0
    assert machine.run(SERVICE, "members", "enroll", "m-2").code == 0
    assert machine.run(0, "members", "enroll", "m-3").code == 0
    assert machine.run(SERVICE, "doctor").code == 0
    assert {path.stat().st_uid for path in machine.state.iterdir()} == {SERVICE}


def test_settings_that_root_writes_are_the_services(machine: Machine) -> None:
    """Settings that root writes belong to the store's owner and nobody else can read them, as in operations.md."""
    written = machine.folder / "written.env"
    assert machine.run(0, "init", "--env-file", str(written)).code == 0
    found = written.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (SERVICE, SERVICE, 0o600)
    machine.file = written
    assert machine.run(SERVICE, "members", "enroll", "m-1").err == ""


def test_the_service_makes_its_own(machine: Machine) -> None:
    """A store that the service creates with `init` can be used by the service and by root, as in operations.md."""
    assert machine.run(SERVICE, "init").code == 0
    assert machine.run(SERVICE, "members", "enroll", "m-1").err == ""
    assert machine.run(0, "show", "m-1").code == 0
    assert machine.run(SERVICE, "status").code == 1


def test_a_service_that_may_not_read_its_settings_takes_no_other_store(machine: Machine) -> None:
    """A service that cannot read its settings ends with exit code 78 and creates no other store."""
    machine.file.chmod(0o600)
    refused = machine.run(SERVICE, "init")
    assert (refused.code, "cannot be read: Permission denied" in refused.err) == (78, True)
    assert list(machine.state.iterdir()) == []


def test_a_store_of_somebody_else_is_an_error_that_says_so(machine: Machine) -> None:
    """A store that root created in root's folder gives the service exit code 74 and advice about the file's owner."""
    os.chown(machine.state, 0, 0)
    machine.state.chmod(0o755)
    assert machine.run(0, "init").code == 0
    refused = machine.run(SERVICE, "members", "enroll", "m-1")
    assert (refused.code, "who owns the file" in refused.err) == (74, True), refused
