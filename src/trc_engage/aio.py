"""`AsyncEngage`: what a web app with an event loop holds in its hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from copy import copy
from typing import Any, Self

from .awaited import Awaited
from .core.ports import Store
from .engage import Engage

THREADS = 4
"""As many as `PostgresLedger` keeps connections."""


class AsyncEngage(Awaited):
    """An `Engage` whose every method is a coroutine, run on threads of its own, at most `threads` at once.

    A call that is cancelled before a thread took it up has done nothing. One that was begun is waited for, and is then
    done as a whole or not at all, as ever; so nobody goes on with a connection that it still uses. To cut a read of the
    board short, stop its source. Make it in the process that uses it: threads do not survive a fork.
    """

    def __init__(self, engage: Engage, *, threads: int = THREADS) -> None:
        super().__init__(engage)
        self._limit = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="trc-engage")
        self._turns: tuple[object, asyncio.Semaphore] | None = None
        """The loop that asked last, and what lets in as many of its calls as there are threads."""

    async def aclose(self) -> None:
        """End the threads, once all calls have returned; the ledger stays open."""
        turns = self._turns_here()
        for _ in range(self._limit):
            await turns.acquire()
        await asyncio.to_thread(self._threads.shutdown)
        for _ in range(self._limit):
            turns.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @asynccontextmanager
    async def joined(self, open_ledger: Callable[[], Store]) -> AsyncIterator["AsyncEngage"]:
        """Lend one on another ledger, such as one that joins your transaction, on the same threads.

        `open_ledger` is called on one of them: `lambda: PostgresLedger.open(connection=connection)`.
        """
        ledger = await self._run(open_ledger)
        lent = copy(self)
        lent._engage = self._engage.on(ledger)  # noqa: SLF001  another one of this class
        try:
            yield lent
        finally:
            if close := getattr(ledger, "close", None):
                close()

    async def _run(self, call: Callable[[], Any]) -> Any:
        """Run a call on a thread; cancelled, wait until it has ended if it was begun."""
        # What waits for a thread waits on the loop: hundreds of calls that are handed over at once hold it up.
        async with self._turns_here():
            future = self._threads.submit(copy_context().run, call)
            try:
                return await asyncio.wrap_future(future)
            except asyncio.CancelledError:
                await _ended(future)
                raise

    def _turns_here(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if self._turns is None or self._turns[0] is not loop:
            self._turns = loop, asyncio.Semaphore(self._limit)
        return self._turns[1]


async def _ended(future: "Future[Any]") -> None:
    """Wait for the end of a call, however often this is cancelled."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    future.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
    while not future.done():
        with suppress(asyncio.CancelledError):
            await ended.wait()
