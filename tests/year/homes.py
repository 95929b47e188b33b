"""Where the store of a life is, and how it is migrated, backed up and restored there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define

from support.versions import newer_tree

from .machine import Machine


@define
class Home:
    """A file, which the next version upgrades; the commands `backup` and `restore` work on it."""

    machine: Machine

    def migrate(self) -> None:
        """Install the next version, while the daemon is stopped."""
        self.machine.version = newer_tree()
        assert "is up to date" not in self.machine.run("migrate", "--dry-run").out
        assert "brought up to date" in self.machine.run("migrate").out

    def back_up(self, file: Path) -> None:
        """Copy the store while the daemon is idle."""
        self.machine.run("backup", str(file))

    def restore(self, file: Path) -> None:
        """Replace the store by a backup, while the daemon is stopped."""
        lost = self.machine.store.rename(self.machine.folder / "lost.db")
        self.machine.run("restore", str(file))
        lost.unlink()

    def as_file(self, backup: Path) -> Path:
        """Return a file that holds what the store holds; the backup is of this moment."""
        del backup
        return self.machine.store

    @property
    def size_bytes(self) -> int:
        """How much disk space the store takes."""
        return self.machine.store.stat().st_size


KINDS = ("sqlite", "postgres")


@contextmanager
def home(kind: str, machine: Machine) -> Iterator[Home]:
    """Yield a place for the store."""
    if kind == "sqlite":
        yield Home(machine)
        return
    # Not every Python has a PostgreSQL, and a file needs none.
    from .moving import moving  # noqa: PLC0415

    with moving(machine) as place:
        yield place
