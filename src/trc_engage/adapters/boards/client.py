"""HTTP requests under limits: time, bytes, tries, and the gap between them."""

import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import metadata
from queue import Empty, SimpleQueue
from random import Random
from threading import Event, Lock, Thread
from typing import Any, ClassVar, Self

import httpx
from attrs import define, field

from ...core.errors import ReadStopped, SourceError
from ...core.ports import Requests
from .responses import HTTPX_ERRORS, OK, Answer, Service, malformed, translated, trouble

WATCH_SECONDS_MIN = 0.02
"""The shortest interval at which the deadline is checked."""


class Line:
    """The one connection of a source.

    httpx limits each read but not their sum, so a server that sends a byte now and then could hold it
    forever. Shutting down the socket ends any wait on it, in any thread.
    """

    def __init__(self) -> None:
        self.stopped: bool = False
        self.is_late: bool = False
        self._socket: socket.socket | None = None
        self._handshaking: socket.socket | None = None
        # The only primitive that a signal handler may wake while the main thread waits on it.
        self._wake: SimpleQueue[None] = SimpleQueue()

    def stop(self) -> None:
        """End the current request or pause, for good; safe in a signal handler and in any thread."""
        self.stopped = True
        self._wake.put(None)
        self._cut()

    def pause(self, seconds: float) -> None:
        """Sleep, unless stopped."""
        with suppress(Empty):
            self._wake.get(timeout=seconds)

    @contextmanager
    def watched(self, seconds_left: Callable[[], float]) -> Iterator[None]:
        """Cut the connection once the block has no seconds left, and set `is_late`."""
        if self.stopped:
            logger.warning("the source was stopped or closed before this read and cannot be used again; open another")
        self.is_late = False
        over = Event()

        def watch() -> None:
            while not over.wait(max(seconds_left(), WATCH_SECONDS_MIN)):
                if seconds_left() <= 0:
                    self.is_late = True
                    self._cut()

        watchdog = Thread(target=watch, name="board-watchdog", daemon=True)
        watchdog.start()
        try:
            yield
        finally:
            over.set()
            watchdog.join()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep track of httpcore's current socket (its `trace` extension)."""
        match event:
            case "connection.connect_tcp.complete":
                self._hold(info["return_value"].get_extra_info("socket"))
            case "connection.start_tls.started" if self._socket is not None:
                # Wrapping takes the descriptor away from the plain socket before the handshake.
                self._handshaking = self._socket.dup()
                self._hold(self._handshaking)
            case "connection.start_tls.failed":
                self._drop_handshaking()
            case "connection.start_tls.complete":
                self._hold(info["return_value"].get_extra_info("socket"))
                self._drop_handshaking()

    def _hold(self, sock: socket.socket) -> None:
        self._socket = sock
        if self.stopped or self.is_late:
            self._cut()

    def _drop_handshaking(self) -> None:
        if self._handshaking is not None:
            self._handshaking.close()
            self._handshaking = None

    def _cut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                # Not SSLSocket's own method, which would drop the encryption before the connection.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


JITTER_SHARE = 0.25


@define(eq=False)
class Pace:
    """Keeps requests apart: at least `gap` seconds from the end of one to the start of the next (R21)."""

    gap: float
    pause: Callable[[float], object]
    monotonic: Callable[[], float]
    random: Random
    requests: Requests | None = field(default=None, init=False)
    """Gives turns among all processes; None if there is only this one."""
    _free_at: float | None = field(default=None, init=False)

    def await_turn(self) -> None:
        """Pause until the next request may start."""
        seconds = max(self._seconds_left(), self._ask())
        if seconds > 0:
            self.pause(seconds)
            # If this machine was suspended meanwhile, another may have taken over.
            self._ask()

    def rest(self) -> None:
        """Record that a request has ended."""
        self._stay_away(self.jittered(self.gap))

    def back_off(self, seconds: float) -> None:
        """Delay the next request, beyond the gap if necessary."""
        self._stay_away(max(self._seconds_left(), seconds))

    def _ask(self) -> float:
        return 0.0 if self.requests is None else self.requests.seconds_until_free(self.gap * (1 + JITTER_SHARE))

    def _seconds_left(self) -> float:
        return 0.0 if self._free_at is None else self._free_at - self.monotonic()

    def _stay_away(self, seconds: float) -> None:
        self._free_at = self.monotonic() + seconds
        if self.requests is not None:
            self.requests.ended(seconds)

    def beyond_gap(self, seconds: float) -> float:
        """Return how many of the next seconds exceed the gap that is kept anyway."""
        now = self.monotonic()
        return max(now + seconds - max(self._free_at or 0.0, now), 0.0)

    def jittered(self, seconds: float) -> float:
        """Return the seconds plus up to a quarter, so that deployments do not synchronize."""
        return seconds * (1 + JITTER_SHARE * self.random.random())


@define(eq=False)
class Budget:
    """The total time of a read's requests, not counting the gaps between them."""

    total: float
    monotonic: Callable[[], float]
    _spent: float = field(default=0.0, init=False)
    _since: float | None = field(default=None, init=False)

    @property
    def left(self) -> float:
        """Seconds left; negative if exceeded."""
        since = self._since
        running = 0.0 if since is None else self.monotonic() - since
        return self.total - self._spent - running

    def charge(self, seconds: float) -> None:
        """Subtract seconds spent outside of requests."""
        self._spent += seconds

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Subtract the time spent in the block."""
        started = self._since = self.monotonic()
        try:
            yield
        finally:
            # In this order, because the watchdog reads them from its own thread.
            self._since = None
            self._spent += self.monotonic() - started


TRIES_MAX = 3
BACKOFF_SECONDS = 1.0
CONNECT_SECONDS_MAX = 10.0
READ_SECONDS_MAX = 20.0
TROUBLE_BYTES_MAX = 64 * 1024
"""How much of an error's body to read, enough to tell who sent it."""

logger: logging.Logger = logging.getLogger(__name__)


@define(eq=False)
class Client:
    """One connection to a service that makes one request at a time; threads may share it."""

    slow: ClassVar[str] = "{0.name} is too slow: an answer took longer than {0.deadline_seconds:g} s"
    name: str
    """The service's name in messages."""
    http: httpx.Client
    line: Line
    pace: Pace
    deadline_seconds: float
    """The total time of a read's requests."""
    bytes_max: int
    """The maximum length of an answer."""
    _reading: Lock = field(factory=Lock, init=False)

    @contextmanager
    def reading(self) -> Iterator[Budget]:
        """Let one thread read at a time, and cut the connection once its budget is spent."""
        with self._reading:
            budget = Budget(self.deadline_seconds, self.pace.monotonic)
            with self.line.watched(lambda: budget.left):
                yield budget

    def ask(self, url: str, query: Mapping[str, int], budget: Budget) -> Answer:
        """Make one request in its turn; raises `SourceError`, and `ReadStopped` once the line is stopped.

        Afterwards, `check_in_time` raises if the answer came too late.
        """
        self.check_stopped()
        self.pace.await_turn()
        self.check_in_time(budget)
        try:
            with budget.spending():
                answer = self._receive(url, query, budget.left)
        except (*HTTPX_ERRORS, OSError) as error:
            self.check_in_time(budget, error)
            raise translated(error, self.name) from error
        finally:
            self.pace.rest()
        self.check_stopped()
        return answer

    def _receive(self, url: str, query: Mapping[str, int], seconds: float) -> Answer:
        timeout = httpx.Timeout(min(READ_SECONDS_MAX, seconds), connect=min(CONNECT_SECONDS_MAX, seconds))
        extensions = {"trace": self.line.trace}
        with self.http.stream("GET", url, params=query, timeout=timeout, extensions=extensions) as response:
            body = _page_body(response, self.bytes_max) if response.status_code == OK else _trouble_body(response)
            return Answer(response.status_code, response.headers, body)

    def check_in_time(self, budget: Budget, error: Exception | None = None) -> None:
        """Raise an error if this side ended the request, because a cut connection may look like a normal end."""
        if self.line.stopped:
            raise ReadStopped from error
        if self.line.is_late or budget.left <= 0:
            raise SourceError("down", self.slow.format(self)) from error

    def check_stopped(self) -> None:
        """Raise `ReadStopped` once the line is stopped."""
        if self.line.stopped:
            raise ReadStopped


class Connected:
    """The owner of a client; close it, or use it as a context manager."""

    _client: Client

    def stop(self) -> None:
        """Abort the current request and refuse all later ones.

        For signal handlers and other threads.
        """
        self._client.line.stop()

    def close(self) -> None:
        """Stop and close the connection."""
        self.stop()
        self._client.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@define(eq=False)
class Fetcher(Client):
    """A client that requests the pages of one URL."""

    slow: ClassVar[str] = (
        "{0.name} is too slow: its requests together took longer than {0.deadline_seconds:g} s. The next sync tries "
        "again, so look at {0.name}'s status only if it lasts"
    )
    url: str
    service: Service
    _spent_until: float = field(default=0.0, init=False)
    """When the service's rate limit resets, on the monotonic clock."""

    def page(self, number: int, limit: int, budget: Budget) -> Answer:
        """Return the answer with a page; raises `SourceError`, for a transient error only after three tries.

        Raises `ReadStopped` once the line is stopped. A back-off uses the budget only beyond the gap.
        """
        failed = 0
        while True:
            try:
                return self._try(number, limit, budget)
            except SourceError as error:
                failed += 1
                if not _may_pass(error):
                    raise
                seconds = self.pace.jittered(BACKOFF_SECONDS * 2 ** (failed - 1))
                beyond = self.pace.beyond_gap(seconds)
                if failed == TRIES_MAX or beyond >= budget.left:
                    raise
                logger.info("try %d failed, trying again: %s", failed, error)
                budget.charge(beyond)
                self.pace.back_off(seconds)

    def _try(self, number: int, limit: int, budget: Budget) -> Answer:
        self.check_stopped()
        self._heed_limit(budget)
        answer = self.ask(self.url, self.service.query(number, limit), budget)
        if found := trouble(answer, self.service, has_token=self.service.token_header in self.http.headers):
            raise found
        self.check_in_time(budget)
        if answer.is_last(self.service) and (wait := answer.until_reset(self.service)):
            self._spent_until = self.pace.monotonic() + wait.total_seconds()
        return answer

    def _heed_limit(self, budget: Budget) -> None:
        """Delay the next request until the service's limit resets; raise `SourceError` if that exceeds the budget."""
        seconds = self._spent_until - self.pace.monotonic()
        if seconds > budget.total:
            message = f"{self.name} has answered as many requests as it allows for now: wait"
            raise SourceError("rate_limited", message, timedelta(seconds=seconds))
        if seconds > 0:
            self.pace.back_off(seconds)


def new_client(headers: Mapping[str, str], transport: httpx.BaseTransport | None) -> httpx.Client:
    """Return a client that identifies itself by its headers, asks for plain JSON and ignores the environment.

    Without a `transport` it makes its own. It keeps no cookies, so that no answer affects a later request.
    """
    return httpx.Client(
        headers={"Accept": "application/json", "Accept-Encoding": "identity", **headers},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        trust_env=False,
        follow_redirects=False,
        event_hooks={"response": [_forget_location]},
        transport=transport,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
    )


def _page_body(response: httpx.Response, bytes_max: int) -> bytearray:
    """Return the body of a page; raises `SourceError` if it is compressed or too long."""
    if _is_packed(response):
        raise malformed("it is compressed, which was not requested")
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > bytes_max:
            raise malformed(f"it is longer than {bytes_max:,} bytes")
    return body


def _trouble_body(response: httpx.Response) -> bytearray:
    """Return the start of an error's body, as far as it arrived; the status is enough without it."""
    body = bytearray()
    if not _is_packed(response):
        with suppress(*HTTPX_ERRORS, OSError):
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > TROUBLE_BYTES_MAX:
                    break
    return body


def _is_packed(response: httpx.Response) -> bool:
    encoding: str = response.headers.get("content-encoding", "identity")
    return encoding.lower() != "identity"


def _forget_location(response: httpx.Response) -> None:
    """Keep httpx from building the request of a redirect that is never followed."""
    response.headers.pop("location", None)


def version() -> str:
    """Return the version for the User-Agent."""
    try:
        return metadata.version("trc-engage")
    except metadata.PackageNotFoundError:
        return "0"


def _may_pass(error: SourceError) -> bool:
    """Return whether to retry: not if the server said when to come back."""
    return error.kind == "down" and error.retry_after is None
