"""The daemon as it is started by its command, but in a time that the test tells it."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from select import select
from typing import Self

from attrs import frozen

SECONDS_MAX = 60
AT_REST = "at rest\n"

PROGRAM = """
import sys
from datetime import datetime
from functools import partial
import time_machine
from trc_engage.entrypoints import cli
import trc_engage.entrypoints.cli.daemon as running
from trc_engage.entrypoints.daemon.signals import Stop

is_asked = Stop.wait

def wait(self, seconds):
    if seconds:
        print("at rest", flush=True)
        traveller.move_to(datetime.fromisoformat(sys.stdin.readline().strip()))
    return is_asked(self, 0)

with time_machine.travel(datetime.fromisoformat(sys.argv.pop()), tick=False) as traveller:
    Stop.wait = wait
    running.opened_runner = partial(running.opened_runner, page_gap=0)
    sys.argv = ["trc-engage", "daemon"]
    cli.main()
"""
"""The daemon, but with nothing to do it says that it is at rest, and is told how late it is then.

Nor does it wait between pages.
"""


@frozen(eq=False)
class TimedDaemon:
    """A daemon in a process of its own; its time stands still until it is told another."""

    process: "subprocess.Popen[str]"
    _log: Path

    @classmethod
    def start(cls, environ: Mapping[str, str], log: Path, at: datetime) -> Self:
        """Start one, whose log goes to the end of a file."""
        with log.open("a") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", PROGRAM, at.isoformat()],
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        return cls(process, log)

    def tell(self, at: datetime) -> None:
        """Let it be so late; it does what is due then."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{at.isoformat()}\n")
        self.process.stdin.flush()

    def rest(self) -> None:
        """Return once nothing is due any more."""
        assert self.process.stdout is not None
        assert select([self.process.stdout], [], [], SECONDS_MAX)[0]
        assert self.process.stdout.readline() == AT_REST, self.told()

    def told(self) -> list[str]:
        """Return the lines of the log."""
        return self._log.read_text().splitlines()

    def kill(self) -> None:
        """End it as it stands."""
        self.process.kill()
        self.end()

    def end(self) -> int:
        """Return the code that it ends with by itself."""
        self.process.communicate(timeout=SECONDS_MAX)
        return self.process.returncode
