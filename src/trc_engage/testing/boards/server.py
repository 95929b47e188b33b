"""The server: a board over real HTTP, with as much trouble as is asked for."""

import re
import socket
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import RLock
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs

from attrs import Factory, define, evolve, field, frozen, setters
from attrs.validators import ge

from ..loopback import BLOCKED, LOOPBACK, RATE_LIMITED, Answer, Listener, Throttle, Trouble, encoded
from .board import Leaderboard, Row, Snapshot, plain_page
from .troubles import Ahead, BoardExchange, Queue, trouble_named

GUILD_ID = "200000000000000001"
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


@frozen
class Request:
    """What a client asked for, and what status it was told."""

    path: str
    """Without the query."""
    page: int | None
    """Counted from 0; None if it is not a number."""
    limit: int | None
    """As asked for, before any clamp; None if it is not a number."""
    headers: Mapping[str, str]
    """Names in lower case."""
    at: datetime
    answered: int | None = None
    """None if the client was told no status."""

    @classmethod
    def parsed(
        cls, target: str, headers: Mapping[str, str], at: datetime, dialect: Any, limit_default: int
    ) -> "Request":
        """Take a request line's target apart."""
        path, _, query = target.partition("?")
        values = parse_qs(query, keep_blank_values=True)
        limit = _number(values.get(dialect.limit or "?"), limit_default)
        page = _number(values.get(dialect.page), dialect.page_first)
        if page is not None:
            page = (page - dialect.page_first) // ((limit or 1) if dialect.counts_rows else 1)
        return cls(path, None if page is not None and page < 0 else page, limit, headers, at)


def _number(values: list[str] | None, default: int) -> int | None:
    if values is None:
        return default
    return int(values[-1]) if _NUMBER.fullmatch(values[-1]) else None


def _now() -> datetime:
    return datetime.now(UTC)


@define(eq=False, repr=False)
class BoardServer:
    """A service with the board of one guild, on loopback, until `stop` or the end of its `with` block.

    A subclass says which `dialect` it speaks. `limit_max` and what follows it may be set at any time. What `clock`
    or `between_pages` raises ends that connection, and is raised again when the server stops.
    """

    dialect: ClassVar[Any]
    """A `Dialect`, or a source's `Service`."""
    limit_default: ClassVar[int] = 100
    guild_id: str = field(on_setattr=setters.frozen)
    clock: Callable[[], datetime] = field(on_setattr=setters.frozen)
    """Drives the Date header, the throttle and the once-a-minute rule."""
    board: Leaderboard = field(on_setattr=setters.frozen)
    _port: int = 0
    limit_max: int = field(
        default=Factory(lambda self: self.dialect.page_size, takes_self=True), validator=ge(1), init=False
    )
    """The clamp: a larger limit is served as this many rows."""
    token: str | None = field(default=None, init=False)
    """If set, the board is private: only requests that carry exactly this are answered."""
    between_pages: Callable[[int], object] | None = field(default=None, init=False)
    """Called with a good page's number once it is made up, just before it is sent: to move the board."""
    slow_seconds: float = field(default=1.0, init=False)
    """How long the trouble `slow` waits."""
    drip_seconds: float = field(default=0.2, init=False)
    """How long the dripping troubles wait before each byte."""
    requests: list[Request] = field(factory=list, init=False)
    """Every request that arrived, oldest first; each is noted before it is answered."""
    _troubles: Queue = field(factory=Queue, init=False)
    _throttle: Throttle | None = field(default=None, init=False)
    _frozen: Snapshot | None = field(default=None, init=False)
    _pages: dict[Hashable, tuple[tuple[Row, ...], bytes]] = field(factory=dict, init=False)
    _lock: RLock = field(factory=RLock, init=False)
    _listener: Listener = field(init=False)

    @classmethod
    def start(
        cls, *, guild_id: str = GUILD_ID, clock: Callable[[], datetime] = _now, seed: int = 0, port: int = 0
    ) -> Self:
        """Serve an empty board from now on; port 0 takes a free one, `seed` decides the XP of each message."""
        return cls(guild_id, clock, Leaderboard(clock, seed), port)

    def __attrs_post_init__(self) -> None:
        self._listener = Listener(self._port, self._answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Hang up on everybody, at once, and raise what went wrong in a callable that was handed in."""
        self._listener.stop()
        error, self._listener.error = self._listener.error, None
        if error is not None:
            raise error

    @property
    def url(self) -> str:
        """What stands for the service's own address."""
        return f"http://{LOOPBACK}:{self._listener.server_port}"

    def freeze(self) -> None:
        """Serve the rows as they are now, although the board goes on."""
        self._frozen = self.board.snapshot()

    def thaw(self) -> None:
        """Serve the board as it is."""
        self._frozen = None

    def throttle(self, requests: int = 5, per_seconds: float = 60, retry_after: str | None = "30") -> None:
        """Refuse, as the edge does, what exceeds so many requests in any such span of the clock."""
        wait = () if retry_after is None else (("Retry-After", retry_after),)
        self._throttle = Throttle(requests, timedelta(seconds=per_seconds), RATE_LIMITED.having(*wait))

    def trouble(self, trouble: str | Trouble, times: int | None = None, page: int | None = None) -> None:
        """Answer with this trouble: so many requests, or for ever; any request, or those for one page.

        Troubles queue up: the oldest that fits a request and is not used up answers it.
        """
        ahead = Ahead(trouble_named(trouble), times, page, self._served())
        with self._lock:
            self._troubles.append(ahead)

    def recover(self) -> None:
        """End all troubles, and the throttle."""
        with self._lock:
            self._troubles.clear()
            self._throttle = None

    def _answer(self, target: str, headers: Mapping[str, str], connection: socket.socket) -> bool:
        request = Request.parsed(target, headers, self.clock(), self.dialect, self.limit_default)
        decision = self._decision(request)
        if isinstance(decision, Ahead):
            decision.trouble.write(self._exchange(request, connection, decision.stale_board))
            return decision.trouble.closes
        if decision.status == 200 and self.between_pages is not None:
            self.between_pages(request.page or 0)
        connection.sendall(decision.raw(request.at))
        return False

    def _decision(self, request: Request) -> Ahead | Answer:
        """Decide how to answer, and note it."""
        with self._lock:
            ahead = self._troubles.taken(request.page)
            decision = ahead or self._refusal(request) or self._good(request)
            status = decision.trouble.status if isinstance(decision, Ahead) else decision.status
            self.requests.append(evolve(request, answered=status))
            return decision

    def _refusal(self, request: Request) -> Answer | None:
        """Return why this request gets no page: first what the edge says, then the service."""
        if self._throttle is not None and (refusal := self._throttle.refusal(request.at)):
            return refusal
        if not request.headers.get("user-agent", "").strip():
            return BLOCKED
        if request.path != self.dialect.path.format(guild=self.guild_id):
            is_known = request.path.startswith(self.dialect.path.partition("{")[0])
            return self._told(404, "Guild not found" if is_known else "The requested URL was not found")
        wanted = self.token and self.dialect.token_form.format(self.token)
        if wanted is not None and request.headers.get(self.dialect.token_header.lower()) != wanted:
            return self._told(401, "The server could not verify that you are authorized")
        if request.page is None or not request.limit:
            return self._told(400, "page and limit must be whole numbers")
        return None

    def _told(self, status: int, message: str) -> Answer:
        return Answer(status, encoded(self.error(status, message)))

    def _good(self, request: Request) -> Answer:
        """Return the page asked for; a page that did not change is not made up again."""
        page, limit = request.page or 0, self._clamped(request)
        rows = self._served().page(page, limit)
        key = (page, limit, self.form)
        rows_before, body = self._pages.get(key, ((), b""))
        if not body or rows != rows_before:
            body = encoded(self.payload(page, rows))
            self._pages[key] = rows, body
        limits = self._throttle and self.dialect.limits and self._throttle.headers(request.at, self.dialect.limits)
        return Answer(200, body, headers=limits or ())

    def _exchange(self, request: Request, connection: socket.socket, stale_board: Snapshot) -> BoardExchange:
        return BoardExchange(
            connection,
            request.at,
            partial(self._good, request),
            self.slow_seconds,
            self.drip_seconds,
            request.page or 0,
            self._clamped(request),
            self._served(),
            self._frozen or stale_board,
            self.dialect,
            self.payload,
            self.error,
        )

    @property
    def form(self) -> Hashable:
        """What a page depends on, beside its rows."""
        return None

    def payload(self, page: int, rows: Sequence[Row]) -> Any:  # noqa: ARG002  for a subclass
        """Return a page as the service words it."""
        return plain_page(self.dialect, self.guild_id, rows)

    def error(self, status: int, message: str) -> object:  # noqa: ARG002
        """Return the document of an error that the service itself tells."""
        return {"message": message}

    def _served(self) -> Snapshot:
        return self._frozen or self.board.snapshot()

    def _clamped(self, request: Request) -> int:
        return self.limit_max if self.dialect.limit is None else min(request.limit or 1, self.limit_max)
