"""Two processes on one store, and processes that are killed (R19)."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from support.command import ADA, GRACE
from trc_engage import Engage, SyncReport
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server


class Shell:
    """The command line on one store and one server."""

    def __init__(self, store: Path, server: Mee6Server) -> None:
        self.guild_id = server.guild_id
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TRC_ENGAGE_STORE": str(store),
            "TRC_ENGAGE_GUILD_ID": server.guild_id,
            "TRC_ENGAGE_MEE6_URL": server.url,
        }

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command."""
        command = [sys.executable, "-m", "trc_engage", *words]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *words: str) -> tuple[int, str]:
        """Run a command to its end; return its exit code and its output."""
        process = self.start(*words)
        output, errors = process.communicate(timeout=60)
        return process.returncode, output + errors

    def sync_here(self) -> SyncReport:
        """Run a fresh sync within this process."""
        with (
            SqliteLedger.open(self.environment["TRC_ENGAGE_STORE"]) as ledger,
            Mee6Source.open(self.guild_id, base_url=self.environment["TRC_ENGAGE_MEE6_URL"]) as source,
        ):
            return Engage(ledger=ledger, source=source, clock=lambda: datetime.now(UTC)).sync(fresh=True)

    def points(self, member_id: str) -> int:
        """Return a member's points."""
        with SqliteLedger.open(self.environment["TRC_ENGAGE_STORE"]) as ledger:
            return Engage(ledger=ledger, clock=lambda: datetime.now(UTC)).standing(member_id).points


@pytest.fixture
def shell(tmp_path: Path, server: Mee6Server) -> Shell:
    """Return a shell for a store with two members, whose accounts are opened."""
    shell = Shell(tmp_path / "engage.db", server)
    for member_id, discord_id in (("ada", ADA), ("grace", GRACE)):
        assert shell.run("members", "enroll", member_id, "--discord-id", discord_id)[0] == 0
    assert shell.run("sync")[0] == 0
    return shell


def test_of_two_syncs_at_once_one_works(shell: Shell, server: Mee6Server) -> None:
    """While one sync reads, a second one ends as busy with exit code 75, and the points are paid once."""
    server.board.give(ADA, 1_000)
    reading, go_on = Event(), Event()

    def hold(_page: int) -> None:
        reading.set()
        assert go_on.wait(60)

    server.between_pages = hold
    first = shell.start("sync", "--fresh")
    assert reading.wait(60)
    code, told = shell.run("sync", "--fresh")
    go_on.set()
    first.communicate(timeout=60)
    assert (first.returncode, code) == (0, 75)
    assert "another run is at work" in told
    assert shell.points("ada") == 10


def test_a_sync_killed_while_it_reads_can_be_run_again_at_once(shell: Shell, server: Mee6Server) -> None:
    """After a sync is killed while it reads, the next one need not wait for its lease, and pays everything once."""
    server.board.give(ADA, 1_000)
    reading, killed = Event(), Event()

    def hold(_page: int) -> None:
        reading.set()
        assert killed.wait(60)

    server.between_pages = hold
    victim = shell.start("sync", "--fresh")
    assert reading.wait(60)
    victim.kill()
    victim.communicate(timeout=60)
    server.between_pages = None
    killed.set()
    code, _ = shell.run("sync", "--fresh")
    assert (victim.returncode, code) == (-signal.SIGKILL, 0)
    assert shell.points("ada") == 10


KILLED_IN_THE_TRANSACTION = """
import os, signal, sys
from trc_engage.adapters.sql import posting
from trc_engage.adapters.sqlite import database
statements = int(sys.argv[1])

class Deadly(database.FileConnection):
    seen = 0
    def execute(self, statement, *values):
        if statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE", "COMMIT")):
            Deadly.seen += 1
            if Deadly.seen == statements:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(statement, *values)

database.FileConnection = Deadly
from trc_engage.entrypoints.cli import main
sys.argv = ["trc-engage", "sync", "--fresh", "--json"]
main()
"""


def test_a_sync_killed_at_any_statement_is_whole_or_not_at_all(shell: Shell, server: Mee6Server) -> None:
    """At whichever statement of its transactions a sync is killed, running it again makes the balances exact."""
    xp = 1_000
    outcomes = []
    for statement in range(1, 40):
        server.board.give(ADA, 150)
        xp += 150
        command = [sys.executable, "-c", KILLED_IN_THE_TRANSACTION, str(statement)]
        victim = subprocess.run(command, env=shell.environment, capture_output=True, check=False)
        outcomes.append(victim.returncode)
        assert shell.sync_here().outcome == "synced"
        assert shell.points("ada") == (xp - 1_000) // 100
        if victim.returncode == 0:
            break
    assert outcomes[-1] == 0
    assert set(outcomes[:-1]) == {-signal.SIGKILL}
    assert len(outcomes) > 10
