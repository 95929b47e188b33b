"""HTTP on loopback that a test controls to the byte: answers, the edge in front of a service, and broken wires."""

import json
import re
import socket
import struct
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Condition, Thread
from typing import Any, cast

from attrs import evolve, field, frozen

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


def encoded(payload: object) -> bytes:
    """Return JSON in UTF-8; half a surrogate pair, which UTF-8 cannot hold, is escaped."""
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode(errors="backslashreplace")


def http_date(at: datetime) -> str:
    """Return an instant as HTTP writes it."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def edge_page(status: int, title: str, text: str) -> Answer:
    """Return a page of the edge: HTML for a person, which no client can read."""
    page = (
        f'<!DOCTYPE html>\n<html lang="en-US">\n<head><title>{title}</title>'
        f'<meta http-equiv="X-UA-Compatible" content="IE=Edge" /></head>\n'
        f'<body><div id="cf-wrapper"><h1>{title}</h1><p>{text}</p>'
        f"<p>Cloudflare Ray ID: <code>8c2f6e0a1b3d4f5a</code></p></div></body>\n</html>\n"
    )
    return Answer(status, page.encode(), HTML)


RATE_LIMITED = Answer(429, b"error code: 1015", TEXT)
BLOCKED = edge_page(403, "Attention Required! | Cloudflare", "Sorry, you have been blocked")


@frozen(eq=False)
class Exchange:
    """A connection that waits for an answer, and all that an answer may draw on."""

    connection: socket.socket
    at: datetime
    answer: Callable[[], Answer]
    """Returns the answer as it should be."""
    slow_seconds: float
    drip_seconds: float

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
            target=self.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, name="loopback", daemon=True
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

    def headers(self, at: datetime, prefix: str) -> list[tuple[str, str]]:
        """Return what remains, as headers tell it."""
        seconds = self.span.total_seconds()
        told = {"Limit": self.requests, "Remaining": self.requests - len(self._passed), "Reset-After": seconds}
        return [(f"{prefix}-{name}", f"{value}") for name, value in {**told, "Reset": at.timestamp() + seconds}.items()]


_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r\n]")


@frozen
class Trouble:
    """One way in which the answer goes wrong."""

    name: str
    imitates: str
    """What of the real world this is."""
    status: int | None
    """The status that the client is told, if it is told one."""
    write: Callable[[Any], None] = field(repr=False)
    """Writes the whole answer, head and all, so that anything about it can be broken."""
    closes: bool = False
    """Whether the connection is closed after it."""

    @classmethod
    def answering(cls, name: str, imitates: str, answer: Answer) -> "Trouble":
        """Return a trouble that is a whole and fixed answer."""
        return cls(name, imitates, answer.status, lambda exchange: exchange.send(answer))

    @classmethod
    def raw(cls, name: str, raw: bytes) -> "Trouble":
        """Return a trouble that sends exactly these bytes, head and body, and closes the connection."""
        told = _STATUS_LINE.match(raw)
        status = int(told[1]) if told else None
        return cls(name, "bytes of your own", status, lambda exchange: exchange.connection.sendall(raw), closes=True)


_BLANK = b" " * 2**20
_BOMB_BLOCKS = 1_024
_CLOCK_OFF = timedelta(days=365)


def _reset(exchange: Exchange) -> None:
    """Send half of the answer, then close with a reset instead of a goodbye."""
    raw = exchange.answer().raw(exchange.at)
    exchange.connection.sendall(raw[: len(raw) // 2])
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.connection.close()


def _refused_early(exchange: Exchange) -> None:
    """Say nothing; the connection is closed after it."""


def _timeout(exchange: Exchange) -> None:
    exchange.is_gone(None)


def _slow(exchange: Exchange) -> None:
    if not exchange.is_gone(exchange.slow_seconds):
        exchange.send(exchange.answer())


def _drip_headers(exchange: Exchange) -> None:
    exchange.drip(exchange.answer().raw(exchange.at))


def _drip_body(exchange: Exchange) -> None:
    answer = exchange.answer()
    exchange.connection.sendall(answer.head(exchange.at))
    exchange.drip(answer.body)


def _truncated(exchange: Exchange) -> None:
    raw = exchange.answer().raw(exchange.at)
    exchange.connection.sendall(raw[:-10])


def _endless_body(exchange: Exchange) -> None:
    """Send blanks between two rows for as long as anybody takes them."""
    answer = exchange.answer()
    exchange.connection.sendall(answer.open_head(exchange.at))
    exchange.connection.sendall(answer.body.partition(b"[")[0] + b"[")
    while True:
        exchange.connection.sendall(_BLANK)


def _gzip_bomb(exchange: Exchange) -> None:
    """Send a gibibyte of blanks as a mebibyte of gzip."""
    bomb = Answer(200, b"".join(_bomb()), headers=(("Content-Encoding", "gzip"),))
    exchange.send(bomb)


def _bomb() -> Iterator[bytes]:
    """Yield the beginning of a gzip stream; a flushed block can be repeated without compressing it anew."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    yield packer.compress(b'{"rows":[') + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(_BLANK) + packer.flush(zlib.Z_FULL_FLUSH)
    yield from [block] * _BOMB_BLOCKS


def _clock_off(exchange: Exchange) -> None:
    exchange.connection.sendall(exchange.answer().raw(exchange.at - _CLOCK_OFF))


def _no_date(exchange: Exchange) -> None:
    exchange.connection.sendall(exchange.answer().raw(None))


BROKEN_WIRES = (
    Trouble("reset", "The connection is reset in mid-body.", 200, _reset, closes=True),
    Trouble("refused_early", "The connection is closed without an answer.", None, _refused_early, closes=True),
    Trouble("timeout", "No answer, ever.", None, _timeout, closes=True),
    Trouble("slow", "The right answer, after `slow_seconds`.", 200, _slow),
    Trouble("drip_headers", "The right answer, byte by byte.", 200, _drip_headers, closes=True),
    Trouble("drip_body", "The right answer, its body byte by byte.", 200, _drip_body, closes=True),
    Trouble("truncated", "The connection is closed ten bytes too early.", 200, _truncated, closes=True),
    Trouble("endless_body", "A body without an end.", 200, _endless_body, closes=True),
    Trouble("gzip_bomb", "A small body that inflates to a gibibyte.", 200, _gzip_bomb),
    Trouble("clock_off", "The right answer, dated a year ago.", 200, _clock_off),
    Trouble("no_date", "The right answer, undated.", 200, _no_date),
)
