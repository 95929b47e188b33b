"""`trc-engage` under the fast clock: `python -m year.process CLOCK COMMAND…` runs its entry point without sleeping.

Whatever the daemon waits for passes at once, between two ticks and between two pages. When its time has reached the
last line on its stdin, it rests until another line comes, or SIGTERM.
"""

import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random

import time_machine

from trc_engage.entrypoints import cli
from trc_engage.entrypoints.cli import daemon
from trc_engage.entrypoints.daemon.signals import Stop

from .clock import Clock

AT_REST = "at rest"
LATE_SECONDS_MAX = 0.2
ENDS_WITHIN_SECONDS = 60.0


class Waiting:
    """How the daemon waits."""

    def __init__(self, clock: Clock, traveller: time_machine.Traveller) -> None:
        self._clock = clock
        self._traveller = traveller
        self._until = clock.now()
        self._chance = Random(0)

    def let_pass(self, seconds: float) -> None:
        """Let time pass for all processes."""
        self._traveller.shift(seconds)
        self._clock.set(datetime.now(UTC))

    def wait(self, seconds: float) -> bool:
        """Advance the time by the wait, up to the instant that was given; return whether to end."""
        left = (self._until - datetime.now(UTC)).total_seconds()
        if left <= 0:
            return self._rest()
        self.let_pass(min(seconds + self._chance.random() * LATE_SECONDS_MAX, left))
        return False

    def _rest(self) -> bool:
        print(AT_REST, flush=True)  # noqa: T201
        line = sys.stdin.readline()
        if line:
            self._until = datetime.fromisoformat(line.strip())
        return not line


def main() -> None:
    """Run the command."""
    _, file, *words = sys.argv
    clock = Clock(Path(file))
    with time_machine.travel(clock.now(), tick=False) as traveller:
        waiting, is_asked = Waiting(clock, traveller), Stop.wait

        def wait(self: Stop, seconds: float) -> bool:
            """Return whether a signal came; once stdin is closed one is on its way, so wait for it."""
            is_over = seconds > 0 and waiting.wait(seconds)
            return is_asked(self, ENDS_WITHIN_SECONDS if is_over else 0)

        Stop.wait = wait  # type: ignore[method-assign]
        opened = partial(daemon.opened_runner, pause=waiting.let_pass, monotonic=time.time)  # type: ignore[attr-defined]
        daemon.opened_runner = opened  # type: ignore[attr-defined]
        sys.argv = ["trc-engage", *words]
        cli.main()


if __name__ == "__main__":
    main()
