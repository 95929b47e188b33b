"""The file itself: made for its owner alone, opened only if it is there, and told from one that took its place."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from attrs import frozen

from ...core.errors import LedgerBusy, LedgerFailed

if TYPE_CHECKING:
    from pathlib import Path

OWNER_ONLY = 0o600
TRIES = 5
MOVED = "the file was moved or replaced meanwhile; nothing was written: try again"

Identity = tuple[int, int]
"""Device and inode: as long as a file is open, no other gets them."""


@frozen(eq=False)
class OpenFile:
    """A connection, and which file it leads to."""

    connection: sqlite3.Connection
    identity: Identity | None

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def identity_of(path: Path) -> Identity | None:
    """Return which file a path leads to now; None if to none."""
    try:
        found = os.stat(path)  # noqa: PTH116  with each loan, and a path's own is twice as slow
    except OSError:
        return None
    return found.st_dev, found.st_ino


def make_file(path: Path) -> None:
    """Make an empty file that only its owner can read, if nothing is there; SQLite's journal takes its mode over."""
    if os.path.lexists(path) and path.exists():
        return
    try:
        descriptor = os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    except FileExistsError:
        return
    try:
        # A umask can only have taken bits away; some file systems know no modes.
        with suppress(PermissionError):
            os.fchmod(descriptor, OWNER_ONLY)
    finally:
        os.close(descriptor)


def connected(path: Path, busy_seconds: float) -> OpenFile:
    """Open a file that is there, and no other; raises `sqlite3.Error`."""
    _refuse_what_is_no_file(path)
    for _ in range(TRIES):
        before = identity_of(path)
        opened = OpenFile(
            sqlite3.connect(
                f"file://{quote(os.fsencode(path))}?mode=rw",
                uri=True,
                timeout=busy_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            ),
            before,
        )
        if identity_of(path) == before:
            return opened
        opened.close()
    message = f"{path}: {MOVED}"
    raise LedgerBusy(message)


def _refuse_what_is_no_file(path: Path) -> None:
    """Raise `LedgerFailed` for a device, a pipe or a socket; of a folder SQLite tells itself."""
    with suppress(OSError):
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            message = f"{path}: it is no file but a device, a pipe or a socket; name a file"
            raise LedgerFailed(message)
