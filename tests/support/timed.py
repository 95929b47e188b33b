"""Daemons in processes of their own that can be killed, with clocks that the test sets."""

import os
import signal
import socket
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Self

import time_machine
from attrs import frozen

from trc_engage.entrypoints import cli
from trc_engage.entrypoints.cli import daemon
from trc_engage.entrypoints.daemon.signals import Stop

SECONDS_MAX = 60
AT_REST = "at rest"
LOADED = ["pytest", __name__, "trc_engage.engage", "trc_engage.adapters.alerts", "trc_engage.adapters.mee6"]
LOADED += ["trc_engage.adapters.postgres", "trc_engage.adapters.sqlite"]
"""The modules that a daemon needs; it is forked from a process that has loaded them."""

context = get_context("forkserver")
context.set_forkserver_preload(LOADED)


@frozen(eq=False)
class TimedDaemon:
    """A daemon in a process of its own; its clock stands still until the test sets it."""

    host: str
    process: ForkServerProcess
    _line: "Connection[datetime, str]"
    _log: Path

    @classmethod
    def start(cls, environ: Mapping[str, str], log: Path, at: datetime, host: str | None = None) -> Self:
        """Start a daemon that appends its log to a file and runs under the given host name."""
        host = host or socket.gethostname()
        here, there = context.Pipe()
        process = context.Process(target=live, args=(there, dict(environ), log, at, host), daemon=True)
        process.start()
        there.close()
        return cls(host, process, here, log)

    def tell(self, at: datetime) -> None:
        """Set the clock; the daemon then does what is due."""
        self._line.send(at)

    def rest(self) -> None:
        """Return once nothing is due any more."""
        assert self._line.poll(SECONDS_MAX)
        assert self._line.recv() == AT_REST, self.told()

    def told(self) -> list[str]:
        """Return the lines of the log."""
        return self._log.read_text().splitlines()

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        assert self.end() == -signal.SIGKILL

    def end(self) -> int | None:
        """Wait until it ends by itself, and return its exit code."""
        self.process.join(SECONDS_MAX)
        self._line.close()
        return self.process.exitcode


def live(line: "Connection[str, datetime]", environ: Mapping[str, str], log: Path, at: datetime, host: str) -> None:
    """Run the daemon as its command does, but report when nothing is due, and then wait to receive the next time.

    It does not wait between pages.
    """
    os.environ.clear()
    os.environ.update(environ)
    with log.open("a") as stderr:
        os.dup2(stderr.fileno(), 2)
    socket.gethostname = lambda: host
    is_asked = Stop.wait
    with time_machine.travel(at, tick=False) as traveller:

        def wait(self: Stop, seconds: float) -> bool:
            if seconds:
                line.send(AT_REST)
                traveller.move_to(line.recv())
            return is_asked(self, 0)

        Stop.wait = wait  # type: ignore[method-assign]
        daemon.opened_runner = partial(daemon.opened_runner, page_gap=0)  # type: ignore[attr-defined]
        sys.argv = ["trc-engage", "daemon"]
        cli.main()
