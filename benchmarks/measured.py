"""What is measured, one round to a process: `python measured.py NAME STORE ACCOUNTS` prints seconds."""

import gc
import json
import os
import pickle
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import population
import settling
import sqlite_utils

from trc_engage import Engage
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server

GUILD_ID = "200000000000000001"


def timed(work: Callable[[], object]) -> float:
    """Return how long the work takes, in seconds."""
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def sync(store: Path, accounts: int, share: float) -> float:
    """Sync through `Engage`, from a board in memory to the commit."""
    source = population.FixedSource(population.board_of(population.later_xp(accounts, share)))
    with SqliteLedger.open(store) as ledger:
        engage = Engage(ledger=ledger, source=source, clock=lambda: population.SYNCED_AT)
        return timed(engage.sync)


def raw(store: Path, _accounts: int) -> float:
    """Write what a busy sync writes with `executemany`, the rows being ready in memory."""
    rows = _rows_of_a_sync(store.with_name("synced.db"))
    connection = sqlite3.connect(store, isolation_level=None)
    for pragma in population.PRAGMAS:
        connection.execute(pragma)

    def write() -> None:
        connection.execute("BEGIN IMMEDIATE")
        for statement, values in rows:
            connection.executemany(statement, values)
        connection.execute("COMMIT")

    seconds = timed(write)
    connection.close()
    return seconds


def _rows_of_a_sync(synced: Path) -> list[tuple[str, list[tuple[object, ...]]]]:
    """Read from a synced store the rows that the sync wrote, with the statements that write them."""
    connection = sqlite3.connect(synced)
    moved = population.SYNCED_AT.isoformat(timespec="microseconds")
    run = connection.execute("SELECT * FROM runs WHERE at = ?", [moved]).fetchall()
    entries = connection.execute("SELECT * FROM entries WHERE at = ?", [moved]).fetchall()
    days = connection.execute("SELECT * FROM discord_days WHERE closes_at = ?", [moved]).fetchall()
    balances = connection.execute("SELECT member_id, source, points FROM balances").fetchall()
    accounts = connection.execute(
        "SELECT version, status, next_reading, xp_posted, xp_baseline, xp_total, xp_high, window_from, account_id "
        "FROM discord_activity WHERE version > 2"
    ).fetchall()
    connection.close()
    return [
        (f"INSERT INTO runs VALUES ({_marks(run)})", run),
        (f"INSERT INTO entries VALUES ({_marks(entries)})", entries),
        (
            "INSERT INTO balances VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET points = points + excluded.points",
            balances,
        ),
        (f"INSERT INTO discord_days VALUES ({_marks(days)})", days),
        (
            """
            UPDATE discord_activity SET version = ?, status = ?, next_reading = ?, xp_posted = ?, xp_baseline = ?,
                xp_total = ?, xp_high = ?, window_from = ? WHERE account_id = ?
            """,
            accounts,
        ),
    ]


def _marks(rows: list[tuple[object, ...]]) -> str:
    return ", ".join("?" * len(rows[0]))


def common(store: Path, accounts: int) -> float:
    """Do what most programs do: for each member read, compare, write and commit, with the table API."""
    xp = population.later_xp(accounts, 1.0)
    database = sqlite_utils.Database(store)
    for pragma in population.PRAGMAS:
        database.execute(pragma)
    sample = list(xp.items())[: accounts // 100]

    def program() -> None:
        for discord_id, xp_total in sample:
            (account,) = database.table("discord_activity").rows_where("discord_id = ?", [discord_id])
            points, _ = divmod(xp_total - account["xp_baseline"], 100)
            if points:
                _post_one(database, account, points, xp_total)
            database.table("discord_activity").update(account["account_id"], {"xp_total": xp_total})

    seconds = timed(program) * accounts / len(sample)
    database.close()
    return seconds


def _post_one(database: sqlite_utils.Database, account: dict[str, object], points: int, xp_total: int) -> None:
    at = population.SYNCED_AT.isoformat(timespec="microseconds")
    database.table("entries").insert(
        {
            "kind": "gain",
            "member_id": account["member_id"],
            "source": "discord",
            "points": points,
            "day": at[:10],
            "at": at,
            "silent": 0,
            "account_id": account["account_id"],
            "xp_before": account["xp_posted"],
            "xp_after": xp_total,
            "baseline_before": account["xp_baseline"],
            "baseline_after": account["xp_baseline"],
        }
    )
    database.table("balances").upsert(
        {"member_id": account["member_id"], "source": "discord", "points": points}, pk=("member_id", "source")
    )


def memory(store: Path, accounts: int) -> float:
    """Return by how many bytes a busy sync raises the peak of memory above the level before it.

    The board comes from a file, for making it here would leave freed memory behind in which a sync
    could hide.
    """
    board = store.with_name(f"{accounts}.board")
    source = population.FixedSource(population.board_of(pickle.loads(board.read_bytes())))
    with SqliteLedger.open(store) as ledger:
        engage = Engage(ledger=ledger, source=source, clock=lambda: population.SYNCED_AT)
        gc.collect()
        before = _status_bytes("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")
        engage.sync()
        return _status_bytes("VmHWM") - before


def _status_bytes(name: str) -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def bare_pages(_store: Path, accounts: int) -> float:
    """Read every page with httpx and parse it, and nothing else."""
    url = f"{os.environ['BENCH_URL']}/api/plugins/levels/leaderboard/{GUILD_ID}"
    with httpx.Client(headers={"User-Agent": "trc-engage benchmark"}, trust_env=False) as client:

        def read() -> None:
            for page in range(accounts // 1_000 + 1):
                json.loads(client.get(url, params={"limit": 1_000, "page": page}).content)

        return timed(read)


def read_pages(_store: Path, accounts: int) -> float:
    """Read every page with `Mee6Source`, looking for so many members spread over all of them."""
    everyone = population.discord_ids(100_000)
    sought = frozenset(everyone[:: len(everyone) // accounts])
    with Mee6Source.open(GUILD_ID, base_url=os.environ["BENCH_URL"], page_gap=0) as source:
        return timed(lambda: source.read(sought))


def serve(_store: Path, accounts: int) -> float:
    """Serve a board of so many rows until standard input ends."""
    with Mee6Server.start(guild_id=GUILD_ID) as server:
        for number, discord_id in enumerate(population.discord_ids(accounts)):
            server.board.join(discord_id, username=f"Member {number}", xp=accounts - number)
        with httpx.Client(trust_env=False) as client:
            for page in range(accounts // 1_000 + 1):
                url = f"{server.url}/api/plugins/levels/leaderboard/{GUILD_ID}?limit=1000&page={page}"
                client.get(url).raise_for_status()
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
    return 0


MEASURED: dict[str, Callable[[Path, int], float]] = {
    "raw": raw,
    "common": common,
    "busy": lambda store, accounts: sync(store, accounts, 1.0),
    "everyday": lambda store, accounts: sync(store, accounts, 0.03),
    "quiet": lambda store, accounts: sync(store, accounts, 0.0),
    "memory": memory,
    "bare-pages": bare_pages,
    "read-pages": read_pages,
    "serve": serve,
    "raw-upserts": settling.raw_upserts,
    "settle": settling.settle,
    "recompute": settling.recompute,
    "standing": settling.standing,
}

if __name__ == "__main__":
    name, path, number = sys.argv[1:]
    sys.stdout.write(f"{MEASURED[name](Path(path), int(number))}\n")
