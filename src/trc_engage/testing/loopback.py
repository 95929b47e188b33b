"""A local server controlled by a test: records each request, and answers it normally or with a fault."""

import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Condition, RLock, Thread
from typing import Any, ClassVar, Self, cast

from attrs import Factory, define, evolve, field, frozen

from .answers import Answer, Exchange, Trouble

GUILD_ID = "200000000000000001"
LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.02
_STOP_SECONDS = 1.0

Answering = Callable[[str, Mapping[str, str], socket.socket], bool]
"""Takes target, headers (names in lower case) and connection; answers, and returns whether to hang up."""


class Listener(ThreadingHTTPServer):
    """Accepts connections and passes each request to `answering`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answering: Answering) -> None:
        self.answering = answering
        self.error: BaseException | None = None
        self._open: set[socket.socket] = set()
        self._changed = Condition()
        super().__init__((LOOPBACK, port), _Handler)
        self._thread = Thread(
            target=self.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, name="loopback", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close all connections, including those that still wait for a response."""
        self.shutdown()
        self._thread.join()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=_STOP_SECONDS)
        self.server_close()

    def server_bind(self) -> None:
        """Bind without asking the resolver for this machine's name, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Record the connection before its thread starts, so that `stop` misses none."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection and forget it."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Keep the first error that is not a client going away, to be raised when the server stops."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self.error = self.error or error


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        listener = cast("Listener", self.server)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if listener.answering(self.path, headers, self.connection):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""


@frozen
class Throttle:
    """Allows `requests` in any `span`, and refuses the others."""

    requests: int
    span: timedelta
    answer: Answer
    _passed: deque[datetime] = field(factory=deque, init=False)

    def refusal(self, at: datetime) -> Answer | None:
        """Count a request, or return the refusal of one too many; refused requests do not count."""
        while self._passed and at - self._passed[0] >= self.span:
            self._passed.popleft()
        if len(self._passed) >= self.requests:
            return self.answer
        self._passed.append(at)
        return None

    def headers(self, at: datetime, prefix: str) -> list[tuple[str, str]]:
        """Return the headers that report the limit and what remains."""
        seconds = self.span.total_seconds()
        told = {"Limit": self.requests, "Remaining": self.requests - len(self._passed), "Reset-After": seconds}
        return [(f"{prefix}-{name}", f"{value}") for name, value in {**told, "Reset": at.timestamp() + seconds}.items()]


@frozen
class Request:
    """What a client asked for, and the status it got."""

    path: str
    """Without the query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    at: datetime
    page: int | None = None
    """The board's page asked for, counted from 0; None if that is no valid page number."""
    limit: int | None = None
    """The rows per page asked for, before any clamp; None if that is not a number."""
    answered: int | None = None
    """The status; None if the client got none."""


@define
class _Ahead:
    """A queued trouble."""

    trouble: Trouble
    times: int | None
    page: int | None
    after: int
    moment: Any

    def answers(self, request: Request) -> bool:
        """Return whether it answers this request, and count it."""
        if self.times == 0 or self.page not in {None, request.page}:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times = self.times and self.times - 1
        return True


def now() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


@define(eq=False, repr=False)
class LoopbackServer:
    """A service on loopback, until `stop` or the end of its `with` block; set its fields at any time.

    An error raised by a callable that you passed in ends that connection, and `stop` raises it again.
    """

    base_path: ClassVar[str] = ""
    troubles: ClassVar[Mapping[str, Trouble]] = {}
    """The troubles, by name."""
    guild_id: str = GUILD_ID
    clock: Callable[[], datetime] = now
    """Drives the Date header and everything else that depends on the time."""
    port: int = 0
    """0 picks a free one."""
    token: str | None = None
    """If set, requests without exactly this token are refused."""
    slow_seconds: float = 1.0
    """How long the trouble `slow` waits."""
    drip_seconds: float = 0.2
    """How long the dripping troubles wait before each byte."""
    requests: list[Request] = Factory(list)
    """Every request that arrived, oldest first; each is noted before it is answered."""
    _ahead: list[_Ahead] = field(factory=list, init=False)
    _throttle: Throttle | None = field(default=None, init=False)
    _lock: RLock = field(factory=RLock, init=False)
    _listener: Listener = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._listener = Listener(self.port, self._answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close all connections at once, and raise the first error of a callable that you passed in."""
        self._listener.stop()
        error, self._listener.error = self._listener.error, None
        if error is not None:
            raise error

    @property
    def url(self) -> str:
        """The URL to use instead of the service's own."""
        return f"http://{LOOPBACK}:{self._listener.server_port}{self.base_path}"

    def trouble(
        self, name: str | Trouble, times: int | None = None, *, page: int | None = None, after: int = 0
    ) -> None:
        """Answer `times` requests with this trouble, or all; any request, or only those for one page of a board.

        It skips the first `after` of them. Troubles queue up: the oldest that fits a request and is not used up
        answers it. An unknown name raises a `ValueError` that lists the known ones.
        """
        trouble = name if isinstance(name, Trouble) else self.troubles.get(name)
        if trouble is None:
            raise ValueError(f"no trouble is called {name!r}; there are {', '.join(self.troubles)}")
        with self._lock:
            self._ahead.append(_Ahead(trouble, times, page, after, self.moment()))

    def recover(self) -> None:
        """End all troubles and any limit of requests."""
        with self._lock:
            self._ahead.clear()
            self._throttle = None

    def _answer(self, target: str, headers: Mapping[str, str], connection: socket.socket) -> bool:
        path, _, query = target.partition("?")
        request = self.request(path, query, headers)
        with self._lock:
            ahead = next((one for one in self._ahead if one.answers(request)), None)
            decided = ahead.trouble if ahead else self.good(request)
            self.requests.append(evolve(request, answered=decided.status))
        if isinstance(decided, Answer):
            self.before_sending(request, decided)
            connection.sendall(decided.raw(request.at))
            return False
        decided.write(self.exchange(request, connection, ahead and ahead.moment))
        return decided.closes

    # What each service overrides

    def request(self, path: str, query: str, headers: Mapping[str, str]) -> Request:  # noqa: ARG002  of boards
        """Return what the client asks for."""
        return Request(path, headers, self.clock())

    def good(self, request: Request) -> Answer:
        """Return the correct response."""
        raise NotImplementedError

    def moment(self) -> Any:
        """Return what to remember of the moment at which a trouble begins."""

    def exchange(self, request: Request, connection: socket.socket, moment: Any) -> Exchange:  # noqa: ARG002
        """Return what a trouble may use."""
        good = partial(self.good, request)
        return Exchange(connection, request.at, good, self.slow_seconds, self.drip_seconds)

    def before_sending(self, request: Request, answer: Answer) -> None:
        """Do something just before a good response is sent."""
