"""When the server or a proxy before it falls silent, every call ends at a deadline with an error that says so."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from support.command import Operator
from support.community import Community
from support.postgres import Server, schema, server_dsn
from trc_engage import LedgerBusy, LedgerFailed, Newcomer
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.postgres.connection import BULK_SECONDS, GRACE_SECONDS, STATEMENT_SECONDS, WAIT_SECONDS
from trc_engage.usecases.leases import LEASED_FOR

DEADLINE = 0.5
AT_ONCE_SECONDS = 30.0
"""Less than any real wait."""
A_WEB_SERVER_WAITS_SECONDS = 60


class Proxy:
    """A proxy that passes bytes on to the server until it is told to swallow them."""

    def __init__(self) -> None:
        found = conninfo_to_dict(server_dsn())
        self._host, self._port = str(found["host"]), int(found.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.dsn = make_conninfo(server_dsn(), host="127.0.0.1", port=self._listener.getsockname()[1])
        self.swallows_after: bytes | None = None
        """What a client says last before nothing more is passed on; empty for anything at all."""
        self.silent = Event()
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._serve)

    def _start(self, target: Callable[..., None], *values: Any, **options: Any) -> None:
        thread = threading.Thread(target=target, args=values, kwargs=options, daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """Accept no more connections and end those that are open."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._ends:
            end.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connect()
                self._ends += [client, server]
                self._start(self._pass, client, server, is_asking=True)
                self._start(self._pass, server, client, is_asking=False)

    def _connect(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return server

    def _pass(self, source: socket.socket, target: socket.socket, *, is_asking: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if is_asking and self.swallows_after is not None and self.swallows_after in data:
                    self.silent.set()
                if not self.silent.is_set():
                    target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Yield a proxy to the server that can fall silent."""
    with closing(Proxy()) as proxy:
        yield proxy


@pytest.fixture
def community(proxy: Proxy) -> Iterator[Community]:
    """Yield a community whose store is reached by the proxy."""
    with schema() as name, PostgresLedger.open(proxy.dsn, schema=name) as ledger:
        yield Community(ledger).begun()


def many(community: Community) -> object:
    """Enroll so many members that COPY is used."""
    return community.engage.enroll_all([Newcomer(f"m-{n}", str(7_000 + n)) for n in range(150)])


CALLS: dict[str, tuple[bytes, Callable[[Community], object], str]] = {
    "a read of one statement": (b"", lambda community: community.engage.history("ada"), "has not answered for"),
    "a read of one state": (b"", lambda community: community.points("ada"), "has not answered for"),
    "within a read": (b"FROM balances", lambda community: community.points("ada"), "has not answered for"),
    "the wait for the lock": (b"pg_advisory", lambda community: community.award("ada", "k"), "has not answered for"),
    "a statement": (b"INSERT INTO entries", lambda community: community.award("ada", "k"), "has not answered for"),
    "a lease": (b"INTO leases", lambda community: community.sync(ada=1_500), "has not answered for"),
    "COPY": (b"COPY engage_staged", lambda community: community.sync(ada=1_500), "has not answered for"),
    "COPY of many": (b"COPY engage_staged_members", many, "has not answered for"),
    "COMMIT": (
        b"\x0bCOMMIT\0",
        lambda community: community.award("ada", "k"),
        "it is not known whether that succeeded",
    ),
    "ROLLBACK": (b"ROLLBACK\0", lambda community: community.points("ada"), ""),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_answer_has_a_deadline(
    proxy: Proxy, community: Community, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call ends by a deadline, whatever answer is missing; when the server speaks again, the books are exact."""
    proxy.swallows_after, call, told = CALLS[name]
    began = monotonic()
    with monkeypatch.context() as hurried:
        # Shortened, so that the test need not wait.
        hurried.setattr("trc_engage.adapters.postgres.connection.DeadlineConnection.seconds_max", DEADLINE)
        if told:
            with pytest.raises(LedgerBusy, match=told):
                call(community)
        else:
            call(community)
    assert monotonic() - began < AT_ONCE_SECONDS
    assert proxy.silent.is_set()
    proxy.swallows_after = None
    proxy.silent.clear()
    assert community.award("ada", "k").outcome in {"awarded", "unchanged"}
    assert community.points("ada") == 12
    assert community.engage.audit().breaches == []


def test_a_server_that_takes_a_connection_and_says_nothing_is_told(proxy: Proxy) -> None:
    """A server that accepts a connection but never greets is given up at the connection timeout."""
    proxy.swallows_after = b""
    with pytest.raises(LedgerFailed, match=r"connection timeout expired|the server cannot be reached"):
        PostgresLedger.open(make_conninfo(proxy.dsn, connect_timeout=2))


def test_no_deadline_is_longer_than_its_reason() -> None:
    """A small statement is given up while a web server still waits for it; a bulk one may take as long as a lease."""
    assert WAIT_SECONDS < STATEMENT_SECONDS < STATEMENT_SECONDS + GRACE_SECONDS < A_WEB_SERVER_WAITS_SECONDS
    assert LEASED_FOR.total_seconds() == BULK_SECONDS


def test_a_run_against_a_frozen_server_ends_and_says_why(tmp_path: Path) -> None:
    """A run against a server frozen by SIGSTOP, which accepts connections but never answers, ends with exit code 74."""
    server = Server()
    operator = Operator(tmp_path)
    operator.env |= {"TRC_ENGAGE_STORE": f"{server.dsn}&connect_timeout=2", "TRC_ENGAGE_GUILD_ID": "1"}
    pid = int((server._server.pgdata / "postmaster.pid").read_text().splitlines()[0])
    try:
        PostgresLedger.open(server.dsn).close()
        os.kill(pid, signal.SIGSTOP)
        ran = operator.call("run-due")
        assert ran.code == 74
        assert "connection timeout expired" in ran.err
    finally:
        os.kill(pid, signal.SIGCONT)
        server.end(os.getpid())
