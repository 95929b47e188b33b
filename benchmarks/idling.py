"""What the daemon costs while nothing is due: a real process, on a store with this many accounts."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import population

from trc_engage.testing.mee6 import Mee6Server

SPEED_UP = 600
HASTY = """
import sys
from trc_engage.entrypoints import cli
from trc_engage.entrypoints.daemon import loop
loop.WAIT_SECONDS_MAX /= float(sys.argv[1])
sys.argv = ["trc-engage", "daemon", "--log-level", "error"]
cli.main()
"""
"""The daemon, but it wakes up this many times as often."""
HOUR_SECONDS = 3_600 / SPEED_UP
WATCHDOG_SECONDS = 120
"""As in `docs/deploy/trc-engage.service`."""


def idle_cpu(store: Path, accounts: int) -> float:
    """Return the CPU seconds that an idle hour takes."""
    with _idle(store, accounts) as pid:
        begun = _cpu_seconds(pid)
        time.sleep(HOUR_SECONDS)
        return _cpu_seconds(pid) - begun


def idle_memory(store: Path, accounts: int) -> float:
    """Return how many MB an idle daemon holds in memory."""
    with _idle(store, accounts) as pid:
        status = Path(f"/proc/{pid}/status").read_text()
        (resident,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(resident.split()[1]) * 1_024 / 1e6


@contextmanager
def _idle(store: Path, accounts: int) -> Iterator[int]:
    """Yield the process id of a daemon that has done what was due."""
    with Mee6Server.start() as server, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        for discord_id, xp in population.opening_xp(accounts).items():
            server.board.join(discord_id, xp=xp)
        told.bind(f"\0trc-engage-bench-{os.getpid()}")
        environment = {
            "TRC_ENGAGE_STORE": str(store),
            "TRC_ENGAGE_GUILD_ID": server.guild_id,
            "TRC_ENGAGE_MEE6_URL": server.url,
            "NOTIFY_SOCKET": f"@trc-engage-bench-{os.getpid()}",
            "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1_000_000 // SPEED_UP),
        }
        daemon = subprocess.Popen([sys.executable, "-c", HASTY, str(SPEED_UP)], env={**os.environ, **environment})
        try:
            while not told.recv(4_096).startswith(b"STATUS=idle"):
                pass
            yield daemon.pid
        finally:
            daemon.terminate()
            daemon.wait()


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time that all threads have used, to the nanosecond."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
