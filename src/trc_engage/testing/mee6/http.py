"""What goes over the wire: requests, and whole answers, of MEE6 itself and of the edge in front of it."""

import re
import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Condition, Thread
from typing import Any, cast
from urllib.parse import parse_qs

from attrs import evolve, field, frozen

from .board import Row, Snapshot, encoded

JSON = "application/json"
HTML = "text/html; charset=UTF-8"
TEXT = "text/plain; charset=UTF-8"


@frozen
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Sequence[tuple[str, str]] = ()

    def having(self, *headers: tuple[str, str]) -> "Answer":
        """Return this answer with further headers."""
        return evolve(self, headers=(*self.headers, *headers))

    def head(self, at: datetime | None) -> bytes:
        """Return the head for a body of this length; without an instant it has no Date."""
        return self.open_head(at, ("Content-Length", str(len(self.body))))

    def open_head(self, at: datetime | None, *framing: tuple[str, str]) -> bytes:
        """Return the head for a body that is framed in another way, or not at all."""
        date = () if at is None else (("Date", http_date(at)),)
        headers = (*date, ("Content-Type", self.content_type), ("Server", "cloudflare"), *framing, *self.headers)
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def raw(self, at: datetime | None) -> bytes:
        """Return head and body."""
        return self.head(at) + self.body


def http_date(at: datetime) -> str:
    """Return an instant as HTTP writes it."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def mee6_error(status: int, message: str) -> Answer:
    """Return an error that MEE6 itself tells: a JSON `error` object."""
    return Answer(status, encoded({"error": {"message": message}, "status_code": status}))


def edge_page(status: int, title: str, text: str) -> Answer:
    """Return a page of the edge: HTML for a person, which no client can read."""
    page = (
        f'<!DOCTYPE html>\n<html lang="en-US">\n<head><title>{title}</title>'
        f'<meta http-equiv="X-UA-Compatible" content="IE=Edge" /></head>\n'
        f'<body><div id="cf-wrapper"><h1>{title}</h1><p>{text}</p>'
        f"<p>Cloudflare Ray ID: <code>8c2f6e0a1b3d4f5a</code></p></div></body>\n</html>\n"
    )
    return Answer(status, page.encode(), HTML)


UNAUTHORIZED = mee6_error(
    401,
    "The server could not verify that you are authorized to access the URL requested. You either supplied the "
    "wrong credentials (e.g. a bad password), or your browser doesn't understand how to supply the credentials "
    "required.",
)
GUILD_NOT_FOUND = mee6_error(404, "Guild not found")
PATH_NOT_FOUND = mee6_error(
    404,
    "The requested URL was not found on the server. If you entered the URL manually please check your spelling "
    "and try again.",
)
BAD_QUERY = mee6_error(400, "limit and page must be whole numbers: limit from 1 on, page from 0 on")
RATE_LIMITED = Answer(429, b"error code: 1015", TEXT)
BLOCKED = edge_page(403, "Attention Required! | Cloudflare", "Sorry, you have been blocked")


@frozen(eq=False)
class Exchange:
    """A connection that waits for an answer, and all that an answer may draw on."""

    connection: socket.socket
    at: datetime
    page: int
    limit: int
    board: Snapshot
    """The board as it is now …"""
    stale_board: Snapshot
    """… and as it was when it was frozen, or else when the trouble began."""
    to_payload: Callable[[int, Sequence[Row]], dict[str, Any]]
    """Page number and rows to a page in the shape of the server's year."""
    slow_seconds: float
    drip_seconds: float

    def payload(self) -> dict[str, Any]:
        """Return the page that was asked for, as it should be."""
        return self.to_payload(self.page, self.board.page(self.page, self.limit))

    def answer(self) -> Answer:
        """Return the answer as it should be."""
        return Answer(200, encoded(self.payload()))

    def send(self, answer: Answer) -> None:
        """Send a whole answer."""
        self.connection.sendall(answer.raw(self.at))

    def is_gone(self, seconds: float | None) -> bool:
        """Wait; tell whether the client went away, or the server stopped, before the time was over."""
        self.connection.settimeout(seconds)
        try:
            self.connection.recv(1, socket.MSG_PEEK)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            return True
        else:
            return True
        finally:
            self.connection.settimeout(None)

    def drip(self, raw: bytes) -> None:
        """Send one byte at a time, with a pause before each, while anybody listens."""
        for position in range(len(raw)):
            if self.is_gone(self.drip_seconds):
                return
            self.connection.sendall(raw[position : position + 1])


LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.02
_STOP_SECONDS = 1.0

Answering = Callable[[str, Mapping[str, str], socket.socket], bool]
"""Target, headers (names in lower case) and connection; answers, and tells whether to hang up."""


class Listener(ThreadingHTTPServer):
    """Accepts connections and has each request answered."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answering: Answering) -> None:
        self.answering = answering
        self.error: BaseException | None = None
        self._open: set[socket.socket] = set()
        self._changed = Condition()
        super().__init__((LOOPBACK, port), _Handler)
        self._thread = Thread(
            target=self.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, name="mee6", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody, those still waiting for an answer too."""
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
        """Note the connection before its thread begins, so that `stop` misses none."""
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
        """Say nothing."""


LIMIT_DEFAULT = 100
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


@frozen
class Request:
    """What a client asked for, and what status it was told."""

    path: str
    """Without the query."""
    page: int | None
    """None if it is not a number."""
    limit: int | None
    """As asked for, before any clamp; None if it is not a number."""
    headers: Mapping[str, str]
    """Names in lower case."""
    at: datetime
    answered: int | None = None
    """None if the client was told no status."""

    @classmethod
    def parsed(cls, target: str, headers: Mapping[str, str], at: datetime) -> "Request":
        """Take a request line's target apart."""
        path, _, query = target.partition("?")
        values = parse_qs(query, keep_blank_values=True)
        return cls(path, _number(values.get("page"), 0), _number(values.get("limit"), LIMIT_DEFAULT), headers, at)


def _number(values: list[str] | None, default: int) -> int | None:
    if values is None:
        return default
    return int(values[-1]) if _NUMBER.fullmatch(values[-1]) else None


@frozen
class Throttle:
    """Lets so many requests through in any span of this length, and refuses the others."""

    requests: int
    span: timedelta
    answer: Answer
    _passed: deque[datetime] = field(factory=deque, init=False)

    def refusal(self, at: datetime) -> Answer | None:
        """Return the answer to one request too many; those refused do not count."""
        while self._passed and at - self._passed[0] >= self.span:
            self._passed.popleft()
        if len(self._passed) >= self.requests:
            return self.answer
        self._passed.append(at)
        return None
