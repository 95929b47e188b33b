"""A local Discord server for rosters: one guild, its members, and every failure of the real API."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from attrs import Factory, define

from .answers import BROKEN_WIRES, EDGE, RATE_LIMITED, Answer, Trouble, by_name, edge_page, encoded
from .loopback import LoopbackServer, Request, Throttle

__all__ = ["TOKEN", "TROUBLES", "DiscordServer"]

TOKEN = "a-bot's-token"  # noqa: S105  for loopback only
BASE = "/api/v10"
_AGENT = re.compile(r"DiscordBot \(https?://[^ ,]+, [^ )]+\)")
_ROUTE = re.compile(BASE + r"/guilds/([0-9]{1,20})/members(?:/([0-9]{1,20}))?", re.ASCII)
_MEMBER: dict[str, Any] = {"user": {"id": "1"}, "joined_at": "2024-05-01T10:00:00+00:00", "roles": []}


def _error(status: int, code: object, message: str) -> Answer:
    """Return one of Discord's own errors."""
    return Answer(status, encoded({"message": message, "code": code}))


def _rate_limited(scope: str, seconds: float) -> Answer:
    """Return Discord's own refusal of too many requests."""
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": scope == "global"}
    headers = ("Retry-After", str(int(seconds))), ("X-RateLimit-Scope", scope)
    return Answer(429, encoded(body)).having(*headers)


NO_ACCESS = _error(403, 50001, "Missing Access")
_UNAUTHORIZED = _error(401, 0, "401: Unauthorized")
_AGENT_BLOCKED = _error(403, 40333, "internal network error")
_UNKNOWN_GUILD = _error(404, 10004, "Unknown Guild")
_UNKNOWN_MEMBER = _error(404, 10007, "Unknown Member")
_OWN: Mapping[str, tuple[str, Answer]] = {
    "token": ("The token is wrong.", _UNAUTHORIZED),
    "unauthorized": ("The token may do nothing.", _error(401, 40001, "Unauthorized")),
    "token_reset": ("The token was reset.", _error(401, 50014, "Invalid authentication token provided")),
    "unknown_guild": ("No such server, or the bot is not on it.", _UNKNOWN_GUILD),
    "no_access": ("The bot is not on the server.", NO_ACCESS),
    "agent_blocked": ("The edge does not like the User-Agent.", _AGENT_BLOCKED),
    "gone": ("Everybody is gone, by mistake.", _UNKNOWN_MEMBER),
    "no_code": ("A 404 without a code.", Answer(404, encoded({"message": "404: Not Found"}))),
    "other_code": ("A 404 about something else.", _error(404, 10003, "Unknown Channel")),
    "code_as_text": ("A 404 whose code is a text.", _error(404, "10007", "Unknown Member")),
    "not_found_html": ("A 404 of the edge.", edge_page(404, "Not Found", "There is nothing here.")),
    "rate_limited": ("Too many requests of this bot.", _rate_limited("user", 30)),
    "rate_limited_global": ("Too many requests of this bot, on all routes.", _rate_limited("global", 90)),
    "rate_limited_shared": ("Too many requests for this server, by anybody.", _rate_limited("shared", 5)),
    "rate_limited_edge": ("The edge: too many requests, in plain text.", RATE_LIMITED),
    "rate_limited_absurd": ("Wait for longer than clocks can count.", _rate_limited("user", 999_999_999_999)),
    "internal_error": ("An error of Discord's own.", _error(500, 0, "500: Internal Server Error")),
    "list": ("A list of members.", Answer(200, encoded({"members": [_MEMBER]}))),
    "other_member": ("Somebody else's member.", Answer(200, encoded(_MEMBER))),
    "no_user": ("A member without a user.", Answer(200, encoded({**_MEMBER, "user": None}))),
    "not_joined": ("A member who never joined.", Answer(200, encoded({"user": None, "roles": []}))),
}
TROUBLES = by_name(*(Trouble.answering(name, *told) for name, told in _OWN.items()), *EDGE, *BROKEN_WIRES)


@define(eq=False, repr=False)
class DiscordServer(LoopbackServer):
    """A Discord with one guild, on loopback; its `url` stands for https://discord.com/api/v10."""

    base_path: ClassVar[str] = BASE
    troubles: ClassVar[Mapping[str, Trouble]] = TROUBLES
    token: str = TOKEN
    members: dict[str, datetime] = Factory(dict)
    """When each member of the guild joined, by Discord id."""
    deleted: set[str] = Factory(set)
    """The Discord ids of deleted accounts."""
    is_invited: bool = True
    """Whether the bot is on the guild."""

    @property
    def asked_for(self) -> list[str]:
        """The Discord ids asked for, oldest first."""
        routes = (_ROUTE.fullmatch(request.path) for request in self.requests)
        return [route[2] for route in routes if route is not None and route[2] is not None]

    def limit(self, requests: int, per_seconds: float) -> None:
        """Allow `requests` in any `per_seconds` of the clock, and report that in headers."""
        self._throttle = Throttle(requests, timedelta(seconds=per_seconds), _rate_limited("user", per_seconds))

    def good(self, request: Request) -> Answer:
        """Answer as Discord does: first its edge, then who may ask, then what was asked for."""
        route = _ROUTE.fullmatch(request.path)
        if not _AGENT.match(request.headers.get("user-agent", "")):
            return _AGENT_BLOCKED
        if request.headers.get("authorization") != f"Bot {self.token}":
            return _UNAUTHORIZED
        if route is None:
            return _error(404, 0, "404: Not Found")
        if self._throttle is None:
            return self._member(route[1], route[2])
        if refusal := self._throttle.refusal(request.at):
            return refusal
        limits = self._throttle.headers(request.at, "X-RateLimit")
        return self._member(route[1], route[2]).having(*limits, ("X-RateLimit-Bucket", "abcd1234"))

    def _member(self, guild_id: str, discord_id: str | None) -> Answer:
        if guild_id != self.guild_id:
            return _UNKNOWN_GUILD
        if discord_id is None or not self.is_invited:
            # The list of members needs a privileged intent, which this bot does not have.
            return NO_ACCESS
        if discord_id in self.deleted:
            return _error(404, 10013, "Unknown User")
        joined_at = self.members.get(discord_id)
        if joined_at is None:
            return _UNKNOWN_MEMBER
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
