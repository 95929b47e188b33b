"""A local board server with every fault a service may have; a `Dialect` describes one service.

Read in this order: `leaderboard` (XP and page formats), `answers` (responses and how they go wrong), `loopback` (the
server), this module, which combines them. `LurkrServer` is the shortest example of a service.
"""

import re
import socket
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs

from attrs import Factory, define, field, frozen
from attrs.validators import ge

from .answers import BLOCKED, BROKEN_WIRES, EDGE, RATE_LIMITED, Answer, Exchange, Trouble, by_name, encoded, http_date
from .leaderboard import Dialect, Leaderboard, Row, Snapshot, got, level_at, plain_page, put
from .loopback import GUILD_ID, LoopbackServer, Request, Throttle, now

__all__ = ["TROUBLES", "BoardExchange", "BoardServer", "Dialect", "Leaderboard", "LurkrServer", "Request", "Trouble"]

_LIMIT_DEFAULT = 100
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_DEPTH = 10_000
_DIGITS = b"9" * 5_000
_OTHER_GUILD = "200000000000000002"
_MADE_UP_ID = 900_000_000_000_000_000
_UNAUTHORIZED = "The server could not verify that you are authorized to access the URL requested."

Payload = Any


@frozen(eq=False)
class BoardExchange(Exchange):
    """A connection waiting for a page."""

    page: int
    """Counted from 0."""
    limit: int
    board: Snapshot
    """The board as it is now."""
    stale_board: Snapshot
    """The board as it was when the trouble began."""
    dialect: Any
    to_payload: Callable[[int, Sequence[Row]], Payload]
    """Makes a page of its number and rows."""
    to_error: Callable[[int, str], object]
    """Makes the service's own error document of a status and a message."""

    def payload(self) -> Payload:
        """Return the correct page."""
        return self.to_payload(self.page, self.board.page(self.page, self.limit))

    def show(self, rows: Sequence[Row]) -> None:
        """Send a page of these rows instead."""
        self.send(Answer(200, encoded(self.to_payload(self.page, rows))))


def _page(name: str, imitates: str, spoil: Callable[[Payload, Any], object]) -> Trouble:
    """Return a trouble whose `spoil` changes the payload in place, or returns another."""

    def write(exchange: BoardExchange) -> None:
        payload = exchange.payload()
        other = spoil(payload, exchange.dialect)
        exchange.send(Answer(200, encoded(payload if other is None else other)))

    return Trouble(name, imitates, write)


def _rows(name: str, imitates: str, key: str, spoil: Callable[[Any], object]) -> Trouble:
    """Return a trouble that spoils the id or the XP of every row."""

    def spoil_all(payload: Payload, dialect: Any) -> None:
        path = getattr(dialect, key)
        for row in got(payload, dialect.rows):
            put(row, path, spoil(got(row, path)))

    return _page(name, imitates, spoil_all)


def _body(name: str, imitates: str, spoil: Callable[[bytes, bytes], bytes]) -> Trouble:
    """Return a trouble that spoils the JSON itself; `spoil` also gets the key of XP in it."""

    def write(exchange: BoardExchange) -> None:
        key = exchange.dialect.xp.rpartition(".")[2].encode()
        exchange.send(Answer(200, spoil(encoded(exchange.payload()), key)))

    return Trouble(name, imitates, write)


def _numbers(spoilt: bytes) -> Callable[[bytes, bytes], bytes]:
    r"""Return a function that rewrites each row's XP; in `spoilt`, KEY is its key and \1 the XP."""
    return lambda body, key: re.sub(b'"' + key + b'":([0-9]+)', spoilt.replace(b"KEY", key), body)


def _endless_pages(exchange: BoardExchange) -> None:
    """Fill the page with people who do not exist."""
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
    _body("not_json", "A page that was cut off in its middle.", lambda body, _: body[: len(body) // 2]),
    _body("deep_json", "Lists in lists, 10,000 deep.", lambda *_: b'{"rows":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"),
    _body("not_utf8", "A page in Latin-1.", lambda body, _: body.replace(b'"', b'"caf\xe9', 1)),
    _body("duplicate_keys", "Each row has its XP twice: the right value, then 0.", _numbers(rb'"KEY":\1,"KEY":0')),
    _body("xp_endless", "XP of 5,000 digits.", _numbers(b'"KEY":' + _DIGITS)),
    _page("no_guild", "The guild is missing, if pages name it.", _no_guild),
    _page("wrong_guild", "The board of another guild, if pages name it.", _other_guild),
    _page("rows_missing", "The rows are missing.", lambda *_: {}),
    _page("rows_not_list", "The rows are an object by id.", _by_id),
    _page("few_bad_rows", "The last two rows of the page cannot be used.", _few_bad_rows),
    _page("lone_surrogate", "Names with half a surrogate pair.", _lone_surrogate),
    _rows("ids_as_numbers", "Ids as numbers, which lose their last digits elsewhere.", "id", int),
    _rows("lone_surrogate_id", "Ids with half a surrogate pair.", "id", lambda one: f"{one}\ud800"),
    _rows("nan_xp", "XP that is NaN, which is not JSON.", "xp", lambda _: float("nan")),
    _rows("xp_null", "XP that is null.", "xp", lambda _: None),
    _rows("xp_text", "XP that is text.", "xp", str),
    _rows("xp_float", "XP that has a fraction.", "xp", lambda xp: xp + 0.5),
    _rows("xp_negative", "XP below 0.", "xp", lambda xp: -1 - xp),
    _rows("xp_boolean", "XP that is true.", "xp", lambda _: True),
    _rows("xp_huge", "XP of 2 to the 64th.", "xp", lambda _: 2**64),
    Trouble("endless_pages", "Every page is full; the board has no end.", _endless_pages),
    Trouble(
        "page_ignored",
        "Every page is the first one.",
        lambda exchange: exchange.show(exchange.board.page(0, exchange.limit)),
    ),
    Trouble(
        "stale",
        "A page from a cache: the board as it was when the trouble began.",
        lambda exchange: exchange.show(exchange.stale_board.page(exchange.page, exchange.limit)),
    ),
)


def _told(name: str, imitates: str, status: int, message: str) -> Trouble:
    """Return a trouble that is one of the service's own errors."""

    def write(exchange: BoardExchange) -> None:
        exchange.send(Answer(status, encoded(exchange.to_error(status, message))))

    return Trouble(name, imitates, write, status)


def _wait(name: str, imitates: str, until: Callable[[datetime], str]) -> Trouble:
    """Return a trouble that is the edge's refusal with a Retry-After."""

    def write(exchange: BoardExchange) -> None:
        exchange.send(RATE_LIMITED.having(("Retry-After", until(exchange.at))))

    return Trouble(name, imitates, write, 429)


REFUSALS = (
    _told("private", "The service: the board is not public.", 401, _UNAUTHORIZED),
    _told("expired_token", "The service: the token has expired.", 401, _UNAUTHORIZED),
    _told("unknown_guild", "The service: not on this server, or no such server.", 404, "Guild not found"),
    _told("internal_error", "The service: an error of its own.", 500, "Internal Server Error"),
    _told("rate_limited_json", "The service: too many requests.", 429, "Too many requests"),
    Trouble.answering("rate_limited", "The edge: too many requests, in plain text.", RATE_LIMITED),
    _wait("rate_limited_seconds", "The edge: too many requests, wait 120 s.", lambda _: "120"),
    _wait(
        "rate_limited_date",
        "The edge: too many requests, wait until a date 90 s ahead.",
        lambda at: http_date(at + timedelta(seconds=90)),
    ),
    _wait("rate_limited_absurd", "The edge: wait for longer than clocks can count.", lambda _: "999999999999"),
)
TROUBLES = by_name(*REFUSALS, *EDGE, *BROKEN_PAGES, *BROKEN_WIRES)


def _number(values: list[str] | None, default: int) -> int | None:
    if values is None:
        return default
    return int(values[-1]) if _NUMBER.fullmatch(values[-1]) else None


@define(eq=False, repr=False)
class BoardServer(LoopbackServer):
    """A service with the board of one guild, on loopback.

    A subclass sets its `dialect`. With a `token` the board is private.
    """

    dialect: ClassVar[Any]
    """A `Dialect`, or a source's `Service`."""
    troubles: ClassVar[Mapping[str, Trouble]] = TROUBLES
    board: Leaderboard = field(default=Factory(lambda self: Leaderboard(self.clock), takes_self=True))
    limit_max: int = field(
        default=Factory(lambda self: self.dialect.page_size, takes_self=True), validator=ge(1), init=False
    )
    """The most rows on a page; larger limits are clamped to it."""
    between_pages: Callable[[int], object] | None = field(default=None, init=False)
    """Called with the number of a good page, made but not sent yet, to move the board between pages."""
    _pages: dict[Hashable, tuple[tuple[Row, ...], bytes]] = field(factory=dict, init=False)

    @classmethod
    def start(
        cls, *, guild_id: str = GUILD_ID, clock: Callable[[], datetime] = now, seed: int = 0, port: int = 0
    ) -> Self:
        """Start serving an empty board; port 0 picks a free one, `seed` determines the XP of each message."""
        return cls(guild_id, clock, port, board=Leaderboard(clock, seed))

    def throttle(self, requests: int = 5, per_seconds: float = 60, retry_after: str | None = "30") -> None:
        """Refuse, as the edge does, more than `requests` in any `per_seconds` of the clock."""
        wait = () if retry_after is None else (("Retry-After", retry_after),)
        self._throttle = Throttle(requests, timedelta(seconds=per_seconds), RATE_LIMITED.having(*wait))

    def request(self, path: str, query: str, headers: Mapping[str, str]) -> Request:
        """Return the request, with the page that it asks for."""
        values, dialect = parse_qs(query, keep_blank_values=True), self.dialect
        limit = _number(values.get(dialect.limit or "?"), _LIMIT_DEFAULT)
        page = _number(values.get(dialect.page), dialect.page_first)
        if page is not None:
            page = (page - dialect.page_first) // ((limit or 1) if dialect.counts_rows else 1)
        return Request(path, headers, self.clock(), None if page is not None and page < 0 else page, limit)

    def good(self, request: Request) -> Answer:
        """Return the page asked for, or a refusal; a page that has not changed is not made again."""
        return self._refusal(request) or self._page(request)

    def _refusal(self, request: Request) -> Answer | None:
        """Return the refusal of this request, if any: first the edge's, then the service's."""
        if self._throttle is not None and (refusal := self._throttle.refusal(request.at)):
            return refusal
        if not request.headers.get("user-agent", "").strip():
            return BLOCKED
        if request.path != self.dialect.path.format(guild=self.guild_id):
            is_known = request.path.startswith(self.dialect.path.partition("{")[0])
            return self._told(404, "Guild not found" if is_known else "The requested URL was not found")
        wanted = self.token and self.dialect.token_form.format(self.token)
        if wanted is not None and request.headers.get(self.dialect.token_header.lower()) != wanted:
            return self._told(401, _UNAUTHORIZED)
        if request.page is None or not request.limit:
            return self._told(400, "page and limit must be whole numbers")
        return None

    def _told(self, status: int, message: str) -> Answer:
        return Answer(status, encoded(self.error(status, message)))

    def _page(self, request: Request) -> Answer:
        page, limit = request.page or 0, self._clamped(request)
        rows = self.board.snapshot().page(page, limit)
        key = (page, limit, self.form)
        rows_before, body = self._pages.get(key, ((), b""))
        if not body or rows != rows_before:
            body = encoded(self.payload(page, rows))
            self._pages[key] = rows, body
        limits = self._throttle and self.dialect.limits and self._throttle.headers(request.at, self.dialect.limits)
        return Answer(200, body, headers=limits or ())

    def moment(self) -> Snapshot:
        """Return the board as it is now."""
        return self.board.snapshot()

    def exchange(self, request: Request, connection: socket.socket, moment: Snapshot) -> BoardExchange:
        """Return what a trouble may use: the page asked for, the board and the service's formats."""
        return BoardExchange(
            *(connection, request.at, partial(self._page, request), self.slow_seconds, self.drip_seconds),
            *(request.page or 0, self._clamped(request), self.board.snapshot(), moment),
            *(self.dialect, self.payload, self.error),
        )

    def before_sending(self, request: Request, answer: Answer) -> None:
        """Let the board move between pages."""
        if answer.status == 200 and self.between_pages is not None:
            self.between_pages(request.page or 0)

    @property
    def form(self) -> Hashable:
        """What a page depends on besides its rows."""
        return None

    def payload(self, page: int, rows: Sequence[Row]) -> Any:  # noqa: ARG002  for a subclass
        """Return a page in the service's format."""
        return plain_page(self.dialect, self.guild_id, rows)

    def error(self, status: int, message: str) -> object:  # noqa: ARG002
        """Return the service's own error document."""
        return {"message": message}

    def _clamped(self, request: Request) -> int:
        return self.limit_max if self.dialect.limit is None else min(request.limit or 1, self.limit_max)


@define(eq=False, repr=False)
class LurkrServer(BoardServer):
    """A Lurkr for one guild; see `BoardServer`."""

    dialect: ClassVar[Dialect] = Dialect(
        "/v2/levels/{guild}",
        rows="levels",
        id="userId",
        page_first=1,
        limit=None,
        page_size=100,
        token_header="X-API-Key",  # noqa: S106  the header's name
        limits="X-RateLimit",
    )

    def payload(self, page: int, rows: Sequence[Row]) -> dict[str, Any]:  # noqa: ARG002
        """Return a page of levels, which does not name its guild."""
        return {"levels": [_level(row) for row in rows]}


def _level(row: Row) -> dict[str, Any]:
    user = {"id": row.discord_id, "username": row.username, "avatar": row.avatar}
    told = {"userId": row.discord_id, "xp": row.xp, "level": level_at(row.xp)}
    return {**told, "messageCount": row.message_count, "user": user}
