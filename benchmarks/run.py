"""`tox -e bench`: what this package costs, as ratios to a floor measured in the same run.

Every round is a fresh process; the things compared take turns, so that a machine that slows down
slows all of them. `--rounds N` for more rounds, `--only WORD` for a part.
"""

import argparse
import os
import pickle
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import population
import settling
from attrs import frozen

MEASURED = Path(__file__).with_name("measured.py")
ACCOUNTS = 100_000
MANY_ACCOUNTS = 300_000
ACCOUNTS_FEW = 1_000
SOUGHT_FEW = 1_000
ENTRIES_FEW = 10_000
ENTRIES_MANY = 1_000_000


@frozen
class Ratio:
    """One line of the table."""

    what: str
    against: str
    median: float
    best: float
    limit: float | None

    def __str__(self) -> str:
        verdict = "" if self.limit is None else f"<= {self.limit:<5.1f} {'ok' if self.median <= self.limit else 'OVER'}"
        return f"{self.what:<46} {self.against:<34} {self.median:>9.2f} {self.best:>9.2f}  {verdict}"


@frozen
class Bench:
    """A folder with the stores, and how often each thing is measured."""

    folder: Path
    rounds: int

    def syncs(self) -> Iterator[Ratio]:
        """Compare syncs of 100,000 accounts with raw SQLite and with each other."""
        fresh = self._store(ACCOUNTS)
        self._measure("busy", self._copy(fresh, "synced.db"), ACCOUNTS)

        def measure(name: str) -> float:
            return self._measure(name, self._copy(fresh, "store.db"), ACCOUNTS)

        seconds = self._alternating({name: partial(measure, name) for name in SYNCS})
        raw = "raw executemany of the same rows"
        yield _ratio("sync, all of 100,000 changed", raw, seconds["busy"], seconds["raw"], 1.6)
        common = [measure("common")]
        yield _ratio("the common program (1,000, scaled up)", raw, common, [min(seconds["raw"])], None)
        yield _ratio("sync, nothing changed", "sync, all changed", seconds["quiet"], seconds["busy"], 0.4)
        yield _ratio("sync, 3 % changed", "sync, all changed", seconds["everyday"], seconds["busy"], 0.5)

    def memory(self) -> Iterator[Ratio]:
        """Tell how many bytes of peak memory an account costs."""

        def peak(accounts: int) -> float:
            board = self.folder / f"{accounts}.board"
            board.write_bytes(pickle.dumps(population.later_xp(accounts, 1.0)))
            return self._measure("memory", self._copy(self._store(accounts), "store.db"), accounts)

        peaks = self._alternating({str(n): partial(peak, n) for n in (ACCOUNTS, MANY_ACCOUNTS)}, rounds=3)
        growth = [large - small for small, large in zip(*peaks.values(), strict=True)]
        floor = [float((MANY_ACCOUNTS - ACCOUNTS) * 1024)] * len(growth)
        yield _ratio("peak memory, 300,000 - 100,000 accounts", "1 KB an account", growth, floor, 1.0)

    def settling(self) -> Iterator[Ratio]:
        """Compare settling a weekday of 100,000 members with raw upserts and with recomputing everything."""
        year = self.folder / "year.db"
        shutil.copy(self._store(ACCOUNTS), year)
        settling.build_year(year, ACCOUNTS)

        def measure(name: str) -> float:
            return self._measure(name, self._copy(year, "store.db"), ACCOUNTS)

        seconds = self._alternating({name: partial(measure, name) for name in ("raw_upserts", "settle")})
        raw, ours = seconds.values()
        yield _ratio("settle a weekday, 10,000 active", "raw upsert of each", ours, raw, 2.5)
        recomputing = [self._measure("recompute", year, ACCOUNTS) for _ in range(3)]
        yield _ratio("settle a weekday", "DuckDB recomputing 2.5 million rows", ours[:3], recomputing, 0.25)

    def standings(self) -> Iterator[Ratio]:
        """Compare the standing of a member in a small and in a large ledger."""
        stores = {}
        for entries in (ENTRIES_FEW, ENTRIES_MANY):
            stores[entries] = self._copy(self._store(1_000), f"{entries}-entries.db")
            settling.build_history(stores[entries], entries)
        seconds = self._alternating(
            {str(entries): partial(self._measure, "standing", store, 0) for entries, store in stores.items()}
        )
        few, many = seconds.values()
        yield _ratio("standing, 1,000,000 entries", "standing, 10,000 entries", many, few, 1.3)

    def pages(self) -> Iterator[Ratio]:
        """Compare reading a board of 100 pages with bare httpx and json."""
        with _serving() as url:
            environment = {"BENCH_URL": url}
            seconds = self._alternating(
                {
                    "bare": lambda: self._measure("bare_pages", self.folder, ACCOUNTS, environment),
                    "few": lambda: self._measure("read_pages", self.folder, SOUGHT_FEW, environment),
                    "all": lambda: self._measure("read_pages", self.folder, ACCOUNTS, environment),
                }
            )
        bare = "bare httpx + json.loads"
        yield _ratio("100 pages, 1,000 members sought", bare, seconds["few"], seconds["bare"], 1.3)
        yield _ratio("100 pages, all 100,000 sought", bare, seconds["all"], seconds["bare"], 1.8)

    def starts(self) -> Iterator[Ratio]:
        """Compare what a command and an import take to start."""
        environment = {"TRC_ENGAGE_STORE": str(self._store(1_000))}
        show = [str(Path(sys.executable).with_name("trc-engage")), "show", "member-000007", "--json"]
        commands = {
            "show": show,
            "show floor": [sys.executable, "-c", "import typer, attrs, sqlite3"],
            "import": [sys.executable, "-c", "import trc_engage"],
            "import floor": [sys.executable, "-c", "import attrs"],
        }
        rounds = max(self.rounds, 21)
        seconds = self._alternating(
            {name: partial(_wall_time, command, environment) for name, command in commands.items()},
            rounds,
        )
        floor = "import typer, attrs, sqlite3"
        yield _ratio("trc-engage show M --json", floor, seconds["show"], seconds["show floor"], 1.3)
        yield _ratio("import trc_engage", "import attrs", seconds["import"], seconds["import floor"], 1.6)

    def idling(self) -> Iterator[Ratio]:
        """Tell what the daemon costs while nothing is due."""
        names = ("idle_cpu", "idle_memory")
        measures = {name: partial(self._measure, name, self._store(ACCOUNTS_FEW), ACCOUNTS_FEW) for name in names}
        seconds, megabytes = self._alternating(measures, rounds=3).values()
        yield _ratio("daemon, idle for an hour", "1 s of CPU", seconds, [1.0] * len(seconds), 1.0)
        yield _ratio("daemon, idle", "60 MB of memory", megabytes, [60.0] * len(megabytes), 1.0)

    def _alternating(
        self, measures: Mapping[str, Callable[[], float]], rounds: int | None = None
    ) -> dict[str, list[float]]:
        """Measure each in turn, after a first round that is thrown away."""
        results: dict[str, list[float]] = {name: [] for name in measures}
        for number in range((rounds or self.rounds) + 1):
            for name, measure in measures.items():
                result = measure()
                if number > 0:
                    results[name].append(result)
        return results

    def _measure(self, name: str, store: Path, accounts: int, environment: Mapping[str, str] | None = None) -> float:
        command = [sys.executable, str(MEASURED), name, str(store), str(accounts)]
        finished = subprocess.run(
            command, check=True, capture_output=True, text=True, env={**os.environ, **(environment or {})}
        )
        return float(finished.stdout)

    def _store(self, accounts: int) -> Path:
        store = self.folder / f"{accounts}.db"
        if not store.exists():
            population.build_store(store, accounts)
        return store

    def _copy(self, store: Path, name: str) -> Path:
        return Path(shutil.copy(store, self.folder / name))


SYNCS = ("raw", "busy", "quiet", "everyday")


def _ratio(what: str, against: str, measured: list[float], floor: list[float], limit: float | None) -> Ratio:
    paired = [one / other for one, other in zip(measured, floor, strict=True)]
    return Ratio(what, against, statistics.median(paired), min(measured) / min(floor), limit)


def _wall_time(command: list[str], environment: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})
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
    parser.add_argument("--only", default="", metavar="WORD")
    options = parser.parse_args()
    print(f"{'what':<46} {'against':<34} {'median':>9} {'best':>9}  limit", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.rounds)
        for part in (
            bench.starts,
            bench.pages,
            bench.syncs,
            bench.memory,
            bench.settling,
            bench.standings,
            bench.idling,
        ):
            if options.only in part.__name__:
                for ratio in part():
                    print(ratio, flush=True)


if __name__ == "__main__":
    main()
