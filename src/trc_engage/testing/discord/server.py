"""The server: one guild and who is on it, over real HTTP, with as much trouble as is asked for."""

import re
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any, Self

from attrs import Factory, define, field, frozen

from ..loopback import LOOPBACK, Answer, Exchange, Listener, Throttle, Trouble, encoded
from .troubles import NO_ACCESS, TROUBLES, discord_error, rate_limited

GUILD_ID = "200000000000000001"
TOKEN = "a-bot's-token"  # noqa: S105  for loopback only
BASE = "/api/v10"
_AGENT = re.compile(r"DiscordBot \(https?://[^ ,]+, [^ )]+\)")
_ROUTE = re.compile(BASE + r"/guilds/([0-9]{1,20})/members(?:/([0-9]{1,20}))?", re.ASCII)


@frozen
class Asked:
    """A request for a member, and what status it was told."""

    discord_id: str | None
    """None if it was for something else."""
    at: datetime
    headers: Mapping[str, str]
    """Names in lower case."""
    answered: int | None


@define(eq=False, repr=False)
class DiscordServer:
    """A Discord with one guild, on loopback, until `stop` or the end of its `with` block; set anything at any time."""

    guild_id: str = GUILD_ID
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    token: str = TOKEN
    members: dict[str, datetime] = Factory(dict)
    """Since when who is on the guild."""
    deleted: set[str] = Factory(set)
    """Whose accounts were deleted."""
    is_invited: bool = True
    """Whether the bot is on the guild."""
    slow_seconds: float = 1.0
    drip_seconds: float = 0.2
    requests: list[Asked] = Factory(list)
    """Every request that arrived, oldest first."""
    _limit: Throttle | None = field(default=None, init=False)
    _troubles: list[list[Any]] = field(factory=list, init=False)
    _lock: RLock = field(factory=RLock, init=False)
    _listener: Listener = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._listener = Listener(0, self._answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Hang up on everybody, at once."""
        self._listener.stop()

    @property
    def url(self) -> str:
        """What stands for https://discord.com/api/v10."""
        return f"http://{LOOPBACK}:{self._listener.server_port}{BASE}"

    @property
    def asked_for(self) -> list[str]:
        """Whom was asked for, oldest first."""
        return [request.discord_id for request in self.requests if request.discord_id is not None]

    def limit(self, requests: int, per_seconds: float) -> None:
        """Let so many requests through in any such span of the clock, and tell it in headers."""
        refusal = rate_limited("user", per_seconds)
        self._limit = Throttle(requests, timedelta(seconds=per_seconds), refusal)

    def trouble(self, trouble: str | Trouble, times: int | None = None, after: int = 0) -> None:
        """Answer with this trouble: so many requests or for ever, `after` so many that go well."""
        with self._lock:
            self._troubles.append([TROUBLES[trouble] if isinstance(trouble, str) else trouble, times, after])

    def recover(self) -> None:
        """End all troubles, and the limit."""
        with self._lock:
            self._troubles.clear()
            self._limit = None

    def _answer(self, target: str, headers: Mapping[str, str], connection: socket.socket) -> bool:
        at, route = self.clock(), _ROUTE.fullmatch(target.partition("?")[0])
        with self._lock:
            good, trouble = self._good(route, headers, at), self._taken()
            status = good.status if trouble is None else trouble.status
            self.requests.append(Asked(route and route[2], at, headers, status))
        if trouble is None:
            connection.sendall(good.raw(at))
            return False
        trouble.write(Exchange(connection, at, lambda: good, self.slow_seconds, self.drip_seconds))
        return trouble.closes

    def _taken(self) -> Trouble | None:
        """Return what answers this request, one time used up."""
        for ahead in self._troubles:
            trouble, times, after = ahead
            if after:
                ahead[2] -= 1
            elif times != 0:
                ahead[1] = times and times - 1
                return trouble if isinstance(trouble, Trouble) else None
        return None

    def _good(self, route: re.Match[str] | None, headers: Mapping[str, str], at: datetime) -> Answer:
        """Answer as Discord does: first its edge, then who may ask, then what was asked for."""
        if not _AGENT.match(headers.get("user-agent", "")):
            return discord_error(403, 40333, "internal network error")
        if headers.get("authorization") != f"Bot {self.token}":
            return discord_error(401, 0, "401: Unauthorized")
        if route is None:
            return discord_error(404, 0, "404: Not Found")
        if self._limit is not None and (refusal := self._limit.refusal(at)):
            return refusal
        return self._member(route[1], route[2]).having(*self._limits(at))

    def _member(self, guild_id: str, discord_id: str | None) -> Answer:
        if guild_id != self.guild_id:
            return discord_error(404, 10004, "Unknown Guild")
        if discord_id is None or not self.is_invited:
            # The list of members needs a privileged intent, which this bot does not have.
            return NO_ACCESS
        if discord_id in self.deleted:
            return discord_error(404, 10013, "Unknown User")
        joined_at = self.members.get(discord_id)
        if joined_at is None:
            return discord_error(404, 10007, "Unknown Member")
        user = {"id": discord_id, "username": f"user{discord_id}", "discriminator": "0", "avatar": None}
        told: dict[str, object] = {
            "nick": None,
            "roles": [],
            "flags": 0,
            "pending": False,
            "deaf": False,
            "mute": False,
        }
        return Answer(200, encoded({"user": user, "joined_at": joined_at.isoformat(), **told}))

    def _limits(self, at: datetime) -> list[tuple[str, str]]:
        if self._limit is None:
            return []
        return [*self._limit.headers(at, "X-RateLimit"), ("X-RateLimit-Bucket", "abcd1234")]
