"""Online backup: copy a store in use, verify the copy, and put it in place atomically."""

import ctypes
import errno
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from attrs import frozen

from ...core.errors import InvalidValue, LedgerBusy, LedgerFailed
from ..sql import refuse_other
from ..sql.schema import SCHEMA_VERSION
from .database import SqliteDatabase
from .schema import APPLICATION_ID, check_released

AT_FDCWD = -100
RENAME_NOREPLACE = 1


def move_to_free_name(part: Path, target: Path) -> None:
    """Give a finished file its name; raises `FileExistsError` if the name is taken, and `OSError`.

    A hard link is safest, but SMB, exFAT and some FUSE file systems have none: fall back to a rename that replaces
    nothing, and then to an empty file that reserves the name.
    """
    first: OSError | None = None
    for put in WAYS:
        try:
            put(part, target)
        except FileExistsError:
            raise
        except OSError as error:
            # File systems report unsupported calls differently; if all ways fail, the first error is the useful one.
            first = first or error
        else:
            return
    if first is not None:
        raise first


def _link(part: Path, target: Path) -> None:
    target.hardlink_to(part)


def _rename(part: Path, target: Path) -> None:
    """Rename without replacing anything; only on Linux, and not on every file system."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if rename(AT_FDCWD, os.fsencode(part), AT_FDCWD, os.fsencode(target), RENAME_NOREPLACE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(target))


def _replace(part: Path, target: Path) -> None:
    """Reserve the name with an empty file, then replace it if it is still the same and empty."""
    held = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        ours, there = os.fstat(held), target.lstat()
        if (there.st_dev, there.st_ino, there.st_size) != (ours.st_dev, ours.st_ino, 0):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        try:
            part.replace(target)
        except OSError:
            target.unlink()
            raise
    finally:
        os.close(held)


WAYS: tuple[Callable[[Path, Path], None], ...] = (_link, _rename, _replace)

STEP_PAGES = 4_096
"""How much to copy per step, 16 MiB: a writer waits some 20 ms for the step and goes first."""
STEP_GROWS = 8
PATIENCE_SECONDS = 60
"""How long to wait for a lock: a backup is in no hurry, and a busy store is rarely free."""
PART = ".part"
UNFLUSHABLE = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EACCES, errno.EPERM, errno.EBADF, errno.EISDIR}


class Overtaken(Exception):
    """Another process wrote between two steps, so the copy would start over."""


@frozen
class Copy:
    """A verified copy of a store, under a temporary name until it is put in place."""

    path: Path
    is_current: bool
    """Whether it has this version's schema; an older one can be counted but not much more."""
    size_bytes: int
    members: int
    entries: int
    last_position: int
    good_at: datetime | None
    """When its last good sync began to read."""


@contextmanager
def placed(source: Path, target: Path, *, without_lease: bool = False) -> Iterator[Copy]:
    """Yield a verified copy of a store, and move it to `target` when the block ends without an error.

    Nothing is overwritten; a killed process leaves at most a file `target….part`. The copy contains names, so only its
    owner can read it (mode 0600). `without_lease` leaves out leases, which mean nothing in a copy. Raises
    `InvalidValue`, `LedgerFailed` and `LedgerBusy`; the source is not changed.
    """
    refuse_to_overwrite(target)
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}{PART}")
    with _written(target):
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield _copied(source, part, without_lease=without_lease)
        with _written(target):
            _put_in_place(part, target)
    finally:
        # A failure to delete the rest must not hide how the copy ended.
        with suppress(OSError):
            for rest in (part, _journal_of(part)):
                rest.unlink(missing_ok=True)


def refuse_to_overwrite(target: Path) -> None:
    """Raise `InvalidValue` if the file exists, or the journal of one that was moved away."""
    if os.path.lexists(target):
        raise InvalidValue(
            "file", str(target), "the file exists and was not overwritten; move it away, or choose another name"
        )
    journal = _journal_of(target)
    # An empty journal is harmless; any other would be replayed into the new file.
    if journal.exists() and journal.stat().st_size:
        advice = "it belongs to a store that no longer exists, and would damage a new one: move it to that store"
        raise InvalidValue("file", str(journal), advice)


def _copied(source: Path, part: Path, *, without_lease: bool) -> Copy:
    with closing(SqliteDatabase(part)) as copy:
        with closing(SqliteDatabase(source, read_only=True)) as live, live.connection() as reads:
            reads.execute(f"PRAGMA busy_timeout = {PATIENCE_SECONDS * 1_000:.0f}")
            _check_ours(source, reads)
            # From here on, failures are on the copy's side, and errors name its file.
            with copy.connection() as writes:
                writes.execute("PRAGMA synchronous = OFF")
                writes.execute("PRAGMA journal_mode = MEMORY")
                _copy(source, reads, writes)
        with copy.connection() as written:
            try:
                if without_lease:
                    written.execute("DELETE FROM leases")
                _verify(written)
                return _contents(part, written)
            except sqlite3.DatabaseError as error:
                raise LedgerFailed(
                    f"{source}: it is damaged ({error}), and no copy was kept; see the doctor, or restore a backup"
                ) from error


def _copy(source: Path, reads: sqlite3.Connection, writes: sqlite3.Connection) -> None:
    """Copy in steps, between which writers go first.

    Each write makes the copy start over. So that it ends even on a busy store, the steps grow until the copy fits
    between two writes, in the end as a single step, which blocks writers for 0.6 s for a file of 600 MB.
    """
    step = STEP_PAGES
    while True:
        try:
            reads.backup(writes, pages=step, progress=_watch(source))
        except Overtaken:
            step *= STEP_GROWS
        else:
            return


def _watch(source: Path) -> Callable[[int, int, int], None]:
    left: int | None = None

    def watch(status: int, remaining: int, _total: int) -> None:
        nonlocal left
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise LedgerBusy(
                f"{source} is in use by others for over {PATIENCE_SECONDS:.0f} s; no copy was made: try again"
            )
        if left is not None and remaining >= left:
            raise Overtaken
        left = remaining

    return watch


def _check_ours(source: Path, connection: sqlite3.Connection) -> None:
    check_released(str(source), connection)
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise LedgerFailed(f"{source}: it is not a store of trc-engage; name another file")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    refuse_other(str(source), version, SCHEMA_VERSION, may_be_older=True)


def _verify(connection: sqlite3.Connection) -> None:
    (first,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if first != "ok":
        raise sqlite3.DatabaseError(first)
    if dangling := connection.execute("PRAGMA foreign_key_check").fetchone():
        message = f"a row of {dangling[0]} names one of {dangling[2]} that is not there"
        raise sqlite3.DatabaseError(message)


def _contents(path: Path, connection: sqlite3.Connection) -> Copy:
    def one(statement: str) -> int:
        return int(connection.execute(statement).fetchone()[0])

    (good_at,) = connection.execute("SELECT max(at) FROM runs WHERE outcome = 'synced'").fetchone()
    return Copy(
        path,
        is_current=one("PRAGMA user_version") == SCHEMA_VERSION,
        size_bytes=one("PRAGMA page_count") * one("PRAGMA page_size"),
        members=one("SELECT count(*) FROM members"),
        entries=one("SELECT count(*) FROM entries"),
        last_position=one("SELECT coalesce(max(position), 0) FROM entries"),
        good_at=good_at and datetime.fromisoformat(good_at),
    )


KNOWN = """
SELECT member_id, is_forgotten, coalesce(max(at), '') FROM members LEFT JOIN membership_events AS events
    USING (member_id)
WHERE kind IS NULL OR kind = CASE is_forgotten WHEN 1 THEN 'forgotten' ELSE 'enrolled' END
GROUP BY member_id
"""


def brought_back(copy: Path, folder: Path) -> Sequence[str]:
    """Return the ids of members in a copy whom stores in a folder have since forgotten; other files are ignored."""
    enrolled = {member: at for member, is_forgotten, at in _known(copy) if not is_forgotten}
    since = set[str]()
    for path in folder.iterdir() if os.access(folder, os.R_OK) else ():
        with suppress(LedgerFailed, LedgerBusy):
            since |= {
                member for member, is_forgotten, at in _known(path) if is_forgotten and at > enrolled.get(member, at)
            }
    return sorted(since)


def _known(path: Path) -> Sequence[tuple[str, int, str]]:
    """Return a store's member ids, whether forgotten, and when enrolled or forgotten."""
    with closing(SqliteDatabase(path, read_only=True)) as store, store.connection() as connection:
        found: list[tuple[str, int, str]] = connection.execute(KNOWN).fetchall()
    return found


def _put_in_place(part: Path, target: Path) -> None:
    """Give a file its name, if that is still free, and flush both file and folder to disk."""
    _flush(part, os.O_RDWR)
    try:
        move_to_free_name(part, target)
    except FileExistsError:
        refuse_to_overwrite(target)
        raise
    try:
        _flush(target.parent, os.O_RDONLY)
    except OSError as error:
        # Some file systems cannot flush a folder, and a folder may be writable but not readable.
        if error.errno not in UNFLUSHABLE:
            raise


def _flush(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _journal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


@contextmanager
def _written(target: Path) -> Iterator[None]:
    """Translate errors with the target's folder."""
    try:
        yield
    except OSError as error:
        raise LedgerFailed(
            f"{target}: {error.strerror or error}: nothing was put there; choose a file in an existing folder with "
            "enough space, where you may write"
        ) from error
