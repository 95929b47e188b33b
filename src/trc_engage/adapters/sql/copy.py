"""A whole store copied into another, whatever database either is in."""

from collections.abc import Iterator, Sequence

from attrs import frozen

from ...core.errors import LedgerFailed
from .database import Connection, Database, Row

PAGE = 10_000
"""How many rows are read at a time."""


@frozen
class Table:
    """A table; its first columns are its key."""

    name: str
    columns: Sequence[str]
    keys: int = 1


TABLES = (
    Table("members", ("member_id", "name", "enrolled_at", "is_hidden", "is_forgotten", "version")),
    Table("name_words", ("word", "member_id"), keys=2),
    Table(
        "discord_activity",
        (
            *("account_id", "version", "member_id", "discord_id", "status", "next_reading"),
            *("xp_baseline", "xp_total", "xp_high", "xp_posted", "window_from", "linked_at", "unlinked_at"),
        ),
    ),
    Table(
        "entries",
        (
            *("position", "kind", "member_id", "source", "points", "day", "at", "silent"),
            *("account_id", "xp_before", "xp_after", "baseline_before", "baseline_after"),
            *("key", "reason", "actor", "reverses"),
        ),
    ),
    Table("balances", ("member_id", "source", "points"), keys=2),
    Table("monthly_balances", ("month", "member_id", "points"), keys=2),
    Table("discord_days", ("day", "member_id", "account_id", "opens_at", "closes_at"), keys=3),
    Table("streaks", ("member_id", "version", "last", "length", "longest")),
    Table("settled_days", ("day", "settled_at")),
    Table("excusals", ("change", "day", "reason", "at")),
    Table(
        "runs",
        (
            *("run_id", "task", "outcome", "at"),
            *("opened", "gained", "deducted", "rebased", "unchanged", "absent", "missed"),
            *("points", "pages", "board_rows", "whole", "trouble", "message", "counts", "retry_at"),
            *("board_id", "decision", "actor", "reason"),
        ),
    ),
    Table("waits", ("board_id", "trouble", "until")),
    Table("slots", ("slot", "outcome", "at")),
    Table("failure_runs", ("scope", "failures", "since", "trouble", "message")),
    Table("sent_notices", ("channel", "topic", "is_sure", "kind", "since", "at"), keys=3),
    Table("channels", ("channel", "fingerprint", "dead_since", "not_before", "why"), keys=2),
)
"""All but the leases and the requests, for nobody is at work on a copy; what refers to others stands behind them."""


def copy(source: Database, target: Database) -> None:
    """Copy one state of a store into an empty one, all of it or nothing; raises `LedgerFailed` if it is not empty."""
    with source.snapshot() as reads, target.transaction() as writes:
        source.extend_timeout(reads)
        for table in TABLES:
            if writes.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone() is not None:
                message = f"{target.address} is not empty, and nothing was copied: name a store that holds nothing yet"
                raise LedgerFailed(message)
        for table in TABLES:
            target.fill(writes, table.name, table.columns, _rows(reads, table))


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    """Yield a table's rows in the order of their keys, so that no more than a page is held."""
    keys = ", ".join(table.columns[: table.keys])
    pages = f"ORDER BY {keys} LIMIT {PAGE}"
    whole = f"SELECT {', '.join(table.columns)} FROM {table.name}"
    beyond = f"{whole} WHERE ({keys}) > ({', '.join('?' * table.keys)}) {pages}"
    page = connection.execute(f"{whole} {pages}").fetchall()
    while page:
        yield from page
        page = connection.execute(beyond, page[-1][: table.keys]).fetchall()
