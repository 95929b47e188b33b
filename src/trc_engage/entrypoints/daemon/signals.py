"""How a process that runs unattended is told to end: SIGTERM or SIGINT, whatever it is doing."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

ENDS_WITHIN_SECONDS = 4.5
ENDING = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Whether somebody asked this process to end."""

    def __init__(self) -> None:
        self.reason = ""
        """The signal that asked first."""
        self._asked = Event()
        self._over = Event()
        self._given_up: list[Callable[[], object]] = []

    def wait(self, seconds: float) -> bool:
        """Wait until a stop is asked for, at most so long; tell whether it is."""
        return self._asked.wait(seconds)

    def gives_up(self, stop: Callable[[], object]) -> None:
        """Have this called when a stop is asked for, at once if it was already; it comes from another thread."""
        self._given_up.append(stop)
        if self._asked.is_set():
            stop()

    def listen(self, ear: int) -> None:
        """Read the numbers of signals until a stop is asked for or the other end is closed."""
        while heard := os.read(ear, 1):
            if heard[0] in ENDING:
                self._ask(signal.Signals(heard[0]).name)
                return

    def over(self) -> None:
        """Note that all has ended."""
        self._over.set()

    def _ask(self, reason: str) -> None:
        self.reason = reason
        self._asked.set()
        for stop in tuple(self._given_up):
            stop()
        if not self._over.wait(ENDS_WITHIN_SECONDS):
            # Whoever waits for a lock or a name server cannot be asked. To be killed is safe anywhere: what is
            # written is whole or not there, the claim of a dead process is taken over, an open slot is run by the
            # next. Nothing is logged, for the one who hangs may hold the log.
            os._exit(0)


@contextmanager
def heeding_signals() -> Iterator[Stop]:
    """Turn SIGTERM and SIGINT into a stop, and ignore SIGHUP.

    Signals are noted where the interpreter cannot be busy: the C handler writes the number to a pipe, and a thread
    reads it, while the main thread may sit in SQLite or in the resolver. Handlers are put back, unless a stop was asked
    for: then the process is about to end, and a second signal is not to spoil its exit code.
    """
    stop = Stop()
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)
    listener = Thread(target=stop.listen, args=[ear], name="signals", daemon=True)
    listener.start()
    mouth_before = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    before = {number: signal.signal(number, _noted) for number in ENDING}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield stop
    finally:
        asked = stop.wait(0)
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if asked else handler)
        signal.set_wakeup_fd(mouth_before)
        stop.over()
        os.close(mouth)
        listener.join()
        os.close(ear)


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: by now the number is in the pipe."""
