"""`AsyncEngage`: every method as a coroutine, a limit of threads, and cancelled calls done in full or not at all."""

import asyncio
import inspect
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, current_thread
from typing import Any, cast

import pytest

from support.community import LEDGERS, Community, opened
from trc_engage import Engage, EngageError, InvalidValue, OnEventLoop, UnknownMember
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.aio import AsyncEngage
from trc_engage.core.ports import Store

SECONDS_MAX = 30


def methods(of: type) -> dict[str, Any]:
    """Return the public methods of a class."""
    found = inspect.getmembers(of, inspect.isfunction)
    return {name: method for name, method in found if not name.startswith("_")}


def test_it_has_every_method_of_engage() -> None:
    """`AsyncEngage` has each method of `Engage` but `on`, with the same help; new ones go into `trc_engage/aio.py`."""
    ours, own = methods(AsyncEngage), {"aclose", "joined"}
    assert ours.keys() - own == methods(Engage).keys() - {"on"}
    for name, method in methods(Engage).items():
        if name != "on":
            assert inspect.iscoroutinefunction(ours[name])
            assert (inspect.signature(ours[name]), ours[name].__doc__) == (inspect.signature(method), method.__doc__)


class Held:
    """A memory ledger whose `post` and `tally` wait until the test lets them go on."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.begun, self.go_on = Event(), Event()
        self.at_work = self.most = 0
        self.closed_on: str | None = None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.ledger, name)
        if name not in {"post", "tally"}:
            return method

        def held(*values: Any) -> Any:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
            self.begun.set()
            assert self.go_on.wait(SECONDS_MAX)
            self.at_work -= 1
            return method(*values)

        return held

    def close(self) -> None:
        """Record which thread closes it."""
        self.closed_on = current_thread().name


@pytest.fixture
def held() -> Iterator[Held]:
    """Yield a ledger whose calls wait, with ada enrolled."""
    held = Held()
    engage_on(held.ledger).enroll("ada")
    yield held
    held.go_on.set()


def engage_on(ledger: object) -> Engage:
    """Return an `Engage` on a ledger, with a fixed clock."""
    return Engage(ledger=cast("Store", ledger), clock=lambda: datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


def award(engage: AsyncEngage, key: str) -> Any:
    """Return the coroutine that books an award for ada."""
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    return engage.award("ada", source="benchmark", points=5, key=key, at=at)


@pytest.mark.parametrize("kind", LEDGERS)
def test_it_does_what_engage_does(kind: str, tmp_path: Path) -> None:
    """On each ledger, 40 concurrent awards with 10 keys are booked 10 times, and `Engage`'s errors reach the caller."""

    async def run(engage: Engage) -> None:
        async with AsyncEngage(engage) as points:
            await points.enroll("bo", name="Bo")
            receipts = await asyncio.gather(*(award(points, f"run:{number % 10}") for number in range(40)))
            assert sorted(receipt.outcome for receipt in receipts) == ["awarded"] * 10 + ["unchanged"] * 30
            assert (await points.standing("ada")).points == 52
            with pytest.raises(UnknownMember):
                await points.standing("eve")
            with pytest.raises(InvalidValue):
                await points.feed(limit=0)

    with opened(kind, tmp_path) as ledger:
        asyncio.run(run(Community(ledger).begun().engage))


def test_writing_on_the_event_loop_is_refused() -> None:
    """On the event loop a write raises `OnEventLoop`; a read, a thread, or `allow_event_loop=True` is let through."""

    async def run() -> None:
        ledger = MemoryLedger()
        engage = engage_on(ledger)
        with pytest.raises(OnEventLoop, match="AsyncEngage"):
            engage.enroll("ada")
        for write in (engage.run_due, engage.settle, engage.repair):
            with pytest.raises(OnEventLoop):
                write()
        assert (engage.members(), engage.status().is_healthy) == ([], False)
        await asyncio.to_thread(engage.enroll, "ada")
        allowed = Engage(ledger=ledger, clock=lambda: datetime.now(UTC), allow_event_loop=True)
        assert allowed.enroll("bo").outcome == "enrolled"
        assert allowed.on(ledger).enroll("cy").outcome == "enrolled"

    asyncio.run(run())
    assert engage_on(MemoryLedger()).enroll("ada").outcome == "enrolled"


def test_no_more_than_so_many_threads_are_at_work(held: Held) -> None:
    """With `threads=3`, three of 20 calls run at once; the others wait without blocking the event loop."""

    async def run() -> None:
        async with AsyncEngage(engage_on(held), threads=3) as points:
            calls = [asyncio.create_task(points.status()) for _ in range(20)]
            await asyncio.to_thread(held.begun.wait, SECONDS_MAX)
            while held.at_work < 3:
                await asyncio.sleep(0)
            held.go_on.set()
            await asyncio.gather(*calls)
        assert held.most == 3

    asyncio.run(run())


def test_a_call_that_was_not_begun_is_cancelled(held: Held) -> None:
    """A call that is cancelled while it waits for a thread is never carried out."""

    async def run() -> None:
        async with AsyncEngage(engage_on(held), threads=1) as points:
            first = asyncio.create_task(award(points, "first"))
            await asyncio.to_thread(held.begun.wait, SECONDS_MAX)
            second = asyncio.create_task(award(points, "second"))
            await asyncio.sleep(0)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            held.go_on.set()
            await first
            assert [entry.key for entry in await points.feed()] == ["first"]

    asyncio.run(run())


def test_a_call_that_was_begun_is_done_before_its_task_ends(held: Held) -> None:
    """A running call that is cancelled, even three times, is carried out before its task ends as cancelled."""

    async def run() -> None:
        async with AsyncEngage(engage_on(held), threads=1) as points:
            task = asyncio.create_task(award(points, "begun"))
            await asyncio.to_thread(held.begun.wait, SECONDS_MAX)
            for _ in range(3):
                task.cancel()
                await asyncio.sleep(0)
                assert not task.done()
            held.go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [entry.key for entry in await points.feed()] == ["begun"]

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_cancelling_in_the_middle_leaves_all_or_nothing(kind: str, tmp_path: Path) -> None:
    """Of 200 awards, each cancelled at another moment, those that were booked are whole, and the store is sound."""

    async def run(engage: Engage) -> None:
        async with AsyncEngage(engage) as points:
            tasks = [asyncio.create_task(award(points, f"run:{number}")) for number in range(200)]
            for task in tasks:
                await asyncio.sleep(0.0005)
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            entries = [entry for entry in await points.feed() if entry.key]
            assert (await points.standing("ada")).points == 2 + 5 * len(entries)
            assert sum(not isinstance(one, BaseException) for one in ended) <= len(entries)
            assert (await points.audit()).is_healthy

    with opened(kind, tmp_path) as ledger:
        asyncio.run(run(Community(ledger).begun().engage))


def test_it_is_closed_once_all_calls_have_returned(held: Held) -> None:
    """Leaving `async with` waits for all calls, even for those that still wait for a thread."""

    async def run() -> None:
        async with AsyncEngage(engage_on(held), threads=1) as points:
            calls = [asyncio.create_task(award(points, f"run:{number}")) for number in range(5)]
            await asyncio.to_thread(held.begun.wait, SECONDS_MAX)
            asyncio.get_running_loop().call_soon(held.go_on.set)
        assert [(await call).outcome for call in calls] == ["awarded"] * 5
        with pytest.raises(EngageError, match="is closed"):
            await points.feed()

    asyncio.run(run())


def test_it_serves_one_loop_after_another(held: Held) -> None:
    """`AsyncEngage` works in a second event loop, even after calls waited for a thread on the first one."""
    held.go_on.set()
    points = AsyncEngage(engage_on(held), threads=1)

    async def run() -> int:
        return len(await asyncio.gather(*(award(points, f"run:{number}") for number in range(5))))

    assert [asyncio.run(run()) for _ in range(2)] == [5, 5]
    asyncio.run(points.aclose())


WHO: ContextVar[str] = ContextVar("who")


def test_context_variables_are_seen() -> None:
    """A call sees its caller's context variables, so that a custom clock can read them."""

    def clock() -> datetime:
        seen.append(WHO.get())
        return datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    async def run() -> None:
        WHO.set("request 7")
        async with AsyncEngage(Engage(ledger=MemoryLedger(), clock=clock)) as points:
            await points.enroll("ada")

    seen: list[str] = []
    asyncio.run(run())
    assert set(seen) == {"request 7"}


def test_another_ledger_is_lent_on_the_same_threads(held: Held) -> None:
    """`joined` opens another ledger on one of the threads, writes to that one only, and closes it at the end."""
    held.go_on.set()

    async def run() -> None:
        async with AsyncEngage(engage_on(MemoryLedger())) as points:
            threads: list[str] = []

            def opened() -> Store:
                threads.append(current_thread().name)
                return cast("Store", held)

            async with points.joined(opened) as joined:
                await award(joined, "joined")
            assert (threads[0][:10], held.closed_on is not None) == ("trc-engage", True)
            assert (await points.feed(), len(held.ledger.feed(after=0, limit=9))) == ([], 1)

    asyncio.run(run())


def test_a_number_of_threads_is_named(community: Community) -> None:
    """Fewer threads than one are refused by the argument's name, and so is another `AsyncEngage`."""
    with pytest.raises(InvalidValue, match=r"^threads: 0: give a whole number from 1"):
        AsyncEngage(community.engage, threads=0)
    with pytest.raises(InvalidValue, match=r"^engage: 'AsyncEngage'"):
        AsyncEngage(cast("Engage", AsyncEngage(community.engage)))


def test_a_call_after_its_end_says_that_it_is_closed(community: Community) -> None:
    """A call on a closed `AsyncEngage` raises an error that says what to do."""

    async def late() -> None:
        async with AsyncEngage(community.engage) as engage:
            pass
        await engage.status()

    with pytest.raises(EngageError, match="this AsyncEngage is closed; make another"):
        asyncio.run(late())
