"""Every trouble of a board by name, and the queue of those to come."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal

from attrs import define, field, frozen

from ..loopback import (
    BLOCKED,
    BROKEN_WIRES,
    HTML,
    RATE_LIMITED,
    Answer,
    Exchange,
    Trouble,
    edge_page,
    encoded,
    http_date,
)
from .board import Row, Snapshot, got, put

_DEPTH = 10_000
_DIGITS = b"9" * 5_000
_OTHER_GUILD = "200000000000000002"
_MADE_UP_ID = 900_000_000_000_000_000
_UNAUTHORIZED = "The server could not verify that you are authorized to access the URL requested."

Payload = Any


@frozen(eq=False)
class BoardExchange(Exchange):
    """A connection that waits for a page."""

    page: int
    """Counted from 0."""
    limit: int
    board: Snapshot
    """The board as it is now …"""
    stale_board: Snapshot
    """… and as it was when it was frozen, or else when the trouble began."""
    dialect: Any
    to_payload: Callable[[int, Sequence[Row]], Payload]
    """Page number and rows to a page."""
    to_error: Callable[[int, str], object]
    """Status and message to the document of an error that the service itself tells."""

    def payload(self) -> Payload:
        """Return the page that was asked for, as it should be."""
        return self.to_payload(self.page, self.board.page(self.page, self.limit))

    def show(self, rows: Sequence[Row]) -> None:
        """Send a page of these rows instead."""
        self.send(Answer(200, encoded(self.to_payload(self.page, rows))))


def _told(name: str, imitates: str, status: int, message: str) -> Trouble:
    """Return a trouble that is an error of the service's own."""

    def write(exchange: BoardExchange) -> None:
        exchange.send(Answer(status, encoded(exchange.to_error(status, message))))

    return Trouble(name, imitates, status, write)


def _page(name: str, imitates: str, spoil: Callable[[Payload, Any], object]) -> Trouble:
    """Return a trouble that spoils the payload in place, or returns another."""

    def write(exchange: BoardExchange) -> None:
        payload = exchange.payload()
        other = spoil(payload, exchange.dialect)
        exchange.send(Answer(200, encoded(payload if other is None else other)))

    return Trouble(name, imitates, 200, write)


def _rows(name: str, imitates: str, key: Literal["id", "xp"], spoil: Callable[[Any], object]) -> Trouble:
    """Return a trouble that spoils the id or the XP of every row."""

    def spoil_all(payload: Payload, dialect: Any) -> None:
        path = dialect.id if key == "id" else dialect.xp
        for row in got(payload, dialect.rows):
            put(row, path, spoil(got(row, path)))

    return _page(name, imitates, spoil_all)


def _body(name: str, imitates: str, spoil: Callable[[bytes], bytes]) -> Trouble:
    """Return a trouble that spoils the JSON itself."""
    return Trouble(name, imitates, 200, lambda exchange: exchange.send(Answer(200, spoil(encoded(exchange.payload())))))


def _numbers(name: str, imitates: str, spoilt: bytes) -> Trouble:
    r"""Return a trouble that writes each row's XP otherwise; in `spoilt`, KEY is its key and \1 the XP."""

    def write(exchange: BoardExchange) -> None:
        key = exchange.dialect.xp.rpartition(".")[2].encode()
        form = re.compile(b'"' + key + b'":([0-9]+)')
        body = form.sub(spoilt.replace(b"KEY", key), encoded(exchange.payload()))
        exchange.send(Answer(200, body))

    return Trouble(name, imitates, 200, write)


def _endless_pages(exchange: BoardExchange) -> None:
    """Fill up the page with people who do not exist."""
    numbers = range(exchange.page * exchange.limit, (exchange.page + 1) * exchange.limit)
    made_up = [Row(str(_MADE_UP_ID + one), f"user {one}", "0", None, 0, 0, is_ranked=True) for one in numbers]
    exchange.show([*exchange.board.page(exchange.page, exchange.limit), *made_up][: exchange.limit])


def _few_bad_rows(payload: Payload, dialect: Any) -> None:
    for row, path in zip(got(payload, dialect.rows)[-2:], (dialect.id, dialect.xp), strict=False):
        put(row, path, None)


def _other_guild(payload: Payload, dialect: Any) -> None:
    if dialect.guild is not None:
        put(payload, dialect.guild, _OTHER_GUILD)


def _no_guild(payload: Payload, dialect: Any) -> None:
    if dialect.guild is not None:
        payload.pop(dialect.guild.partition(".")[0])


def _by_id(payload: Payload, dialect: Any) -> Payload:
    rows = {got(row, dialect.id): row for row in got(payload, dialect.rows)}
    if not dialect.rows:
        return rows
    put(payload, dialect.rows, rows)
    return payload


def _lone_surrogate(payload: Payload, dialect: Any) -> None:
    for row in got(payload, dialect.rows):
        row["username"] = f"{row.get('username', 'a name')}\ud800"


BROKEN_PAGES = (
    _body("not_json", "A page that was cut off in its middle.", lambda body: body[: len(body) // 2]),
    _body("deep_json", "Lists in lists, 10,000 deep.", lambda _: b'{"rows":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"),
    _body("not_utf8", "A page in Latin-1.", lambda body: body.replace(b'"', b'"caf\xe9', 1)),
    _numbers("duplicate_keys", "Each row tells its XP twice: rightly, then 0.", rb'"KEY":\1,"KEY":0'),
    _numbers("xp_endless", "XP of 5,000 digits.", b'"KEY":' + _DIGITS),
    _page("no_guild", "The guild is missing, if pages tell it.", _no_guild),
    _page("wrong_guild", "The board of another guild, if pages tell it.", _other_guild),
    _page("rows_missing", "The rows are missing.", lambda *_: {}),
    _page("rows_not_list", "The rows are an object by id.", _by_id),
    _page("few_bad_rows", "The last two rows of the page cannot be used.", _few_bad_rows),
    _page("lone_surrogate", "Names with half a surrogate pair.", _lone_surrogate),
    _rows("ids_as_numbers", "Ids as numbers, which lose their last digits elsewhere.", "id", int),
    _rows("lone_surrogate_id", "Ids with half a surrogate pair.", "id", lambda one: f"{one}\ud800"),
    _rows("nan_xp", "XP that is NaN, which is no JSON.", "xp", lambda _: float("nan")),
    _rows("xp_null", "XP that is null.", "xp", lambda _: None),
    _rows("xp_text", "XP that is text.", "xp", str),
    _rows("xp_float", "XP that has a fraction.", "xp", lambda xp: xp + 0.5),
    _rows("xp_negative", "XP below 0.", "xp", lambda xp: -1 - xp),
    _rows("xp_boolean", "XP that is true.", "xp", lambda _: True),
    _rows("xp_huge", "XP of 2 to the 64th.", "xp", lambda _: 2**64),
    Trouble("endless_pages", "Every page is full; the board has no end.", 200, _endless_pages),
    Trouble(
        "page_ignored",
        "Every page is the first one.",
        200,
        lambda exchange: exchange.show(exchange.board.page(0, exchange.limit)),
    ),
    Trouble(
        "stale",
        "A page from a cache: the board as it was when the trouble began.",
        200,
        lambda exchange: exchange.show(exchange.stale_board.page(exchange.page, exchange.limit)),
    ),
)

_CHALLENGE = "Enable JavaScript and cookies to continue<script src='/cdn-cgi/challenge-platform/orchestrate'></script>"
_CHALLENGED = ("cf-mitigated", "challenge")


def _rate_limited_date(exchange: Exchange) -> None:
    until = http_date(exchange.at + timedelta(seconds=90))
    exchange.send(RATE_LIMITED.having(("Retry-After", until)))


def _rate_limited_for(seconds: int) -> Answer:
    return RATE_LIMITED.having(("Retry-After", str(seconds)))


REFUSALS = (
    _told("private", "The service: the board is not public.", 401, _UNAUTHORIZED),
    _told("expired_token", "The service: the token has expired.", 401, _UNAUTHORIZED),
    _told("unknown_guild", "The service: not on this server, or no such server.", 404, "Guild not found"),
    _told("internal_error", "The service: an error of its own.", 500, "Internal Server Error"),
    Trouble.answering("rate_limited", "The edge: too many requests, in plain text.", RATE_LIMITED),
    Trouble.answering(
        "rate_limited_html",
        "The edge: too many requests, as a page.",
        edge_page(429, "Access denied | Cloudflare restricts access", "You are being rate limited"),
    ),
    Trouble.answering("rate_limited_seconds", "The edge: too many requests, wait 120 s.", _rate_limited_for(120)),
    Trouble("rate_limited_date", "The edge: too many requests, wait until a date 90 s ahead.", 429, _rate_limited_date),
    Trouble.answering(
        "rate_limited_absurd", "The edge: wait for longer than clocks can count.", _rate_limited_for(999_999_999_999)
    ),
    _told("rate_limited_json", "The service: too many requests.", 429, "Too many requests"),
    Trouble.answering("blocked", "The edge: this agent or address is blocked.", BLOCKED),
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
        "The edge: the service answered nonsense.",
        edge_page(502, "502: Bad gateway", "The web server reported a bad gateway error."),
    ),
    Trouble.answering(
        "unavailable",
        "The edge: the service is down.",
        edge_page(503, "503 Service Temporarily Unavailable", "The server is temporarily unable to serve you."),
    ),
    Trouble.answering(
        "gateway_timeout",
        "The edge: the service did not answer in time.",
        edge_page(504, "504: Gateway time-out", "The web server reported a gateway time-out error."),
    ),
    Trouble.answering(
        "redirect",
        "The board has moved to another path of this server.",
        Answer(302, b"", HTML, (("Location", "/elsewhere"),)),
    ),
    Trouble.answering(
        "html_200",
        "A page for people, as if it were an answer.",
        Answer(200, b"<!DOCTYPE html>\n<html><head><title>A board</title></head><body></body></html>\n", HTML),
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
