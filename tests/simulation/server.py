"""MEE6 in this process: it answers with pages of the world's board or with a trouble, and records all it sent."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from random import Random
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from attrs import define

from trc_engage.testing.answers import Answer, encoded
from trc_engage.testing.boards import BoardExchange
from trc_engage.testing.leaderboard import Snapshot
from trc_engage.testing.mee6 import DIALECT, TROUBLES, mee6_error

from .boards import Address, of_others
from .clock import Clock
from .coverage import SERVED, trouble_met
from .troubles import KINDS, ON_ROWS, UNREACHABLE, UNUSABLE_MAX
from .weather import EVENING, Weather
from .wire import Script
from .world import Page, Rows, World

LATENCY_SECONDS = 0.25
CLIMBS = 0.3
"""How often, on an evening, someone rises onto a page that is served from a cache."""


@define(eq=False)
class Asked:
    """One request, and its answer."""

    address: Address
    number: int
    limit: int
    trouble: str | None
    began: float
    """On the monotonic clock."""
    told_at: datetime | None
    """The Date that was sent."""
    rows: Rows | None
    """What a client must read from the answer; None if it must refuse it."""
    kind: str | None
    """The kind that such a trouble must be reported as."""
    length: int = 0
    """How many rows the page has, including unusable ones."""
    spoilt: frozenset[str] = frozenset()
    """Ids whose rows cannot be used, as far as one can tell."""
    ended: float = 0.0


class Server:
    """Answers requests."""

    def __init__(
        self, clock: Clock, world: World, weather: Weather, random: Random, meets: Callable[[str], None]
    ) -> None:
        self._clock = clock
        self._world = world
        self._weather = weather
        self._random = random
        self._meets = meets
        """Called with each fault as it strikes."""
        self._bodies: dict[tuple[str, int, int], tuple[Rows, bytes]] = {}
        self._others: dict[Address, Page] = {}
        self.home = Address()
        """The address of the community's own board."""

    @property
    def slowness(self) -> float:
        """By what factor a reader's pause lasts longer than asked for."""
        return self._weather.slowness

    def is_reachable(self) -> bool:
        """Return whether a connection can be made."""
        is_reachable = self._weather.outage != UNREACHABLE
        if not is_reachable:
            self._meets(trouble_met(UNREACHABLE))
        return is_reachable

    def answer(self, request: bytes, log: list[Asked]) -> Script | None:
        """Return the answer and record it; None if the connection broke."""
        head, *lines = request.decode("ascii").split("\r\n")
        method, target, _ = head.split(" ")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        assert method == "GET", head
        assert "trc-engage" in headers["user-agent"], headers
        assert headers["accept"] == "application/json", headers
        path, _, guild_id = urlsplit(target).path.rpartition("/")
        assert path == "/api/plugins/levels/leaderboard", target
        address = Address(headers["host"], guild_id)
        query = parse_qs(urlsplit(target).query)
        number, limit = int(query["page"][0]), int(query["limit"][0])
        began = self._clock.monotonic()
        self._clock.sleep(LATENCY_SECONDS * (0.5 + self._random.random()))
        self._world.until(self._clock.at)
        if number and self._weather.moves(self._random):
            self._world.stir()
            self._meets(SERVED["moving"])
        if (
            number == 0
            and self._weather.has("cached")
            and self._random.random() < (CLIMBS if self._clock.at.hour >= EVENING else CLIMBS / 4)
        ):
            self._world.climb(self._clamped(limit))
        trouble = self._weather.trouble(self._random)
        if trouble == "duplicate_keys" and any(asked.rows is not None for asked in log):
            # The client looks for it on the first page only: a server with duplicates has them on every page.
            trouble = None
        asked = Asked(address, number, limit, trouble, began, self._clock.at.replace(microsecond=0), None, None)
        log.append(asked)
        if trouble is not None:
            self._meets(trouble_met(trouble))
        return self._trouble(asked, trouble) if trouble else self._page(asked)

    def _served(self, address: Address, number: int) -> Page:
        if address != self.home:
            if address not in self._others:
                self._others[address] = of_others(self._world.board().rows, self._random)
            return self._others[address]
        served = self._weather.served(self._world.board(), number, self._random)
        if self._weather.served_by:
            self._meets(SERVED[self._weather.served_by])
        return served

    def _clamped(self, limit: int) -> int:
        return min(limit, self._weather.limit_max)

    def _page(self, asked: Asked) -> Script:
        limit = self._clamped(asked.limit)
        rows = self._served(asked.address, asked.number).page(asked.number, limit)
        if limit < asked.limit or self._weather.has("long"):
            self._meets(SERVED["long" if self._weather.has("long") else "clamp"])
        guild_id = asked.address.guild_id
        known, body = self._bodies.get((guild_id, asked.number, limit), (None, b""))
        if known != rows:
            body = json.dumps(payload(guild_id, asked.number, rows), separators=(",", ":")).encode()
            self._bodies[guild_id, asked.number, limit] = rows, body
        asked.rows, asked.length = rows, len(rows)
        head = (
            f"HTTP/1.1 200 OK\r\nDate: {format_datetime(self._clock.at, usegmt=True)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return Script([(0.0, head.encode() + body)])

    def _trouble(self, asked: Asked, name: str) -> Script | None:
        """Let a trouble of the shipped server write its answer."""
        asked.kind = KINDS[name]
        if name == UNREACHABLE:
            return None
        limit = self._clamped(asked.limit)
        board, script = self._served(asked.address, asked.number), Script()
        exchange = BoardExchange(
            cast("Any", script),
            self._clock.at,
            lambda: Answer(200, encoded(exchange.payload())),
            slow_seconds=12.0,
            drip_seconds=6.0,
            page=asked.number,
            limit=limit,
            board=cast("Snapshot", board),
            stale_board=cast("Snapshot", self._weather.older(board, self._random)),
            dialect=DIALECT,
            to_payload=partial(payload, asked.address.guild_id),
            to_error=mee6_error,
        )
        try:
            TROUBLES[name].write(exchange)
        except BrokenPipeError:
            script.ending = "closed"
        if TROUBLES[name].closes:
            script.close()
        if asked.kind is None:
            _note(asked, script)
        elif name.startswith("xp_") or name in ON_ROWS:
            self._forgive(asked, board.page(asked.number, limit))
        if name == "no_date":
            asked.told_at = None
        if name == "clock_off":
            asked.told_at = self._clock.at.replace(year=self._clock.at.year - 1, day=1)
        return script

    def _forgive(self, asked: Asked, rows: Rows) -> None:
        """Record what may be read all the same: a page without rows, or up to three unusable rows nobody needs."""
        if len(rows) <= UNUSABLE_MAX and asked.trouble not in {"xp_endless", "nan_xp", "duplicate_keys"}:
            asked.kind, asked.rows, asked.length = None, (), len(rows)
            asked.spoilt = frozenset() if asked.trouble == "lone_surrogate_id" else frozenset(one for one, _ in rows)
        elif not rows:
            asked.kind, asked.rows = None, ()


def payload(guild_id: str, number: int, rows: Sequence[Any]) -> dict[str, Any]:
    """Return a page in MEE6's shape, with little more than what is needed."""
    pairs = (row if isinstance(row, tuple) else (row.discord_id, row.xp) for row in rows)
    players = [{"id": one, "username": "a name", "level": 1, "xp": xp} for one, xp in pairs]
    return {"guild": {"id": guild_id, "name": "Example Server"}, "page": number, "players": players}


def _note(asked: Asked, script: Script) -> None:
    """Record what can be used from an answer that holds a page."""
    _, body = b"".join(data for _, data in script.parts).split(b"\r\n\r\n", 1)
    players = json.loads(body)["players"]
    asked.length = len(players)
    asked.rows = [(one["id"], one["xp"]) for one in players if one["id"] is not None and one["xp"] is not None]
    asked.spoilt = frozenset(one["id"] for one in players if one["xp"] is None and one["id"] is not None)
