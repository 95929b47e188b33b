"""MEE6's leaderboard as an `XpSource`, read politely and believed with care; how it is read is in `boards`."""

import time
from collections.abc import Callable
from random import Random, SystemRandom
from threading import Lock
from types import TracebackType
from typing import ClassVar, Self

import httpx
from attrs import define, field

from ..core.model import Board
from ..core.ports import Requests
from .boards.client import Budget, Fetcher, Line, Pace, new_client
from .boards.paging import LIMIT_MAX, Sweeper
from .boards.responses import Answer, Service
from .boards.source import (
    validate_base_url,
    validate_contact,
    validate_count,
    validate_guild_id,
    validate_seconds,
    validate_token,
)

__all__ = ["Mee6Source"]

BASE_URL = "https://mee6.xyz"
SERVICE = Service(
    "MEE6",
    private="MEE6 does not show this board: it is private, or the token has expired. Make the leaderboard public in "
    "MEE6's dashboard, or renew the token",
    unknown_guild="MEE6 knows no board of this guild: check the guild's id, whether MEE6 is on the server, and whether "
    "its levels plugin is switched on",
)
PORTS = {"http": 80, "https": 443}
PAGE_GAP_SECONDS = 2.0
DEADLINE_SECONDS = 120.0
PAGES_MAX = 2_000
ANSWER_BYTES_MAX = 16 * 1024 * 1024


@define(eq=False)
class Mee6Source:
    """A guild's leaderboard on mee6.xyz, an `XpSource`; close it, or use it as a context manager.

    It may be shared by threads, which then read one after the other.
    """

    name: ClassVar[str] = SERVICE.name
    """What messages call it."""
    guild_id: str
    board_id: str = field(repr=False)
    """Whose board it is: the guild's, and where it is read if not at MEE6's own address."""
    _fetcher: Fetcher = field(repr=False)
    _on_page: Callable[[int, int], object] | None = field(repr=False)
    _deadline_seconds: float = field(repr=False)
    _pages_max: int = field(repr=False)
    _limit: int = field(default=LIMIT_MAX, repr=False, init=False)
    _reading: Lock = field(factory=Lock, repr=False, init=False)

    @classmethod
    def open(
        cls,
        guild_id: str,
        *,
        base_url: str = BASE_URL,
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

        `token` is needed for a private board only, and is never shown. `contact` is where MEE6 can reach
        whoever runs this, by default the Discord server itself. `page_gap` are the seconds
        between requests, `deadline_seconds` what the requests of a read may take without the gaps.
        `on_page` is told the pages and rows so far; `pause` sleeps (by default until `stop`).
        `transport` carries the requests, over a proxy say or to a server in memory; the deadline then
        cuts what it connects through httpcore. Raises `InvalidValue`.
        """
        guild = validate_guild_id(guild_id)
        base = validate_base_url(base_url)
        url = f"{base}/api/plugins/levels/leaderboard/{guild}"
        line = Line()
        pace = Pace(
            validate_seconds("page_gap", page_gap, least=0.0), pause or line.pause, monotonic, random or SystemRandom()
        )
        deadline = validate_seconds("deadline_seconds", deadline_seconds, least=0.001)
        bytes_max = validate_count("answer_bytes_max", answer_bytes_max)
        pages = validate_count("pages_max", pages_max)
        reach = f"https://discord.com/channels/{guild}" if contact is None else contact
        client = new_client(validate_token(token), validate_contact(reach), transport)
        fetcher = Fetcher(url, client, line, pace, bytes_max, SERVICE)
        return cls(guild, f"mee6:{guild}{_elsewhere(base)}", fetcher, on_page, deadline, pages)

    def read(self, sought: frozenset[str], /) -> Board:
        """Read the board until everyone sought is found or it ends; nobody sought, nothing asked.

        Raises `SourceError`, and `ReadStopped` once `stop` or `close` was called.
        """
        return self._read(sought, None)

    def read_pages(self, sought: frozenset[str], requests: Requests, /) -> Board:
        """Read the board as `read` does, asking for the turn of each request."""
        return self._read(sought, requests)

    def _read(self, sought: frozenset[str], requests: Requests | None) -> Board:
        with self._reading:
            self._fetcher.pace.requests = requests
            budget = Budget(self._deadline_seconds, self._fetcher.pace.monotonic)

            def fetch(number: int, limit: int) -> Answer:
                return self._fetcher.page(number, limit, budget)

            # What a read that fails has learnt of the server's limit may be wrong, and would last.
            limit, self._limit = self._limit, LIMIT_MAX
            sweeper = Sweeper(self.guild_id, sought, fetch, self._on_page, self._pages_max, limit)
            with self._fetcher.line.watched(lambda: budget.left):
                board = sweeper.board()
            self._limit = sweeper.limit_known
            return board

    def stop(self) -> None:
        """End a running read at once, and refuse any later one; for signal handlers and other threads."""
        self._fetcher.line.stop()

    def close(self) -> None:
        """Stop, and close the connection."""
        self.stop()
        self._fetcher.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _elsewhere(base_url: str) -> str:
    """Return host and port of an address that is not MEE6's own, and nothing for that one."""
    url, own = httpx.URL(base_url), httpx.URL(BASE_URL)
    host = url.raw_host.decode("ascii").rstrip(".")
    port = url.port or PORTS[url.scheme]
    if (host, port) == (own.host, PORTS[own.scheme]):
        return ""
    return f"@[{host}]:{port}" if ":" in host else f"@{host}:{port}"
