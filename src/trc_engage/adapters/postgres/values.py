"""How values go in and come out: days and instants as ISO texts, numbers whole, whatever the session's settings."""

from datetime import UTC, date, datetime, timedelta
from struct import Struct

from psycopg import adapters, postgres
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.pq import Format
from psycopg.types.numeric import NumericBinaryLoader

from ..sql.stamps import Stamp

ORDINAL_2000 = date(2000, 1, 1).toordinal()
START_OF_2000 = datetime(2000, 1, 1, tzinfo=UTC)
DAYS = Struct("!i")
MICROSECONDS = Struct("!q")


class DayLoader(Loader):
    """A day, sent as days since 2000."""

    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        """Return the day as `2026-03-02`."""
        return date.fromordinal(DAYS.unpack(data)[0] + ORDINAL_2000).isoformat()


class InstantLoader(Loader):
    """An instant, sent as microseconds since 2000 UTC."""

    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        """Return the instant in UTC, as `stamp` writes it."""
        at = START_OF_2000 + timedelta(microseconds=MICROSECONDS.unpack(data)[0])
        return at.isoformat(timespec="microseconds")


class WholeLoader(NumericBinaryLoader):
    """A sum, which PostgreSQL makes a decimal; all that is summed is whole."""

    def load(self, data: Buffer) -> int:  # type: ignore[override]
        """Return the number."""
        return int(super().load(data))


class StampDumper(Dumper):
    """An instant that goes in."""

    oid = postgres.types["timestamptz"].oid

    def dump(self, obj: str) -> Buffer:
        """Return the text, which names its offset."""
        return obj.encode()


def _adapters() -> AdaptersMap:
    ours = AdaptersMap(adapters)
    ours.register_dumper(Stamp, StampDumper)
    ours.register_loader("date", DayLoader)
    ours.register_loader("timestamptz", InstantLoader)
    ours.register_loader("numeric", WholeLoader)
    return ours


ADAPTERS = _adapters()
"""For our cursors alone: a caller's connection keeps its own."""
