"""Every trouble by name, and the queue of those to come."""

import re
import socket
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from attrs import define, field, frozen

from . import http
from .board import Snapshot, encoded
from .http import Answer, Exchange, edge_page, mee6_error

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r\n]")


@frozen
class Trouble:
    """One way in which the answer goes wrong."""

    name: str
    imitates: str
    """What of the real world this is."""
    status: int | None
    """The status that the client is told, if it is told one."""
    write: Callable[[Exchange], None] = field(repr=False)
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


_DEPTH = 10_000
_DIGITS = "9" * 5_000
_XP = re.compile(rb'"xp":([0-9]+)')
_OTHER_GUILD = "200000000000000002"
_MADE_UP_ID = 900_000_000_000_000_000

Payload = dict[str, Any]


def _page(name: str, imitates: str, spoil: Callable[[Payload], object]) -> Trouble:
    """Return a trouble that spoils the payload in place."""

    def write(exchange: Exchange) -> None:
        payload = exchange.payload()
        spoil(payload)
        exchange.send(Answer(200, encoded(payload)))

    return Trouble(name, imitates, 200, write)


def _rows(name: str, imitates: str, spoil: Callable[[Payload], Payload]) -> Trouble:
    """Return a trouble that lays new values over every row."""

    def spoil_all(payload: Payload) -> None:
        for player in payload["players"]:
            player.update(spoil(player))

    return _page(name, imitates, spoil_all)


def _body(name: str, imitates: str, spoil: Callable[[bytes], bytes]) -> Trouble:
    """Return a trouble that spoils the JSON itself."""
    return Trouble(name, imitates, 200, lambda exchange: exchange.send(Answer(200, spoil(encoded(exchange.payload())))))


def _made_up(exchange: Exchange) -> Iterable[Payload]:
    """Yield rows of people who do not exist, from the end of the real page on until it is full."""
    for number in range(exchange.page * exchange.limit, (exchange.page + 1) * exchange.limit):
        discord_id = str(_MADE_UP_ID + number)
        yield {"id": discord_id, "username": f"user {number}", "xp": 0, "level": 0, "detailed_xp": [0, 100, 0]}


def _endless_pages(exchange: Exchange) -> None:
    payload = exchange.payload()
    rows = [*payload["players"], *_made_up(exchange)]
    exchange.send(Answer(200, encoded({**payload, "players": rows[: exchange.limit]})))


def _page_ignored(exchange: Exchange) -> None:
    rows = exchange.board.page(0, exchange.limit)
    exchange.send(Answer(200, encoded(exchange.to_payload(exchange.page, rows))))


def _stale(exchange: Exchange) -> None:
    rows = exchange.stale_board.page(exchange.page, exchange.limit)
    exchange.send(Answer(200, encoded(exchange.to_payload(exchange.page, rows))))


def _few_bad_rows(payload: Payload) -> None:
    for player, key in zip(payload["players"][-2:], ("id", "xp"), strict=False):
        player[key] = None


BROKEN_PAGES = (
    _body("not_json", "A page that was cut off in its middle.", lambda body: body[: len(body) // 2]),
    _body("deep_json", "Lists in lists, 10,000 deep.", lambda _: b'{"players":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"),
    _body("not_utf8", "A page in Latin-1.", lambda body: body.replace(b"Example Server", b"Caf\xe9")),
    _body(
        "duplicate_keys",
        "Each row tells its XP twice: rightly, then 0.",
        lambda body: _XP.sub(rb'"xp":\1,"xp":0', body),
    ),
    _body("xp_endless", "XP of 5,000 digits.", lambda body: _XP.sub(f'"xp":{_DIGITS}'.encode(), body)),
    _page("no_guild", "The guild is missing.", lambda payload: payload.pop("guild")),
    _page("wrong_guild", "The board of another guild.", lambda payload: payload["guild"].update(id=_OTHER_GUILD)),
    _page("players_missing", "The rows are missing.", lambda payload: payload.pop("players")),
    _page(
        "players_not_list",
        "The rows are an object by id.",
        lambda payload: payload.update(players={player["id"]: player for player in payload["players"]}),
    ),
    _page("few_bad_rows", "The last two rows of the page cannot be used.", _few_bad_rows),
    _rows(
        "ids_as_numbers", "Ids as numbers, which lose their last digits elsewhere.", lambda row: {"id": int(row["id"])}
    ),
    _rows("lone_surrogate", "Names with half a surrogate pair.", lambda row: {"username": f"{row['username']}\ud800"}),
    _rows("lone_surrogate_id", "Ids with half a surrogate pair.", lambda row: {"id": f"{row['id']}\ud800"}),
    _rows("nan_xp", "XP that is NaN, which is no JSON.", lambda _: {"xp": float("nan")}),
    _rows("xp_null", "XP that is null.", lambda _: {"xp": None}),
    _rows("xp_text", "XP that is text.", lambda row: {"xp": str(row["xp"])}),
    _rows("xp_float", "XP that has a fraction.", lambda row: {"xp": row["xp"] + 0.5}),
    _rows("xp_negative", "XP below 0.", lambda row: {"xp": -1 - row["xp"]}),
    _rows("xp_boolean", "XP that is true.", lambda _: {"xp": True}),
    _rows("xp_huge", "XP of 2 to the 64th.", lambda _: {"xp": 2**64}),
    Trouble("endless_pages", "Every page is full; the board has no end.", 200, _endless_pages),
    Trouble("page_ignored", "Every page is the first one.", 200, _page_ignored),
    Trouble("stale", "A page from a cache: the board as it was when the trouble began.", 200, _stale),
)

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
    yield packer.compress(b'{"players":[') + packer.flush(zlib.Z_FULL_FLUSH)
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

_CHALLENGE = "Enable JavaScript and cookies to continue<script src='/cdn-cgi/challenge-platform/orchestrate'></script>"
_CHALLENGED = ("cf-mitigated", "challenge")


def _rate_limited_date(exchange: Exchange) -> None:
    until = http.http_date(exchange.at + timedelta(seconds=90))
    exchange.send(http.RATE_LIMITED.having(("Retry-After", until)))


def _rate_limited_for(seconds: int) -> Answer:
    return http.RATE_LIMITED.having(("Retry-After", str(seconds)))


REFUSALS = (
    Trouble.answering("private", "MEE6: the board is not public.", http.UNAUTHORIZED),
    Trouble.answering("expired_token", "MEE6: the session token has expired.", http.UNAUTHORIZED),
    Trouble.answering("unknown_guild", "MEE6: not on this server, or no such server.", http.GUILD_NOT_FOUND),
    Trouble.answering("internal_error", "MEE6: an error of its own.", mee6_error(500, "Internal Server Error")),
    Trouble.answering("rate_limited", "The edge: too many requests, in plain text.", http.RATE_LIMITED),
    Trouble.answering(
        "rate_limited_html",
        "The edge: too many requests, as a page.",
        edge_page(429, "Access denied | mee6.xyz used Cloudflare to restrict access", "You are being rate limited"),
    ),
    Trouble.answering("rate_limited_seconds", "The edge: too many requests, wait 120 s.", _rate_limited_for(120)),
    Trouble("rate_limited_date", "The edge: too many requests, wait until a date 90 s ahead.", 429, _rate_limited_date),
    Trouble.answering(
        "rate_limited_absurd", "The edge: wait for longer than clocks can count.", _rate_limited_for(999_999_999_999)
    ),
    Trouble.answering("rate_limited_json", "MEE6: too many requests.", mee6_error(429, "Too many requests")),
    Trouble.answering("blocked", "The edge: this agent or address is blocked.", http.BLOCKED),
    *(
        Trouble.answering(
            f"challenge_{status}",
            f"The edge: prove that you are human, with status {status}.",
            edge_page(status, "Just a moment...", _CHALLENGE).having(_CHALLENGED),
        )
        for status in (200, 403, 503)
    ),
    Trouble.answering(
        "bad_gateway",
        "The edge: MEE6 answered nonsense.",
        edge_page(502, "mee6.xyz | 502: Bad gateway", "The web server reported a bad gateway error."),
    ),
    Trouble.answering(
        "unavailable",
        "The edge: MEE6 is down.",
        edge_page(503, "503 Service Temporarily Unavailable", "The server is temporarily unable to serve you."),
    ),
    Trouble.answering(
        "gateway_timeout",
        "The edge: MEE6 did not answer in time.",
        edge_page(504, "mee6.xyz | 504: Gateway time-out", "The web server reported a gateway time-out error."),
    ),
    Trouble.answering(
        "redirect",
        "The board has moved to another path of this server.",
        Answer(302, b"", http.HTML, (("Location", "/elsewhere"),)),
    ),
    Trouble.answering(
        "html_200",
        "A page for people, as if it were an answer.",
        Answer(200, b"<!DOCTYPE html>\n<html><head><title>MEE6</title></head><body></body></html>\n", http.HTML),
    ),
    Trouble.answering("empty_body", "An answer of no bytes.", Answer(200, b"")),
)

TROUBLES: Mapping[str, Trouble] = MappingProxyType(
    {trouble.name: trouble for trouble in (*REFUSALS, *BROKEN_PAGES, *BROKEN_WIRES)}
)


def trouble_named(trouble: str | Trouble) -> Trouble:
    """Return a trouble by its name, or as it is; an unknown name is a `ValueError` that lists the known ones."""
    if isinstance(trouble, Trouble):
        return trouble
    if trouble not in TROUBLES:
        raise ValueError(f"no trouble is called {trouble!r}; there are {', '.join(TROUBLES)}")
    return TROUBLES[trouble]


@define
class Ahead:
    """A trouble that waits for its requests."""

    trouble: Trouble
    times: int | None
    """How many requests it still answers; None is for ever."""
    page: int | None
    """The one page it answers; None is any."""
    stale_board: Snapshot
    """The board as it was when the trouble began."""


@define
class Queue:
    """Troubles to come: the oldest that fits a request and is not used up answers it."""

    _ahead: list[Ahead] = field(factory=list, init=False)

    def append(self, ahead: Ahead) -> None:
        """Add one behind the others."""
        self._ahead.append(ahead)

    def clear(self) -> None:
        """Forget all of them."""
        self._ahead.clear()

    def taken(self, page: int | None) -> Ahead | None:
        """Return what answers a request for this page, one time used up."""
        for ahead in self._ahead:
            if ahead.times != 0 and ahead.page in {None, page}:
                ahead.times = ahead.times and ahead.times - 1
                return ahead
        return None
