"""SIGTERM and SIGINT: end an unattended process, whatever it is doing."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

ENDS_WITHIN_SECONDS = 4.5
ENDING = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Whether a signal asked this process to end."""

    def __init__(self) -> None:
        self.reason: str = ""
        """The name of the signal that came first."""
        self._asked = Event()
        self._over = Event()
        self._callbacks: list[Callable[[], object]] = []

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` for a signal; return whether one came."""
        return self._asked.wait(seconds)

    def on_signal(self, callback: Callable[[], object]) -> None:
        """Call `callback` from another thread when a signal comes, or at once if one has come already."""
        self._callbacks.append(callback)
        if self._asked.is_set():
            callback()

    def listen(self, pipe: int) -> None:
        """Read signal numbers until one ends the process or the other end is closed."""
        while number := os.read(pipe, 1):
            if number[0] in ENDING:
                self._ask(signal.Signals(number[0]).name)
                return

    def over(self) -> None:
        """Note that the process has finished its work."""
        self._over.set()

    def _ask(self, reason: str) -> None:
        self.reason = reason
        self._asked.set()
        for callback in tuple(self._callbacks):
            callback()
        if not self._over.wait(ENDS_WITHIN_SECONDS):
            # A thread waiting for a lock or a name server cannot be interrupted. A kill is safe anywhere: writes are
            # all or nothing, the lease of a dead process is taken over, and the next run does an open slot. Nothing
            # is logged, since the thread that hangs may hold the log's lock.
            os._exit(0)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Turn SIGTERM and SIGINT into a stop, and ignore SIGHUP.

    It works even while the main thread is busy in SQLite or the resolver: the C handler writes the number to a pipe,
    and a thread reads it. Handlers are restored at the end, unless a signal came: then the process is about to end,
    and a second signal must not spoil its exit code.
    """
    stop = Stop()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    listener = Thread(target=stop.listen, args=[reader], name="signals", daemon=True)
    listener.start()
    writer_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = {number: signal.signal(number, _ignore) for number in ENDING}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield stop
    finally:
        asked = stop.wait(0)
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if asked else handler)
        signal.set_wakeup_fd(writer_before)
        stop.over()
        os.close(writer)
        listener.join()
        os.close(reader)


def _ignore(_number: int, _frame: object) -> None:
    """Do nothing: the number is already in the pipe."""
