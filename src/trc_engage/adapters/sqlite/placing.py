"""A file gets its name, whole or not at all, and never that of another: also where there are no hard links."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

AT_FDCWD = -100
RENAME_NOREPLACE = 1


def move_to_free_name(part: Path, target: Path) -> None:
    """Give a finished file its name; raises `FileExistsError` if that is taken, and `OSError`.

    A second name is the surest way; SMB, exFAT and some FUSE file systems know none. There a rename that replaces
    nothing does it, and where that is unknown too, an empty file that holds the name until it is replaced.
    """
    first: OSError | None = None
    for put in WAYS:
        try:
            put(part, target)
        except FileExistsError:
            raise
        except OSError as error:
            # Each file system has its own word for what it does not know, and the first says what else is amiss.
            first = first or error
        else:
            return
    if first is not None:
        raise first


def _link(part: Path, target: Path) -> None:
    target.hardlink_to(part)


def _rename(part: Path, target: Path) -> None:
    """Rename without replacing anything: Linux alone, and not every file system."""
    # No other command needs it.
    import ctypes  # noqa: PLC0415

    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if rename(AT_FDCWD, os.fsencode(part), AT_FDCWD, os.fsencode(target), RENAME_NOREPLACE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(target))


def _replace(part: Path, target: Path) -> None:
    """Hold the name with an empty file, and replace that, if it is still the same and empty."""
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
