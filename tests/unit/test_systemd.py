"""What systemd receives from the daemon, over real sockets (sd_notify(3))."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from support.attended import Supervisor
from trc_engage.entrypoints.daemon.loop import Systemd


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "path" else f"@trc-engage-test-{tmp_path.name}"


@pytest.fixture
def supervisor(address: str) -> Iterator[Supervisor]:
    supervisor = Supervisor(address)
    yield supervisor
    supervisor.close()


def test_states_are_one_message(supervisor: Supervisor, address: str) -> None:
    """Several states are one message, at a path or at an abstract address."""
    Systemd.from_environ({"NOTIFY_SOCKET": address}).notify("READY=1", "STATUS=at work")
    assert supervisor.hear() == ["READY=1", "STATUS=at work"]


def test_pings_come_twice_as_often_as_asked(supervisor: Supervisor, address: str) -> None:
    """Pings come twice as often as asked while all is well, and stop when it is not."""
    environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": str(os.getpid())}
    systemd = Systemd.from_environ(environ)
    assert systemd.ping_seconds == 0.01
    is_well = Event()
    is_well.set()
    with systemd.watchdog(is_well.is_set):
        for _ in range(3):
            assert supervisor.hear() == ["WATCHDOG=1"]
        is_well.clear()
    systemd.notify("STOPPING=1")
    supervisor.until("STOPPING=1")
    assert set(supervisor.heard) == {"WATCHDOG=1", "STOPPING=1"}


@pytest.mark.parametrize(
    "environ",
    [{}, {"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": ""}, {"WATCHDOG_USEC": "soon"}],
    ids=["nobody", "another process", "empty", "no number"],
)
def test_who_is_not_watched_does_not_ping(environ: dict[str, str]) -> None:
    """Without a watchdog, or with the variables of another process, there are no pings."""
    assert Systemd.from_environ(environ).ping_seconds is None


def test_that_nobody_listens_ends_nothing(tmp_path: Path) -> None:
    """A message to an address where nothing listens, or to none at all, raises no error."""
    Systemd(str(tmp_path / "gone")).notify("READY=1")
    Systemd().notify("READY=1")
