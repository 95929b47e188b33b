"""`tox -e bench`: what this package costs, as ratios to a floor measured in the same run.

Every round is a fresh process, and the measurements that are compared take turns, so that a machine that
slows down slows all of them. `--rounds N` for more rounds, `--only WORD` for a part, `--entries N` for
another size of the largest ledger.
"""

import argparse
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cluster
import company
import outage
import population
import scaling
import searching
import settling
from attrs import frozen
from ratios import MEASURED, Ratio, alternating, measure, ratio

ACCOUNTS = 100_000
MANY_ACCOUNTS = 300_000
ACCOUNTS_FEW = 1_000
SOUGHT_FEW = 1_000
OUTAGE_SHORT = 3
OUTAGE_LONG = 365
ENTRIES_FEW = 10_000
ENTRIES_MANY = 1_000_000


@frozen
class Bench:
    """A folder with the stores, and how often each thing is measured."""

    folder: Path
    rounds: int
    entries: int
    """How many entries the crowd's ledger has."""

    def syncs(self) -> Iterator[Ratio]:
        """Compare syncs of 100,000 accounts with raw SQLite and with each other."""
        fresh = self._store(ACCOUNTS)
        measure("busy", self._copy(fresh, "synced.db"), ACCOUNTS)

        def on_a_copy(name: str) -> float:
            return measure(name, self._copy(fresh, "store.db"), ACCOUNTS)

        seconds = alternating({name: partial(on_a_copy, name) for name in SYNCS}, self.rounds)
        raw = "raw executemany of the same rows"
        yield ratio("sync, all of 100,000 changed", raw, seconds["busy"], seconds["raw"], 1.6)
        common = [on_a_copy("common")]
        yield ratio("the common program (1,000, scaled up)", raw, common, [min(seconds["raw"])], None)
        yield ratio("sync, nothing changed", "sync, all changed", seconds["quiet"], seconds["busy"], 0.4)
        yield ratio("sync, 3 % changed", "sync, all changed", seconds["everyday"], seconds["busy"], 0.5)

    def memory(self) -> Iterator[Ratio]:
        """Measure how many bytes of peak memory an account costs."""

        def peak(accounts: int) -> float:
            board = self.folder / f"{accounts}.board"
            board.write_bytes(pickle.dumps(population.later_xp(accounts, 1.0)))
            return measure("memory", self._copy(self._store(accounts), "store.db"), accounts)

        peaks = alternating({str(n): partial(peak, n) for n in (ACCOUNTS, MANY_ACCOUNTS)}, rounds=3)
        growth = [large - small for small, large in zip(*peaks.values(), strict=True)]
        floor = [float((MANY_ACCOUNTS - ACCOUNTS) * 1024)] * len(growth)
        yield ratio("peak memory, 300,000 - 100,000 accounts", "1 KB an account", growth, floor, 1.0)

    def settling(self) -> Iterator[Ratio]:
        """Compare settling a weekday of 100,000 members with raw upserts and with recomputing everything."""
        year = self.folder / "year.db"
        shutil.copy(self._store(ACCOUNTS), year)
        settling.build_year(year, ACCOUNTS)

        def on_a_copy(name: str) -> float:
            return measure(name, self._copy(year, "store.db"), ACCOUNTS)

        seconds = alternating({name: partial(on_a_copy, name) for name in ("raw_upserts", "settle")}, self.rounds)
        raw, ours = seconds.values()
        yield ratio("settle a weekday, 10,000 active", "raw upsert of each", ours, raw, 2.5)
        compared = ours[:3]
        recomputing = [measure("recompute", year, ACCOUNTS) for _ in compared]
        yield ratio("settle a weekday", "DuckDB recomputing 2.5 million rows", compared, recomputing, 0.25)

    def standings(self) -> Iterator[Ratio]:
        """Compare a member's standing in a small and in a large ledger."""
        stores = {entries: self._store_with(entries) for entries in (ENTRIES_FEW, ENTRIES_MANY)}
        seconds = alternating(
            {str(entries): partial(measure, "standing", store, 0) for entries, store in stores.items()}, self.rounds
        )
        few, many = seconds.values()
        yield ratio("standing, 1,000,000 entries", "standing, 10,000 entries", many, few, 1.3)

    def summaries(self) -> Iterator[Ratio]:
        """Compare the times of a member's summary over HTTP and of a bare route that runs the same SQL."""
        store = self._store_with(ENTRIES_MANY)
        names = ("site_summaries", "bare_summaries")
        site, bare = alternating({name: partial(measure, name, store, 0) for name in names}, self.rounds).values()
        yield ratio("member summary, 1,000,000 entries", "bare Starlette route, same SQL", site, bare, 2.0)

    def pages(self) -> Iterator[Ratio]:
        """Compare reading a board of 100 pages with bare httpx and json."""
        with _serving() as url:
            environment = {"BENCH_URL": url}
            seconds = alternating(
                {
                    "bare": lambda: measure("bare_pages", self.folder, ACCOUNTS, environment),
                    "few": lambda: measure("read_pages", self.folder, SOUGHT_FEW, environment),
                    "all": lambda: measure("read_pages", self.folder, ACCOUNTS, environment),
                },
                self.rounds,
            )
        bare = "bare httpx + json.loads"
        yield ratio("100 pages, 1,000 members sought", bare, seconds["few"], seconds["bare"], 1.3)
        yield ratio("100 pages, all 100,000 sought", bare, seconds["all"], seconds["bare"], 1.8)

    def starts(self) -> Iterator[Ratio]:
        """Compare how long a command and an import take to start with their floors."""
        environment = {"TRC_ENGAGE_STORE": str(self._store(1_000))}
        show = [str(Path(sys.executable).with_name("trc-engage")), "show", "member-000007", "--json"]
        commands = {
            "show": show,
            "show floor": [sys.executable, "-c", "import typer, attrs, sqlite3"],
            "import": [sys.executable, "-c", "import trc_engage"],
            "import floor": [sys.executable, "-c", "import attrs"],
        }
        rounds = max(self.rounds, 21)
        seconds = alternating(
            {name: partial(_wall_time, command, environment) for name, command in commands.items()},
            rounds,
        )
        floor = "import typer, attrs, sqlite3"
        yield ratio("trc-engage show M --json", floor, seconds["show"], seconds["show floor"], 1.6)
        yield ratio("import trc_engage", "import attrs", seconds["import"], seconds["import floor"], 1.6)

    def idling(self) -> Iterator[Ratio]:
        """Measure what the daemon costs while nothing is due."""
        names = ("idle_cpu", "idle_memory")
        measures = {name: partial(measure, name, self._store(ACCOUNTS_FEW), ACCOUNTS_FEW) for name in names}
        seconds, megabytes = alternating(measures, rounds=3).values()
        yield ratio("daemon, idle for an hour", "1 s of CPU", seconds, [1.0] * len(seconds), 1.0)
        yield ratio("daemon, idle", "60 MB of memory", megabytes, [60.0] * len(megabytes), 1.0)

    def waiting(self) -> Iterator[Ratio]:
        """Compare a run that finds nothing due with the SELECTs that it needs."""
        store = self._copy(self._store(ACCOUNTS_FEW), "waiting.db")
        names = ("run_nothing_due", "run_selects")
        measures = {name: partial(measure, name, store, ACCOUNTS_FEW) for name in names}
        ours, raw = alternating(measures, self.rounds).values()
        yield ratio("run_due, nothing due", "its SELECTs, raw", ours, raw, 2.0)

    def attending(self) -> Iterator[Ratio]:
        """Count the roster's questions a day, compared with the list route, which needs the privileged intent."""
        ours, listed = ([measure(name, self.folder, 0)] for name in ("questions", "by_list"))
        what = f"roster, {ours[0]:,.0f} questions in a day"
        yield ratio(what, f"{listed[0]:,.0f} of the list route, hourly", ours, listed, None)
        yield ratio(what, "one a second", ours, [86_400.0], 1.0)

    def company(self) -> Iterator[Ratio]:
        """Compare a joined award, and `AsyncEngage`, with the bare statements."""
        with cluster.started() as server:
            environment = {"BENCH_DSN": server.create("company")}
            company.build(environment["BENCH_DSN"])
            names = ("joined_awards", "raw_awards")
            measures = {name: partial(measure, name, self.folder, 0, environment) for name in names}
            ours, raw = alternating(measures, self.rounds).values()
        yield ratio("a joined award, committed", "the same rows by raw SQL", ours, raw, 2.0)
        store = self._store(ACCOUNTS_FEW)
        for what, names, limit in (
            ("AsyncEngage.standing", ("async_standings", "thread_selects"), 1.3),
            ("loop blocked, 200 requests at once", ("async_blocked", "thread_blocked"), 1.0),
        ):
            measures = {name: partial(measure, name, store, 0) for name in names}
            ours, raw = alternating(measures, self.rounds).values()
            yield ratio(what, "asyncio.to_thread of its SELECTs", ours, raw, limit)

    def outages(self) -> Iterator[Ratio]:
        """Compare status and a failing run after a year of outage with those after three days."""
        stores = {}
        for days in (OUTAGE_SHORT, OUTAGE_LONG):
            stores[days] = self.folder / f"outage-{days}.db"
            shutil.copy(self._store(ACCOUNTS_FEW), stores[days])
            outage.build(stores[days], days)
        rounds = max(self.rounds, 15)
        command = [str(Path(sys.executable).with_name("trc-engage")), "status", "--json"]

        def status(store: Path) -> float:
            return _wall_time(command, {"TRC_ENGAGE_STORE": str(store)}, codes={1})

        def failing_run(store: Path) -> float:
            return measure("failing_run", self._copy(store, "store.db"), ACCOUNTS_FEW)

        for what, of in (("status", status), ("failing run", failing_run)):
            seconds = alternating({str(days): partial(of, store) for days, store in stores.items()}, rounds)
            short, long = seconds.values()
            yield ratio(f"{what}, 365 days of outage", f"{what}, 3 days of it", long, short, 1.2)

    def searches(self) -> Iterator[Ratio]:
        """Compare a search by name with one SELECT on the same index."""
        store = self.folder / "names.db"
        searching.build(store, ACCOUNTS)
        names = ("search", "indexed_select")
        ours, floor = alternating(
            {name: partial(measure, name, store, ACCOUNTS) for name in names}, self.rounds
        ).values()
        yield ratio("a search of 100,000 names", "one indexed SELECT", ours, floor, 3.0)

    def scaling(self) -> Iterator[Ratio]:
        """Measure what a crowd costs in PostgreSQL, and how that grows."""
        yield from scaling.compared(self.entries, self.rounds)

    def _store(self, accounts: int) -> Path:
        store = self.folder / f"{accounts}.db"
        if not store.exists():
            population.build_store(store, accounts)
        return store

    def _store_with(self, entries: int) -> Path:
        store = self.folder / f"{entries}-entries.db"
        if not store.exists():
            settling.build_history(self._copy(self._store(1_000), store.name), entries)
        return store

    def _copy(self, store: Path, name: str) -> Path:
        return Path(shutil.copy(store, self.folder / name))


SYNCS = ("raw", "busy", "quiet", "everyday")


def _wall_time(command: list[str], environment: Mapping[str, str], codes: Set[int] = frozenset({0})) -> float:
    begun = time.perf_counter()
    ended = subprocess.run(command, check=False, capture_output=True, env={**os.environ, **environment})
    if ended.returncode not in codes:
        raise RuntimeError(ended.stderr)
    return time.perf_counter() - begun


@contextmanager
def _serving() -> Iterator[str]:
    """Serve a board of 100,000 rows from another process."""
    server = subprocess.Popen(
        [sys.executable, str(MEASURED), "serve", "-", str(ACCOUNTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with server:
        if server.stdin is None or server.stdout is None:
            raise RuntimeError
        yield server.stdout.readline().decode().strip()
        server.stdin.close()
        server.stdout.read()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--entries", type=int, default=scaling.ENTRIES, help="of the largest ledger")
    parser.add_argument("--only", default="", metavar="WORD")
    options = parser.parse_args()
    print(f"{'what':<46} {'against':<34} {'median':>9} {'best':>9}  limit", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.rounds, options.entries)
        for part in (
            bench.starts,
            bench.pages,
            bench.syncs,
            bench.memory,
            bench.settling,
            bench.standings,
            bench.summaries,
            bench.idling,
            bench.waiting,
            bench.attending,
            bench.company,
            bench.outages,
            bench.searches,
            bench.scaling,
        ):
            if options.only in part.__name__:
                for ratio in part():
                    print(ratio, flush=True)


if __name__ == "__main__":
    main()
