"""Daemons that are processes of their own and can be killed, in a time that the test tells them."""

import signal
import socket
from collections.abc import Mapping
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

import time_machine
from attrs import frozen

from trc_engage.entrypoints.daemon.loop import Daemon, Systemd
from trc_engage.entrypoints.daemon.supervisor import Monitor, Supervisor
from trc_engage.entrypoints.settings import Settings
from trc_engage.entrypoints.stores import now
from trc_engage.entrypoints.wiring import opened_runner

SECONDS_MAX = 60
AT_REST = "at rest"
LOADED = ["pytest", __name__, "trc_engage.engage", "trc_engage.adapters.alerts", "trc_engage.adapters.mee6"]
LOADED += ["trc_engage.adapters.postgres", "trc_engage.adapters.sqlite"]
"""What a runner needs; it is forked from a process that has it all."""

context = get_context("forkserver")
context.set_forkserver_preload(LOADED)


@frozen(eq=False)
class Runner:
    """A daemon in a process of its own; its time stands still until it is told another."""

    host: str
    process: ForkServerProcess
    line: "Connection[datetime, str]"

    @classmethod
    def start(cls, environ: Mapping[str, str], host: str, at: datetime) -> "Runner":
        """Start one on a host that is called so; it does what is due, and rests."""
        here, there = context.Pipe()
        process = context.Process(target=live, args=(there, dict(environ), host, at), daemon=True)
        process.start()
        there.close()
        runner = cls(host, process, here)
        runner.rest()
        return runner

    def tell(self, at: datetime) -> None:
        """Let it be so late; it does what is due then."""
        self.line.send(at)

    def rest(self) -> None:
        """Return once nothing is due any more."""
        assert self.line.poll(SECONDS_MAX)
        assert self.line.recv() == AT_REST

    def kill(self) -> None:
        """End it as it stands."""
        self.process.kill()
        self.process.join()
        self.line.close()
        assert self.process.exitcode == -signal.SIGKILL


def live(line: "Connection[str, datetime]", environ: Mapping[str, str], host: str, at: datetime) -> None:
    """Be the daemon, as it is but for the waiting."""
    socket.gethostname = lambda: host
    with time_machine.travel(at, tick=False) as traveller:

        def wait(seconds: float) -> bool:
            if seconds:
                line.send(AT_REST)
                traveller.move_to(line.recv())
            return False

        with opened_runner(Settings.from_mapping(environ), page_gap=0) as runner:
            Daemon(Supervisor(runner.engage, [], now, Monitor()).run, wait, Systemd()).run()
