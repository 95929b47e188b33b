"""`AsyncEngage`: the API for applications with an event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from copy import copy
from functools import partial, wraps
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

from .core.errors import EngageError, InvalidValue
from .core.ports import Store
from .core.validation import validate_points
from .engage import Engage

THREADS = 4
"""As many as the connections that `PostgresLedger` keeps."""
P = ParamSpec("P")
T = TypeVar("T")


def _awaited(
    method: Callable[Concatenate[Engage, P], T],
) -> "Callable[Concatenate[AsyncEngage, P], Coroutine[Any, Any, T]]":
    """Return a method of `Engage` as a coroutine function with the same signature and docstring."""

    @wraps(method)
    async def call(self: "AsyncEngage", /, *values: P.args, **options: P.kwargs) -> T:
        return await self._run(partial(method, self._engage, *values, **options))

    return call


class AsyncEngage:
    """An `Engage` whose methods are coroutines, run on up to `threads` threads of its own.

    A call cancelled before a thread picks it up does nothing. Once started, it is awaited to the end even if cancelled,
    so its connection is never reused early, and its writes are all done or none. To cut a board read short, stop its
    source. Create it in the process that uses it: threads do not survive a fork.
    """

    def __init__(self, engage: Engage, *, threads: int = THREADS) -> None:
        self._engage = validate_engage(engage)
        self._limit = validate_points(threads, "threads")
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="trc-engage")
        self._turns: tuple[object, asyncio.Semaphore] | None = None
        """The most recent event loop, and the semaphore that limits its calls to the number of threads."""

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
        """Yield one over another ledger, such as one that joins your transaction, on the same threads.

        `open_ledger` is called on one of the threads: `lambda: PostgresLedger.open(connection=connection)`.
        """
        ledger = await self._run(open_ledger)
        lent = copy(self)
        lent._engage = self._engage.on(ledger)  # noqa: SLF001  another one of this class
        try:
            yield lent
        finally:
            if close := getattr(ledger, "close", None):
                close()

    async def _run(self, call: Callable[[], T]) -> T:
        """Run a call on a thread; if cancelled after the call began, wait for its end."""
        # Queue on the loop, not in the executor: submitting hundreds of calls at once would stall the loop.
        async with self._turns_here():
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[T] = loop.create_future()
            try:
                work = self._threads.submit(copy_context().run, _answered, call, loop, answer)
            except RuntimeError as error:
                raise EngageError("this AsyncEngage is closed; make another") from error
            try:
                return await answer
            except asyncio.CancelledError:
                work.cancel()
                await _ended(work)
                raise

    def _turns_here(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if self._turns is None or self._turns[0] is not loop:
            self._turns = loop, asyncio.Semaphore(self._limit)
        return self._turns[1]

    standing: Final = _awaited(Engage.standing)
    milestones: Final = _awaited(Engage.milestones)
    days: Final = _awaited(Engage.days)
    explain: Final = _awaited(Engage.explain)
    members: Final = _awaited(Engage.members)
    never_seen: Final = _awaited(Engage.never_seen)
    find: Final = _awaited(Engage.find)
    presence: Final = _awaited(Engage.presence)
    resolve: Final = _awaited(Engage.resolve)
    history: Final = _awaited(Engage.history)
    events: Final = _awaited(Engage.events)
    feed: Final = _awaited(Engage.feed)
    milestones_reached: Final = _awaited(Engage.milestones_reached)
    story: Final = _awaited(Engage.story)
    why: Final = _awaited(Engage.why)
    whys: Final = _awaited(Engage.whys)
    excusals: Final = _awaited(Engage.excusals)
    leaderboard: Final = _awaited(Engage.leaderboard)
    longest_streaks: Final = _awaited(Engage.longest_streaks)
    rank: Final = _awaited(Engage.rank)
    today: Final = _awaited(Engage.today)
    enroll: Final = _awaited(Engage.enroll)
    enroll_all: Final = _awaited(Engage.enroll_all)
    link: Final = _awaited(Engage.link)
    unlink: Final = _awaited(Engage.unlink)
    leave: Final = _awaited(Engage.leave)
    leave_all: Final = _awaited(Engage.leave_all)
    rejoin: Final = _awaited(Engage.rejoin)
    rejoin_all: Final = _awaited(Engage.rejoin_all)
    reconcile: Final = _awaited(Engage.reconcile)
    sync: Final = _awaited(Engage.sync)
    run_due: Final = _awaited(Engage.run_due)
    check_roster: Final = _awaited(Engage.check_roster)
    status: Final = _awaited(Engage.status)
    audit: Final = _awaited(Engage.audit)
    repair: Final = _awaited(Engage.repair)
    award: Final = _awaited(Engage.award)
    reverse: Final = _awaited(Engage.reverse)
    adjust: Final = _awaited(Engage.adjust)
    confirm_clock: Final = _awaited(Engage.confirm_clock)
    repair_clock: Final = _awaited(Engage.repair_clock)
    settle: Final = _awaited(Engage.settle)
    excuse: Final = _awaited(Engage.excuse)
    unexcuse: Final = _awaited(Engage.unexcuse)
    hide: Final = _awaited(Engage.hide)
    show: Final = _awaited(Engage.show)
    forget: Final = _awaited(Engage.forget)


def validate_engage(value: Any) -> Engage:
    """Return an `Engage`, or what looks like one; raises `InvalidValue` for others, such as an `AsyncEngage`."""
    if not hasattr(value, "run_due") or isinstance(value, AsyncEngage):
        raise InvalidValue("engage", type(value).__name__, "give an Engage, whose methods are no coroutines")
    checked: Engage = value
    return checked


def _answered(call: Callable[[], T], loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[T]") -> None:
    """Run a call and pass its result to the loop directly, since `asyncio.wrap_future` passes it on twice."""
    try:
        settle = partial(answer.set_result, call())
    except BaseException as error:
        settle = partial(answer.set_exception, error)
    loop.call_soon_threadsafe(lambda: answer.done() or settle())


async def _ended(future: "Future[Any]") -> None:
    """Wait for the end of a call, even if cancelled meanwhile."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    future.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
    while not future.done():
        with suppress(asyncio.CancelledError):
            await ended.wait()
