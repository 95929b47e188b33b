"""Each good run calls the heartbeat's address; a failure there is logged once and neither fails nor delays a run."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from support.attended import ENDS_WITHIN_SECONDS, SECONDS_MAX, Post, manned
from support.receiver import PATH, TOKEN, Receiver, received
from trc_engage.adapters.alerts import Heartbeat

HEARTBEAT = "TRC_ENGAGE_HEARTBEAT_URL"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Serve the heartbeat's address."""
    with received() as receiver:
        yield receiver


@pytest.fixture
def post(tmp_path: Path, receiver: Receiver) -> Iterator[Post]:
    """Yield a store with a slot that is to be synced, and a heartbeat."""
    with manned(tmp_path) as post:
        post.operator.env[HEARTBEAT] = receiver.url
        yield post


def nobody_listens() -> str:
    """Return an address at which every connection is refused."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/{TOKEN}"


@pytest.mark.parametrize("command", [["run-due"], ["daemon", "--once"]], ids=" ".join)
def test_a_good_run_is_told_once(post: Post, receiver: Receiver, command: list[str]) -> None:
    """A good run sends a GET with an empty body; the next run has nothing to do and sends nothing."""
    for _ in range(2):
        assert post.operator.run(*command).code == 0
    (beat,) = receiver.messages
    assert (beat.path, beat.body, beat.headers["User-Agent"]) == (PATH, b"", "trc-engage")


@pytest.mark.parametrize(("trouble", "code"), [("private", 69), ("rate_limited", 69)])
def test_a_run_that_failed_or_waits_is_not_good(post: Post, receiver: Receiver, trouble: str, code: int) -> None:
    """A run that failed or waits sends no heartbeat, so that its receiver notices."""
    post.server.trouble(trouble)
    assert post.operator.run("run-due").code == code
    assert receiver.messages == []


@pytest.mark.parametrize("trouble", ["refuses", "500", "404", "redirects", "nonsense", "dead"])
def test_what_fails_there_fails_no_run(post: Post, receiver: Receiver, trouble: str) -> None:
    """A heartbeat that fails does not fail the run, and is logged once, as a warning without its address."""
    receiver.trouble = trouble
    if trouble == "dead":
        post.operator.env[HEARTBEAT] = nobody_listens()
    ran = post.operator.run("run-due", "--log-level", "warning")
    assert (ran.code, ran.out.startswith("synced: ")) == (0, True)
    assert len(re.findall("WARNING the heartbeat's address ", ran.err)) == 1
    assert TOKEN not in ran.out + ran.err
    post.assert_exact()
    assert post.operator.run("run-due").err == ""


def test_a_heartbeat_that_hangs_keeps_no_daemon_from_ending(post: Post, receiver: Receiver) -> None:
    """A heartbeat that hangs delays neither the run nor the end of the daemon."""
    receiver.trouble, arrived = "hangs", Event()
    receiver.on_message = arrived.set
    daemon = post.start("daemon")
    assert arrived.wait(SECONDS_MAX)
    post.supervisor.until("STATUS=idle")
    at = time.monotonic()
    daemon.terminate()
    assert daemon.wait(SECONDS_MAX) == 0
    assert time.monotonic() - at < ENDS_WITHIN_SECONDS
    assert re.search(r" INFO stopped by SIGTERM\n$", daemon.communicate()[1])


def test_failures_are_logged_once_until_one_arrives(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    """Of failures in a row only the first is logged, and then the first success; an answer that drips is cut off."""
    caplog.set_level("INFO", "trc_engage.heartbeat")
    heartbeat = Heartbeat(receiver.url, seconds=0.5)
    for trouble in ("500", "drips", "404", "", "", "500"):
        receiver.trouble = trouble
        heartbeat.beat()
        heartbeat.close()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "WARNING"]
    assert len(receiver.messages) == 6
    assert TOKEN not in caplog.text + repr(heartbeat)


def test_without_an_address_nothing_is_called() -> None:
    """Without an address, a heartbeat does nothing."""
    heartbeat = Heartbeat(None)
    heartbeat.beat()
    heartbeat.close()
