"""What goes over the wire between psycopg and its server."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import Trace


class RoundTrips:
    """How often a connection waited for its server."""

    count = 0


@contextmanager
def counted(connection: psycopg.Connection[Any]) -> Iterator[RoundTrips]:
    """Count how often something is sent after something was received, using libpq's own trace."""
    trips = RoundTrips()
    with tempfile.TemporaryFile("w+") as trace:
        connection.pgconn.trace(trace.fileno())
        connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        try:
            yield trips
        finally:
            connection.pgconn.untrace()
            trace.seek(0)
            directions = [line[0] for line in trace if line[0] in "FB"]
            trips.count = sum(
                now == "F" and before != "F" for before, now in zip(["B", *directions], directions, strict=False)
            )
