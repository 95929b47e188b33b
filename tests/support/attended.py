"""Processes that run unattended: each has a store, a MEE6 and a supervisor that receives its notifications."""

import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from attrs import define, field

from trc_engage import Engage
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server

from .command import Operator
from .stores import let_take_any_board

IDS = {"ada": "80351110224678900", "bo": "80351110224678901", "cy": "80351110224678902"}
XP_BEFORE = 1_000
XP_GAINED = 250
AWAY = timedelta(days=3)
SECONDS_MAX = 60
ENDS_WITHIN_SECONDS = 5.0

IMPATIENT = """
import sys
from functools import partial
from trc_engage.entrypoints import cli
import trc_engage.entrypoints.cli.daemon as daemon
daemon.Daemon = partial(daemon.Daemon, busy_seconds=1)
sys.argv = ["trc-engage", "daemon", "--log-level", "debug"]
cli.main()
"""
"""The daemon, but it retries every second while another process holds the lease."""


class Supervisor:
    """Receives what a service reports about itself, as systemd does."""

    def __init__(self, address: str) -> None:
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(SECONDS_MAX)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)

    def until(self, state: str) -> None:
        """Receive messages until a state arrives that begins with the given one."""
        while not any(heard.startswith(state) for heard in self.hear()):
            pass

    def hear(self) -> list[str]:
        """Receive the next message and return its states."""
        states = self._socket.recv(4096).decode().splitlines()
        self.heard += states
        return states

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@define
class Post:
    """Where processes work: a store last synced three days ago, and a MEE6 on which everyone has gained XP since."""

    operator: Operator
    server: Mee6Server
    supervisor: Supervisor
    asked: Event
    """Set by every request to the server."""
    _processes: list["subprocess.Popen[str]"] = field(factory=list)

    @property
    def store(self) -> Path:
        """The path of the store's file."""
        return self.operator.folder / "engage.db"

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command; `end` kills it if it still runs."""
        self._processes.append(self.operator.start(*arguments))
        return self._processes[-1]

    def start_program(self, program: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start a program that the test supplies as source code."""
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, *arguments],
            env=self.operator.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def end(self) -> None:
        """Kill all processes and close the supervisor's socket."""
        for process in self._processes:
            process.kill()
            process.communicate()
        self.supervisor.close()

    def rows(self, query: str) -> list[tuple[str, ...]]:
        """Return the rows of a query on the store."""
        connection = sqlite3.connect(self.store)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def assert_exact(self) -> None:
        """Assert that after one complete sync nothing is lost, and nothing is paid or settled twice."""
        with SqliteLedger.open(self.store) as ledger, self._source() as source:
            engage = Engage(ledger=ledger, source=source, clock=lambda: datetime.now(UTC))
            engage.sync(fresh=True)
            engage.settle()
            for member_id in IDS:
                entries = engage.history(member_id)
                assert [entry.kind for entry in entries] == ["gain", "opening"]
                assert (entries[0].points, engage.standing(member_id).points) == (2, 2)
        (first,), *_ = settled = self.rows("SELECT day FROM settled_days ORDER BY day")
        days = [date.fromisoformat(first) + timedelta(days=number) for number in range(len(settled))]
        assert [(f"{day}",) for day in days] == settled
        assert days[-1] == datetime.now(UTC).date() - timedelta(days=1)
        assert self.rows("PRAGMA integrity_check") == [("ok",)]

    def _source(self) -> Mee6Source:
        return Mee6Source.open(self.server.guild_id, base_url=self.server.url, page_gap=0)


@contextmanager
def manned(folder: Path) -> Iterator[Post]:
    """Yield a folder with a store, a server and a supervisor."""
    folder.mkdir(exist_ok=True)
    asked = Event()

    def clock() -> datetime:
        asked.set()
        return datetime.now(UTC)

    with Mee6Server.start(clock=clock) as server:
        for discord_id in IDS.values():
            server.board.join(discord_id, xp=XP_BEFORE + XP_GAINED)
        operator = Operator(folder, server)
        address = f"@trc-engage-test-{id(server)}-{server.url[-5:]}"
        operator.env["NOTIFY_SOCKET"] = address
        post = Post(operator, server, Supervisor(address), asked)
        post.store.write_bytes(_synced_three_days_ago())
        try:
            yield post
        finally:
            server.recover()
            post.end()


@cache
def _synced_three_days_ago() -> bytes:
    with TemporaryDirectory() as folder, Mee6Server.start() as server:
        path = Path(folder, "engage.db")
        with (
            SqliteLedger.open(path) as ledger,
            Mee6Source.open(server.guild_id, base_url=server.url, page_gap=0) as source,
        ):
            # The test server's clock shows today, so it sends no date.
            server.trouble("no_date")
            engage = Engage(ledger=ledger, source=source, clock=lambda: datetime.now(UTC) - AWAY)
            for member_id, discord_id in IDS.items():
                server.board.join(discord_id, xp=XP_BEFORE)
                engage.enroll(member_id, discord_id=discord_id)
            engage.sync()
        let_take_any_board(path)
        return path.read_bytes()
