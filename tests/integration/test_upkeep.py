"""`Upkeep` survives every exception, logs it, and ends when asked."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from typing import Any, cast

import pytest

from trc_engage import Engage, InvalidValue, LedgerFailed
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.aio import AsyncEngage
from trc_engage.core.reports import RunReport
from trc_engage.upkeep import Upkeep

SECONDS_MAX = 30
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Scripted:
    """An `Engage` whose runs end as the test says, and whose syncs are counted."""

    def __init__(self, *ends: BaseException | None) -> None:
        self.has_source = True
        self.ends = list(ends)
        self.done = Event()
        self.syncs = 0
        self.synced = Event()

    def run_due(self) -> RunReport:
        """End a run as the test says, and set `done` with the last one."""
        end = self.ends.pop(0) if self.ends else None
        if not self.ends:
            self.done.set()
        if end is not None:
            raise end
        return RunReport(AT)

    def sync(self, *, fresh: bool) -> None:
        """Count a sync."""
        assert fresh
        self.syncs += 1
        self.synced.set()


def upkeep(scripted: Scripted, **options: Any) -> Upkeep:
    """Return an `Upkeep` that waits a millisecond between rounds."""
    return Upkeep(cast("Engage", scripted), every_seconds=0.001, **options)


@pytest.mark.parametrize("use", ["with", "async with"])
def test_it_outlives_every_exception(use: str, caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected exception is logged with its traceback, a store's error without, and the next round follows."""
    failures = [LedgerFailed("the disk is full"), ZeroDivisionError("a bug"), MemoryError(), SystemExit(3), None]
    scripted = Scripted(*failures, None)
    caplog.set_level(logging.INFO, "trc_engage.upkeep")

    async def around() -> None:
        async with upkeep(scripted):
            assert await asyncio.to_thread(scripted.done.wait, SECONDS_MAX)

    if use == "with":
        with upkeep(scripted):
            assert scripted.done.wait(SECONDS_MAX)
    else:
        asyncio.run(around())
    warned = [(record.message, record.exc_info is not None) for record in caplog.records if record.levelname != "INFO"]
    assert warned == [
        ("upkeep: the disk is full", False),
        ("upkeep: a bug", True),
        ("upkeep: ", True),
        ("upkeep: 3", True),
    ]
    assert "upkeep: nothing" in [record.message for record in caplog.records]


def test_it_backs_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are retried after 1, 2, 4, 8 and then 15 minutes; after a success the next is at a five-minute mark."""
    waited: list[float] = []
    monkeypatch.setattr(time, "time", lambda: 1_000_000_100.0)
    scripted = Scripted(*[LedgerFailed("down")] * 7, None, LedgerFailed("down"))
    steady = Upkeep(cast("Engage", scripted))

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if not scripted.ends:
            steady._is_stopping = True

    monkeypatch.setattr(steady._wake, "wait", wait)
    steady._work()
    assert waited == [60, 120, 240, 480, 900, 900, 900, 100, 60]


def test_it_reads_the_board_when_asked() -> None:
    """`sync_soon` makes the thread sync once, without waiting for it."""
    scripted = Scripted()
    with Upkeep(cast("Engage", scripted)) as steady:
        assert scripted.done.wait(SECONDS_MAX)
        steady.sync_soon()
        assert scripted.synced.wait(SECONDS_MAX)
    assert scripted.syncs == 1


def test_it_cuts_a_read_short_to_end() -> None:
    """Leaving the context calls `stop_reading`, so that a read in progress ends."""
    reading, stopped = Event(), Event()

    class Reading(Scripted):
        def run_due(self) -> RunReport:
            reading.set()
            assert stopped.wait(SECONDS_MAX)
            return RunReport(AT, "stopped")

    with upkeep(Reading(), stop_reading=stopped.set):
        assert reading.wait(SECONDS_MAX)
    assert stopped.is_set()


def test_it_is_a_task_of_an_event_loop() -> None:
    """As a task, upkeep leaves the event loop free and ends when the task is cancelled."""
    scripted = Scripted()

    async def run() -> None:
        task = asyncio.create_task(upkeep(scripted).run())
        assert await asyncio.to_thread(scripted.done.wait, SECONDS_MAX)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_it_runs_a_real_engage(caplog: pytest.LogCaptureFixture) -> None:
    """With a real `Engage` it settles the days before, and warns once if there is no source."""
    settled: Callable[[], Any] = lambda: ledger.run_state().calendar.settled_through  # noqa: E731
    ledger = MemoryLedger()
    Engage(ledger=ledger, clock=lambda: AT).enroll("ada")
    before = settled()
    with Upkeep(Engage(ledger=ledger, clock=lambda: AT.replace(day=4)), every_seconds=0.001):
        until = time.monotonic() + SECONDS_MAX
        while settled() == before and time.monotonic() < until:
            time.sleep(0)
    assert settled() == AT.replace(day=3).date()
    (warned,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert "has no source" in warned


def test_an_engage_of_coroutines_is_refused_at_once() -> None:
    """An `AsyncEngage` is refused when `Upkeep` is made, because its runs would never begin."""
    engage = AsyncEngage(Engage(ledger=MemoryLedger(), clock=lambda: AT))
    with pytest.raises(InvalidValue, match=r"^engage: 'AsyncEngage': give an Engage"):
        Upkeep(cast("Engage", engage))
