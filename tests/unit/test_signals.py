"""How signals end a process: a thread reads them, whatever the main thread does."""

import os
import signal
from collections.abc import Iterator
from threading import Event

import pytest

from trc_engage.entrypoints.daemon.signals import ENDING, stop_on_signals

SECONDS_MAX = 60
ALL = (*ENDING, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ALL}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_without_a_signal_everything_is_put_back() -> None:
    """Without a signal, the handlers and the wake-up descriptor are restored at the end."""
    before = [signal.getsignal(number) for number in ALL]
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    with stop_on_signals() as stop:
        assert not stop.wait(0)
    assert [signal.getsignal(number) for number in ALL] == before
    assert signal.set_wakeup_fd(-1) == writer
    os.close(writer)
    os.close(reader)


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_the_wait_and_what_is_under_way(number: signal.Signals) -> None:
    """A signal ends the wait and calls what is registered, even what comes after it; later signals do no harm."""
    ended, begun_late = Event(), Event()
    with stop_on_signals() as stop:
        stop.on_signal(ended.set)
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), number)
        assert stop.wait(SECONDS_MAX)
        assert ended.wait(SECONDS_MAX)
        stop.on_signal(begun_late.set)
        assert begun_late.is_set()
        assert stop.reason == number.name
        os.kill(os.getpid(), number)
    assert [signal.getsignal(one) for one in ENDING] == [signal.SIG_IGN] * 2
    os.kill(os.getpid(), number)
