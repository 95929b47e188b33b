"""A read ends at its deadline or when it is stopped, whatever the server does meanwhile."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from threading import Thread, Timer

import pytest

from support.services import SERVERS, source_of
from trc_engage import ReadStopped, SourceError
from trc_engage.adapters.boards import BoardSource
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.testing.boards import BoardServer

GUILD = "200000000000000001"
ADA = "80351110224678911"
HANGS = ["timeout", "drip_headers", "drip_body"]


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[BoardServer]:
    with request.param.start(guild_id=GUILD) as server:
        for number in range(20):
            server.board.join(str(int(ADA) + number), xp=1_000 - number)
        server.drip_seconds = 0.05
        yield server


@pytest.fixture
def source(server: BoardServer) -> Iterator[BoardSource]:
    with source_of(server).open(GUILD, base_url=server.url, page_gap=60) as source:
        yield source


@pytest.fixture
def hurried(server: BoardServer) -> Iterator[BoardSource]:
    with source_of(server).open(GUILD, base_url=server.url, page_gap=0, deadline_seconds=0.6) as source:
        yield source


def error_of(source: BoardSource) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source.read(frozenset({ADA}))
    return caught.value


@pytest.mark.parametrize("trouble", HANGS)
def test_the_deadline_ends_what_time_outs_do_not(server: BoardServer, hurried: BoardSource, trouble: str) -> None:
    """The deadline ends a read whose server satisfies every time-out of httpx by sending a byte now and then."""
    server.trouble(trouble, times=1)
    began = time.monotonic()

    error = error_of(hurried)

    assert (error.kind, "longer than 0.6 s" in str(error), len(server.requests)) == ("down", True, 1)
    assert 0.5 < time.monotonic() - began < 1.5
    assert hurried.read(frozenset({ADA})).rows == 20


def test_retries_are_paid_from_the_deadline(server: BoardServer, hurried: BoardSource) -> None:
    """A second try that could begin only after the deadline is not made."""
    server.trouble("bad_gateway")

    assert "status 502" in str(error_of(hurried))
    assert len(server.requests) == 1


def test_gaps_are_free(server: BoardServer) -> None:
    """Only requests use up the deadline, however long the gaps between them are."""
    with source_of(server).open(GUILD, base_url=server.url, page_gap=0.4, deadline_seconds=0.6) as source:
        assert source.read(frozenset({ADA, "999"})).pages == 3


class Time:
    """A clock that only pauses move: requests take no time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def pause(self, seconds: float) -> None:
        """Let the seconds pass."""
        self.seconds += seconds

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self.seconds


@pytest.mark.parametrize(
    ("page_gap", "failures", "deadline", "is_read"),
    [
        pytest.param(2.0, 1, 0.01, True, id="a first back-off lies within the gap"),
        pytest.param(2.5, 2, 0.01, True, id="a second one as well if the gap is as long"),
        pytest.param(2.0, 2, 0.6, True, id="of a longer one only the rest is paid"),
        pytest.param(0.5, 1, 0.37, False, id="and where the rest is more than is left, no try is made"),
        pytest.param(0.0, 1, 0.9, False, id="without a gap all of it"),
    ],
)
def test_a_back_off_uses_the_deadline_up_only_beyond_the_gap(
    server: BoardServer, page_gap: float, failures: int, deadline: float, is_read: bool
) -> None:
    """The part of a back-off that lies within the gap does not use up the deadline, since it is waited anyway."""
    server.trouble("bad_gateway", times=failures)
    passing = Time()
    with source_of(server).open(
        GUILD,
        base_url=server.url,
        page_gap=page_gap,
        deadline_seconds=deadline,
        pause=passing.pause,
        monotonic=passing.monotonic,
    ) as source:
        if is_read:
            assert source.read(frozenset({ADA})).rows == 20
        else:
            assert "status 502" in str(error_of(source))
    assert len(server.requests) == (failures + 1 if is_read else 1)


def test_many_retries_make_no_read_too_slow(server: BoardServer) -> None:
    """A read of many pages, each of which needs a retry, does not use up 5 s while its requests take no time."""
    server.limit_max = 1
    passing = Time()

    def pause(seconds: float) -> None:
        passing.pause(seconds)
        if len(server.requests) % 2:
            server.trouble("bad_gateway", times=1)

    with source_of(server).open(
        GUILD, base_url=server.url, deadline_seconds=5, pause=pause, monotonic=passing.monotonic
    ) as source:
        assert source.read(frozenset({str(int(ADA) + 19)})).rows == 20
    # A service whose pages have a fixed length has no limit to learn.
    assert len(server.requests) > (38 if server.dialect.limit is None else 40)


@pytest.mark.parametrize("trouble", HANGS)
def test_stop_ends_a_read_that_hangs(server: BoardServer, source: BoardSource, trouble: str) -> None:
    """Stopping from another thread cuts the socket of a read that hangs, and a later read is refused."""
    server.trouble(trouble)
    stopper = Timer(0.2, source.stop)
    began = time.monotonic()
    stopper.start()

    with pytest.raises(ReadStopped):
        source.read(frozenset({ADA}))
    assert time.monotonic() - began < 2
    with pytest.raises(ReadStopped, match="open a new source"):
        source.read(frozenset({ADA}))
    assert len(server.requests) == 1


def test_stop_ends_a_pause(server: BoardServer, source: BoardSource) -> None:
    """Stopping ends the default pause between two pages at once."""
    stopper = Timer(0.2, source.stop)
    began = time.monotonic()
    stopper.start()

    with pytest.raises(ReadStopped):
        source.read(frozenset({ADA, "999"}))
    assert time.monotonic() - began < 2
    assert len(server.requests) == 1


def test_a_closed_source_reads_no_more(server: BoardServer, caplog: pytest.LogCaptureFixture) -> None:
    """A read after close fails with an error that says to open another source, and the log says so too."""
    with source_of(server).open(GUILD, base_url=server.url) as source:
        source.read(frozenset({ADA}))

    assert not caplog.records
    with pytest.raises(ReadStopped, match="open a new source"):
        source.read(frozenset({ADA}))
    assert [record.message for record in caplog.records] == [
        "the source was stopped or closed before this read and cannot be used again; open another"
    ]


@pytest.mark.parametrize("trouble", [None, *HANGS])
def test_a_signal_handler_may_stop(server: BoardServer, source: BoardSource, trouble: str | None) -> None:
    """A signal handler may stop the source even while the thread that it interrupts is reading or pausing."""
    if trouble:
        server.trouble(trouble)
    before = signal.signal(signal.SIGUSR1, lambda *_: source.stop())
    sender = Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
    began = time.monotonic()
    sender.start()
    try:
        with pytest.raises(ReadStopped):
            source.read(frozenset({ADA, "999"}))
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)

    assert time.monotonic() - began < 2


def test_stop_ends_a_handshake() -> None:
    """Stopping ends a read whose server never answers the TLS handshake."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Mee6Source.open(GUILD, base_url=f"https://127.0.0.1:{silent.getsockname()[1]}") as source,
    ):

        def stop_once_greeted() -> None:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)
                source.stop()
                connection.recv(100_000)

        stopper = Thread(target=stop_once_greeted)
        began = time.monotonic()
        stopper.start()
        with pytest.raises(ReadStopped):
            source.read(frozenset({ADA}))
        stopper.join()

    assert time.monotonic() - began < 2


def test_the_deadline_ends_a_handshake() -> None:
    """The time that a TLS handshake takes counts against the read's deadline."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Mee6Source.open(GUILD, base_url=f"https://127.0.0.1:{silent.getsockname()[1]}", deadline_seconds=0.3) as source,
    ):
        began = time.monotonic()
        assert "longer than 0.3 s" in str(error_of(source))

    assert time.monotonic() - began < 1
