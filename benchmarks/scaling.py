"""A crowd in PostgreSQL: what a sync, a standing and a leaderboard cost, and how that grows with the ledger."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cluster
import crowd
from attrs import frozen
from cluster import Cluster
from crowd import Crowd
from ratios import Ratio, alternating, growth, measure, ratio

MEMBERS = 1_000_000
ACCOUNTS = 200_000
ENTRIES = 4_000_000
TIMES = 4
"""By what factor the ledger is smaller with which growth is measured."""
ROUNDS_OF_SYNCS, ROUNDS_OF_QUESTIONS = 3, 5
QUESTIONS = ("crowd_standing", "crowd_history", "crowd_month", "crowd_scan")


def compared(entries: int, rounds: int) -> Iterator[Ratio]:
    """Compare with raw SQL, with a ledger a thousandth of the size, and with one of a fraction of the entries."""
    with cluster.started() as server:
        scale = Scale(server, Crowd(MEMBERS, ACCOUNTS, entries), Crowd(MEMBERS, ACCOUNTS, entries // TIMES), rounds)
        scale.build()
        yield from scale.syncs()
        yield from scale.questions()


@frozen
class Scale:
    """A crowd, the same with fewer entries, and a small one."""

    server: Cluster
    crowd: Crowd
    fewer: Crowd
    rounds: int

    def build(self) -> None:
        """Fill a database for each."""
        for name, some in (("small", self.crowd.thousandth), ("fewer", self.fewer), ("crowd", self.crowd)):
            crowd.build(self.server.create(name), some)

    def syncs(self) -> Iterator[Ratio]:
        """Compare syncs of all accounts with raw COPY and merge, each on a fresh copy."""
        measures = {
            "merge": partial(self._written, "crowd_merge", "crowd"),
            "sync": partial(self._written, "crowd_sync", "crowd"),
            "fewer": partial(self._written, "crowd_sync", "fewer"),
            "streaks": partial(self._written, "crowd_streaks", "crowd"),
            "settle": partial(self._written, "crowd_settle", "crowd"),
        }
        seconds = alternating(measures, min(self.rounds, ROUNDS_OF_SYNCS))
        told = f"{self.crowd.accounts:,} of {self.crowd.members:,}"
        entries = f"{self.crowd.entries:,} entries"
        raw = "raw COPY + merge of the same rows"
        yield ratio(f"sync, {told}, {entries}", raw, seconds["sync"], seconds["merge"], 1.5)
        yield ratio(
            f"settle a weekday, {self.crowd.accounts:,} active", raw, seconds["settle"], seconds["streaks"], None
        )
        yield growth("sync", TIMES, seconds["sync"], seconds["fewer"], 1.1)

    def questions(self) -> Iterator[Ratio]:
        """Compare questions with those to smaller ledgers, and the leaderboard with a scan of what it must read."""
        sizes = {"crowd": self.crowd, "fewer": self.fewer, "small": self.crowd.thousandth}
        for size in sizes:
            crowd.index_points(self.server.database(size))
        measures = {
            f"{name} {size}": partial(self._asked, name, size, some.members)
            for name in QUESTIONS
            for size, some in sizes.items()
        }
        seconds = alternating(measures, min(self.rounds, ROUNDS_OF_QUESTIONS))
        small = f"{sizes['small'].entries:,} entries"
        for name, what in (("crowd_standing", "standing"), ("crowd_history", "a page of history")):
            many, few = seconds[f"{name} crowd"], seconds[f"{name} small"]
            yield ratio(f"{what}, {self.crowd.entries:,} entries", small, many, few, 1.5)
        month, scan = seconds["crowd_month crowd"], seconds["crowd_scan crowd"]
        yield ratio("leaderboard of a month", "one index scan of that month", month, scan, 1.5)
        for name in ("crowd_standing", "crowd_history", "crowd_month"):
            what = name.removeprefix("crowd_")
            yield growth(what, TIMES, seconds[f"{name} crowd"], seconds[f"{name} fewer"], 1.1)

    def _written(self, name: str, template: str) -> float:
        """Measure what writes, on a copy of a database."""
        return self._measured(name, self.server.create("copy", template), self.crowd.members)

    def _asked(self, name: str, database: str, members: int) -> float:
        return self._measured(name, self.server.database(database), members)

    def _measured(self, name: str, dsn: str, members: int) -> float:
        return measure(name, Path("-"), members, {"BENCH_DSN": dsn})
