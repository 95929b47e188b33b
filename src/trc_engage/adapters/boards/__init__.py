"""Polite, strict reading of any paged leaderboard.

For a custom source, subclass `BoardSource` with the facts of its `Service`. Read in this order: `responses` (facts and
errors of a service), `paging` (a board that moves while it is read), `client` (one request under limits), this module.
"""

import re
import time
from collections.abc import Callable
from random import Random, SystemRandom
from typing import ClassVar, Self

import httpx
from attrs import Factory, define, field

from ...core.boards import Board
from ...core.errors import InvalidValue
from ...core.ports import Requests
from ...core.validation import validate_discord_id
from .client import Connected, Fetcher, Line, Pace, new_client, version
from .paging import Sweeper
from .responses import Answer, Service

__all__ = ["BoardSource", "Service"]


PORTS = {"http": 80, "https": 443}
PAGE_GAP_SECONDS = 2.0
DEADLINE_SECONDS = 120.0
PAGES_MAX = 2_000
ANSWER_BYTES_MAX = 16 * 1024 * 1024


@define(eq=False)
class BoardSource(Connected):
    """A guild's board of one service, an `XpSource`; close it, or use it as a context manager.

    Subclasses set `service`. Threads may share it; they read one after the other.
    """

    service: ClassVar[Service]
    guild_id: str
    board_id: str = field(repr=False)
    """Identifies the board by service and guild, and by host if that is not the service's own."""
    _client: Fetcher = field(repr=False)
    _on_page: Callable[[int, int], object] | None = field(repr=False)
    _pages_max: int = field(repr=False)
    _limit: int = field(default=Factory(lambda self: self.service.page_size, takes_self=True), repr=False, init=False)

    @classmethod
    def open(
        cls,
        guild_id: str,
        *,
        base_url: str | None = None,
        token: str | None = None,
        contact: str | None = None,
        page_gap: float = PAGE_GAP_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
        pages_max: int = PAGES_MAX,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        on_page: Callable[[int, int], object] | None = None,
        pause: Callable[[float], object] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        random: Random | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> Self:
        """Prepare to read; nothing is sent yet.

        `base_url` defaults to the service's own. `token` is needed only for a private board and is never shown.
        `contact` is where the service can reach you, by default the service's `contact`. `page_gap` is the time between
        requests, `deadline_seconds` the total time of a read's requests without the gaps. `on_page` is called with the
        pages and rows so far; `pause` sleeps (by default until `stop`). `transport` sends the requests, such as over a
        proxy, or answers them in a test (`httpx.MockTransport`); the deadline then cuts only connections that it makes
        through httpcore. Raises `InvalidValue`.
        """
        service, guild = cls.service, validate_guild_id(guild_id)
        base = service.base_url if base_url is None else validate_base_url(base_url)
        line = Line()
        gap = validate_seconds("page_gap", page_gap, least=0.0)
        pages = validate_count("pages_max", pages_max)
        reach = service.contact.format(guild=guild) if contact is None else contact
        client = Fetcher(
            service.name,
            new_client(service.headers(version(), validate_contact(reach), validate_token(token)), transport),
            line,
            Pace(gap, pause or line.pause, monotonic, random or SystemRandom()),
            validate_seconds("deadline_seconds", deadline_seconds, least=0.001),
            validate_count("answer_bytes_max", answer_bytes_max),
            base + service.path.format(guild=guild),
            service,
        )
        board_id = f"{service.name.lower()}:{guild}{_elsewhere(base, service)}"
        return cls(guild, board_id, client, on_page, pages)

    @property
    def name(self) -> str:
        """The source's name in messages."""
        return self.service.name

    def read(self, sought: frozenset[str], /) -> Board:
        """Read the board until everyone sought is found or it ends; if no one is sought, make no request.

        Raises `SourceError`, and `ReadStopped` once `stop` or `close` was called.
        """
        return self._read(sought, None)

    def read_pages(self, sought: frozenset[str], requests: Requests, /) -> Board:
        """Read the board as `read` does, waiting for its turn before each request."""
        return self._read(sought, requests)

    def _read(self, sought: frozenset[str], requests: Requests | None) -> Board:
        with self._client.reading() as budget:
            self._client.pace.requests = requests

            def fetch(number: int, limit: int) -> Answer:
                return self._client.page(number, limit, budget)

            # Discard the page limit that a failed read learned: it may be wrong.
            limit, self._limit = self._limit, self.service.page_size
            sweeper = Sweeper(self.service, self.guild_id, sought, fetch, self._on_page, self._pages_max, limit)
            board = sweeper.board()
            self._limit = sweeper.limit_known
            return board


def _elsewhere(base_url: str, service: Service) -> str:
    """Return host and port of a URL that is not the service's own, otherwise an empty string."""
    url, own = httpx.URL(base_url), httpx.URL(service.base_url)
    host = url.raw_host.decode("ascii").rstrip(".")
    port = url.port or PORTS[url.scheme]
    if (host, port) == (own.host, own.port or PORTS[own.scheme]):
        return ""
    return f"@[{host}]:{port}" if ":" in host else f"@{host}:{port}"


SECONDS_MAX = 3_600.0
PORT_MAX = 65_535
CONTACT_LENGTH_MAX = 200
TOKEN_LENGTH_MAX = 4_000
_VISIBLE_ASCII = re.compile(r"[!-~]+", re.ASCII)
_NOT_SHOWN = "(not shown)"


def validate_guild_id(value: object) -> str:
    """Return the Discord id of a server: a text of 1 to 20 digits (a snowflake, never a number)."""
    try:
        return validate_discord_id(value)
    except InvalidValue as error:
        raise InvalidValue(
            "guild_id", value, "give the Discord server's id as text of 1 to 20 digits, such as '80351110224678912'"
        ) from error


def validate_base_url(value: object) -> str:
    """Return an http(s) URL without a trailing slash; it must not have a password or a query."""
    text = value if isinstance(value, str) else ""
    advice = "give an address such as 'https://board.example', with a host and without a query"
    try:
        url = httpx.URL(text)
        url.raw_host.decode("ascii").encode("idna")  # as DNS will
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InvalidValue("base_url", value, advice) from error
    if url.userinfo:
        raise InvalidValue("base_url", _NOT_SHOWN, "give an address without a name and password")
    if (
        url.scheme not in {"http", "https"}
        or not url.host
        or set(text) & set("?#")
        or url.port == 0
        or (url.port or 1) > PORT_MAX
    ):
        raise InvalidValue("base_url", value, advice)
    return str(url).rstrip("/")


def validate_token(value: object) -> str | None:
    """Return the token of a private board, or None; errors never show it."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > TOKEN_LENGTH_MAX or not _VISIBLE_ASCII.fullmatch(value):
        raise InvalidValue(
            "token", _NOT_SHOWN, "give the raw token, printable ASCII without spaces (and without 'Bearer')"
        )
    return value


def validate_contact(value: object) -> str:
    """Return where the service can reach you: an email address or URL for the User-Agent."""
    if not isinstance(value, str) or len(value) > CONTACT_LENGTH_MAX or not _VISIBLE_ASCII.fullmatch(value):
        raise InvalidValue("contact", value, "give a URL or mail address in printable ASCII without spaces")
    return value


def validate_seconds(field: str, value: object, least: float) -> float:
    """Return a duration in seconds, from `least` to an hour."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= SECONDS_MAX:
        raise InvalidValue(field, value, f"give seconds from {least:g} to {SECONDS_MAX:g}")
    return float(value)


def validate_count(field: str, value: object) -> int:
    """Return a whole number, 1 or more."""
    if type(value) is not int or value < 1:
        raise InvalidValue(field, value, "give a whole number from 1 on")
    return value
