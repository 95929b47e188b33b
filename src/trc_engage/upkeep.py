"""`Upkeep`: runs what is due in the background of a web app."""

import asyncio
import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Self

from .aio import validate_engage
from .core.errors import EngageError
from .engage import Engage

logger: logging.Logger = logging.getLogger(__name__)

EVERY_SECONDS = 300.0
"""Settles a day at 00:05, and soon picks up the slot of a killed process."""
RETRY_SECONDS = 60.0
RETRY_SECONDS_MAX = 900.0


class Upkeep:
    """Calls `run_due` at once and every five minutes on its own thread, until stopped.

    Use it with `with` or `async with` around the life of your app, or await `run()` as a task. Exceptions are logged
    and retried after 1 minute, then 2, 4, 8 and 15. `stop_reading` is called on exit to cut a read short: pass your
    source's `stop`. Start it after forking, because threads do not survive a fork. With several processes, one works
    at a time.
    """

    def __init__(
        self, engage: Engage, *, stop_reading: Callable[[], None] | None = None, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._engage = validate_engage(engage)
        self._stop_reading = stop_reading
        self._every_seconds = every_seconds
        self._wake = Event()
        self._is_stopping = False
        self._is_asked = False
        self._failures = 0
        self._thread = Thread(target=self._work, name="trc-engage upkeep", daemon=True)

    def start(self) -> None:
        """Start the thread; call it only once."""
        self._thread.start()

    def sync_soon(self) -> None:
        """Have the board read as soon as the thread is free, without waiting for it."""
        self._is_asked = True
        self._wake.set()

    def stop(self) -> None:
        """Stop the thread and wait for its end; `stop_reading`, if given, cuts the current read short."""
        self._is_stopping = True
        self._wake.set()
        if self._stop_reading is not None:
            self._stop_reading()
        self._thread.join()

    async def run(self) -> None:
        """Run until cancelled, as a task on your event loop."""
        async with self:
            await asyncio.Event().wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    def _work(self) -> None:
        if not self._engage.has_source:
            logger.warning("upkeep: no board is read, and days stay pending, because Engage has no source (source=…)")
        while not self._is_stopping:
            try:
                if self._is_asked:
                    self._is_asked = False
                    self._engage.sync(fresh=True)
                logger.info("upkeep: %s", self._engage.run_due().outcome)
                self._failures = 0
            except BaseException as error:
                # Catch everything: if upkeep died, the app would still look healthy.
                self._failures += 1
                trace = None if isinstance(error, EngageError) else error
                logger.warning("upkeep: %s", error or type(error), exc_info=trace)
            self._wake.wait(self._seconds())
            self._wake.clear()

    def _seconds(self) -> float:
        """Return the seconds until the next run."""
        if self._failures:
            return min(RETRY_SECONDS * 2.0 ** min(self._failures - 1, 9), RETRY_SECONDS_MAX, self._every_seconds * 3)
        return self._every_seconds - time.time() % self._every_seconds
