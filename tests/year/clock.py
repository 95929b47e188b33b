"""The time of a life, which passes as the daemon waits and is the same in all of its processes."""

from datetime import UTC, datetime, timedelta
from mmap import mmap
from pathlib import Path
from struct import Struct

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
WHOLE = Struct("q")


class Clock:
    """An instant in a file of eight bytes, which one process moves and all processes read."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap(file.fileno(), WHOLE.size)

    @classmethod
    def create(cls, path: Path, at: datetime) -> "Clock":
        """Create the file, set to an instant."""
        path.write_bytes(bytes(WHOLE.size))
        clock = cls(path)
        clock.set(at)
        return clock

    def now(self) -> datetime:
        """Return the present time."""
        microseconds: int = WHOLE.unpack_from(self._memory)[0]
        return EPOCH + microseconds * MICROSECOND

    def set(self, at: datetime) -> None:
        """Set the time."""
        WHOLE.pack_into(self._memory, 0, (at - EPOCH) // MICROSECOND)
