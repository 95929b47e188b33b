"""Exact HTTP responses, and the ways they fail at the edge in front of a service or on the wire."""

import json
import re
import socket
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from attrs import evolve, field, frozen

JSON = "application/json"
HTML = "text/html; charset=UTF-8"
TEXT = "text/plain; charset=UTF-8"


@frozen
class Answer:
    """An HTTP response."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Sequence[tuple[str, str]] = ()

    def having(self, *headers: tuple[str, str]) -> "Answer":
        """Return this answer with further headers."""
        return evolve(self, headers=(*self.headers, *headers))

    def head(self, at: datetime | None, *, has_length: bool = True) -> bytes:
        """Return the head: without `at` it has no Date, without `has_length` no Content-Length."""
        date = () if at is None else (("Date", http_date(at)),)
        length = (("Content-Length", str(len(self.body))),) if has_length else ()
        headers = (*date, ("Content-Type", self.content_type), ("Server", "cloudflare"), *length, *self.headers)
        status_line = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"
        return "\r\n".join([status_line, *(f"{name}: {value}" for name, value in headers), "", ""]).encode()

    def raw(self, at: datetime | None) -> bytes:
        """Return head and body."""
        return self.head(at) + self.body


def encoded(payload: object) -> bytes:
    """Return JSON in UTF-8; half a surrogate pair, which UTF-8 cannot hold, is escaped."""
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode(errors="backslashreplace")


def http_date(at: datetime) -> str:
    """Return an instant as an HTTP date."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def edge_page(status: int, title: str, text: str) -> Answer:
    """Return a page of the edge: HTML for people, which no client can parse."""
    page = (
        f'<!DOCTYPE html>\n<html lang="en-US">\n<head><title>{title}</title>'
        f'<meta http-equiv="X-UA-Compatible" content="IE=Edge" /></head>\n'
        f'<body><div id="cf-wrapper"><h1>{title}</h1><p>{text}</p>'
        f"<p>Cloudflare Ray ID: <code>8c2f6e0a1b3d4f5a</code></p></div></body>\n</html>\n"
    )
    return Answer(status, page.encode(), HTML)


@frozen(eq=False)
class Exchange:
    """A connection that waits for a response, and what a trouble may use to write one."""

    connection: socket.socket
    at: datetime
    answer: Callable[[], Answer]
    """Returns the correct response."""
    slow_seconds: float
    drip_seconds: float

    def send(self, answer: Answer) -> None:
        """Send a whole answer."""
        self.connection.sendall(answer.raw(self.at))

    def raw(self) -> bytes:
        """Return the correct response, head and body."""
        return self.answer().raw(self.at)

    def is_gone(self, seconds: float | None) -> bool:
        """Wait for `seconds`; return whether the client went away or the server stopped meanwhile."""
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
        """Send one byte at a time, with a pause before each, until the client goes away."""
        for position in range(len(raw)):
            if self.is_gone(self.drip_seconds):
                return
            self.connection.sendall(raw[position : position + 1])


_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r\n]")


@frozen
class Trouble:
    """One way in which a response goes wrong."""

    name: str
    imitates: str
    """What it imitates in the real world."""
    write: Callable[[Any], object] = field(repr=False)
    """Writes the whole response including the head, so that anything about it can be broken."""
    status: int | None = 200
    """The status that the client gets, if it gets one."""
    closes: bool = False
    """Whether the connection is closed afterwards."""

    @classmethod
    def answering(cls, name: str, imitates: str, answer: Answer) -> "Trouble":
        """Return a trouble that sends a fixed response."""
        return cls(name, imitates, lambda exchange: exchange.send(answer), answer.status)

    @classmethod
    def raw(cls, name: str, raw: bytes) -> "Trouble":
        """Return a trouble that sends exactly these bytes, head and body, and closes the connection."""
        told = _STATUS_LINE.match(raw)
        status = int(told[1]) if told else None
        return cls(name, "bytes of your own", lambda exchange: exchange.connection.sendall(raw), status, closes=True)


def by_name(*troubles: Trouble) -> Mapping[str, Trouble]:
    """Return troubles by their names."""
    return MappingProxyType({trouble.name: trouble for trouble in troubles})


RATE_LIMITED = Answer(429, b"error code: 1015", TEXT)
BLOCKED = edge_page(403, "Attention Required! | Cloudflare", "Sorry, you have been blocked")
_CHALLENGE = "Enable JavaScript and cookies to continue<script src='/cdn-cgi/challenge-platform/orchestrate'></script>"
_MOVED = Answer(302, b"", HTML, (("Location", "/elsewhere"),))
_FOR_PEOPLE = b"<!DOCTYPE html>\n<html><head><title>A board</title></head><body></body></html>\n"


EDGE = (
    Trouble.answering("blocked", "The edge: this agent or address is blocked.", BLOCKED),
    *(
        Trouble.answering(
            f"challenge_{status}",
            f"The edge: prove that you are human, with status {status}.",
            edge_page(status, "Just a moment...", _CHALLENGE).having(("cf-mitigated", "challenge")),
        )
        for status in (200, 403, 503)
    ),
    *(
        Trouble.answering(name, imitates, edge_page(status, title, "Try again later."))
        for name, imitates, status, title in (
            ("rate_limited_html", "The edge: too many requests, as a page.", 429, "Access denied | Cloudflare"),
            ("bad_gateway", "The edge: the service answered nonsense.", 502, "502: Bad gateway"),
            ("unavailable", "The edge: the service is down.", 503, "503 Service Temporarily Unavailable"),
            ("gateway_timeout", "The edge: the service did not answer in time.", 504, "504: Gateway time-out"),
        )
    ),
    Trouble.answering("redirect", "The page has moved to another path of this server.", _MOVED),
    Trouble.answering("html_200", "A page for people, as if it were an answer.", Answer(200, _FOR_PEOPLE, HTML)),
    Trouble.answering("empty_body", "An answer of no bytes.", Answer(200, b"")),
)
"""What the edge in front of a service answers instead of it."""

_BLANK = b" " * 2**20
_BOMB_BLOCKS = 1_024
_CLOCK_OFF = timedelta(days=365)


def _reset(exchange: Exchange) -> None:
    """Send half of the response, then reset the connection."""
    raw = exchange.raw()
    exchange.connection.sendall(raw[: len(raw) // 2])
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.connection.close()


def _drip_body(exchange: Exchange) -> None:
    answer = exchange.answer()
    exchange.connection.sendall(answer.head(exchange.at))
    exchange.drip(answer.body)


def _endless_body(exchange: Exchange) -> None:
    """Send blanks after the first `[`, for as long as the client takes them."""
    answer = exchange.answer()
    exchange.connection.sendall(answer.head(exchange.at, has_length=False) + answer.body.partition(b"[")[0] + b"[")
    while True:
        exchange.connection.sendall(_BLANK)


def _bomb() -> Iterator[bytes]:
    """Yield a gibibyte of blanks as gzip; a flushed block can be repeated without compressing it again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    yield packer.compress(b'{"rows":[') + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(_BLANK) + packer.flush(zlib.Z_FULL_FLUSH)
    yield from [block] * _BOMB_BLOCKS


def _gzip_bomb(exchange: Exchange) -> None:
    exchange.send(Answer(200, b"".join(_bomb()), headers=(("Content-Encoding", "gzip"),)))


def _dated(change: Callable[[datetime], datetime | None]) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.connection.sendall(exchange.answer().raw(change(exchange.at)))


BROKEN_WIRES = (
    Trouble("reset", "The connection is reset in mid-body.", _reset, closes=True),
    Trouble("refused_early", "The connection is closed without an answer.", lambda _: None, None, closes=True),
    Trouble("timeout", "No answer, ever.", lambda exchange: exchange.is_gone(None), None, closes=True),
    Trouble(
        "slow",
        "The right answer, after `slow_seconds`.",
        lambda exchange: exchange.is_gone(exchange.slow_seconds) or exchange.send(exchange.answer()),
    ),
    Trouble(
        "drip_headers", "The right answer, byte by byte.", lambda exchange: exchange.drip(exchange.raw()), closes=True
    ),
    Trouble("drip_body", "The right answer, its body byte by byte.", _drip_body, closes=True),
    Trouble(
        "truncated",
        "The connection is closed ten bytes too early.",
        lambda exchange: exchange.connection.sendall(exchange.raw()[:-10]),
        closes=True,
    ),
    Trouble("endless_body", "A body without an end.", _endless_body, closes=True),
    Trouble("gzip_bomb", "A small body that inflates to a gibibyte.", _gzip_bomb),
    Trouble("clock_off", "The right answer, dated a year ago.", _dated(lambda at: at - _CLOCK_OFF)),
    Trouble("no_date", "The right answer, undated.", _dated(lambda _: None)),
)
