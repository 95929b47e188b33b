"""Syncs of many accounts, and what they are compared with."""

import gc
import pickle
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import population
from measured import timed

from trc_engage import Engage
from trc_engage.adapters.sqlite import SqliteLedger

if TYPE_CHECKING:
    from sqlite_utils import Database


def sync(store: Path, accounts: int, share: float) -> float:
    """Sync through `Engage`, from a board in memory to the commit."""
    source = population.FixedSource(population.board_of(population.later_xp(accounts, share)))
    with SqliteLedger.open(store) as ledger:
        engage = Engage(ledger=ledger, source=source, clock=lambda: population.SYNCED_AT)
        return timed(engage.sync)


def busy(store: Path, accounts: int) -> float:
    """Sync when everyone's XP rose."""
    return sync(store, accounts, 1.0)


def everyday(store: Path, accounts: int) -> float:
    """Sync when 3 % of the accounts rose."""
    return sync(store, accounts, 0.03)


def quiet(store: Path, accounts: int) -> float:
    """Sync when nothing changed."""
    return sync(store, accounts, 0.0)


def raw(store: Path, _accounts: int) -> float:
    """Write what a busy sync writes with `executemany`, from rows that are already in memory."""
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
    readings = connection.execute("SELECT * FROM readings WHERE day = ?", [moved[:10]]).fetchall()
    balances = connection.execute("SELECT member_id, source, points FROM balances").fetchall()
    months = connection.execute("SELECT month, member_id, points FROM monthly_balances").fetchall()
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
        (
            "INSERT INTO monthly_balances VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET points = points + excluded.points",
            months,
        ),
        (f"INSERT INTO discord_days VALUES ({_marks(days)})", days),
        (
            f"INSERT INTO readings VALUES ({_marks(readings)}) ON CONFLICT DO UPDATE SET xp = excluded.xp",
            readings,
        ),
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
    """Do what most programs do: read, compare, write and commit member by member, with the table API."""
    xp = population.later_xp(accounts, 1.0)
    import sqlite_utils  # noqa: PLC0415

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


def _post_one(database: "Database", account: dict[str, object], points: int, xp_total: int) -> None:
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
    """Return by how many bytes a busy sync raises the peak memory above the level before it.

    The board comes from a file, since making it here would leave freed memory behind in which a sync
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
