"""Discord as a `Roster`: one member per request, without the privileged intent, within Discord's rate limits."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random, SystemRandom
from typing import Any, ClassVar, Self

import httpx
from attrs import define, field, frozen

from ..core.errors import InvalidValue, RosterError, RosterTrouble, SourceError
from ..core.roster import Presence
from ..core.validation import validate_discord_id
from .boards import (
    validate_base_url,
    validate_contact,
    validate_count,
    validate_guild_id,
    validate_seconds,
    validate_token,
)
from .boards.client import Client, Connected, Line, Pace, new_client, version
from .boards.responses import OK, Answer, malformed, structured

__all__ = ["DiscordRoster"]

BASE_URL = "https://discord.com/api/v10"
NAME = "Discord"
GAP_SECONDS = 1.0
DEADLINE_SECONDS = 8.0
ANSWER_BYTES_MAX = 256 * 1024
PAUSE_SECONDS_MAX = 2.0
"""The longest rate-limit reset to pause for; a longer one is returned as the answer's `wait`."""

UNKNOWN_GUILD = 10_004
GONE = frozenset({10_007, 10_013})
"""Unknown member; unknown user, whose account was deleted."""
AGENT_BLOCKED = 40_333

_MESSAGES: Mapping[RosterTrouble, str] = {
    "token": "Discord rejects the bot's token: it is wrong or was reset. Copy it again",
    "unknown_guild": "Discord knows no such server, or the bot is not on it: check the server's id, and invite the bot",
    "no_access": "Discord gives the bot no access: invite it to the server (scope bot, no permissions)",
    "rate_limited": "Discord asks for fewer requests: wait. If it lasts, see what else uses this bot or address",
    "blocked": "Discord's edge turns this client away: wait. If it lasts, see whether this address is blocked",
}
_ARGUMENTS: Mapping[RosterTrouble, str] = {"token": "token", "unknown_guild": "guild_id", "no_access": "guild_id"}


@define(eq=False)
class DiscordRoster(Connected):
    """A bot's view of a server, a `Roster`; close it, or use it as a context manager. Threads may share it."""

    name: ClassVar[str] = NAME
    guild_id: str
    _url: str = field(repr=False)
    _client: Client = field(repr=False)

    @classmethod
    def open(
        cls,
        guild_id: str,
        *,
        token: str,
        base_url: str = BASE_URL,
        contact: str | None = None,
        gap: float = GAP_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        pause: Callable[[float], object] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        random: Random | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> Self:
        """Prepare to ask; nothing is sent yet.

        `token` is the bot's, without 'Bot'; it is never shown. `contact` is a URL of yours for the User-Agent, which
        Discord requires (by default the server's). `gap` is the time between requests in seconds, `deadline_seconds`
        the limit for each. `pause` sleeps (by default until `stop`). Raises `InvalidValue`.
        """
        guild = validate_guild_id(guild_id)
        url = f"{validate_base_url(base_url)}/guilds/{guild}/members"
        line = Line()
        if validate_token(token) is None:
            raise InvalidValue("token", None, "give the bot's token; Discord answers nothing without one")
        reach = validate_contact(f"https://discord.com/channels/{guild}" if contact is None else contact)
        agent = f"DiscordBot ({reach}, {version()})"
        client = Client(
            NAME,
            new_client({"User-Agent": agent, "Authorization": f"Bot {token}"}, transport),
            line,
            Pace(validate_seconds("gap", gap, least=0.0), pause or line.pause, monotonic, random or SystemRandom()),
            validate_seconds("deadline_seconds", deadline_seconds, least=0.001),
            validate_count("answer_bytes_max", answer_bytes_max),
        )
        return cls(guild, url, client)

    def ask(self, discord_id: str, /) -> Presence:
        """Ask about one member; raises `RosterError`, and `ReadStopped` once `stop` or `close` was called."""
        validate_discord_id(discord_id)
        self._client.check_stopped()
        with self._client.reading() as budget:
            try:
                answer = self._client.ask(f"{self._url}/{discord_id}", {}, budget)
                self._client.check_in_time(budget)
            except SourceError as error:
                return Presence("unknown", why=error.message)
            return self._presence(answer, discord_id)

    def _presence(self, answer: Answer, discord_id: str) -> Presence:
        document = answer.document or {}
        code = document.get("code")
        if trouble := _trouble(answer, code, is_foreign=not document):
            wait = _wait(answer, document)
            raise RosterError(trouble, _MESSAGES[trouble], wait, argument=_ARGUMENTS.get(trouble))
        wait = self._rested(answer)
        # `type`, because a bool is an int too.
        if answer.status == 404 and type(code) is int and code in GONE:
            return Presence("gone", wait=wait)
        why = f"Discord answered with status {answer.status}"
        if answer.status == OK:
            try:
                return Presence("present", _member(document, discord_id).joined_at, wait=wait)
            except SourceError as error:
                why = error.message
        return Presence("unknown", why=why, wait=wait or answer.retry_after)

    def _rested(self, answer: Answer) -> timedelta | None:
        """Delay the next request until a used-up rate limit resets; return the wait if it is too long for that."""
        if answer.headers.get("x-ratelimit-remaining", "").strip() != "0":
            return None
        seconds = _seconds(answer.headers.get("x-ratelimit-reset-after", ""))
        if seconds is None or seconds > PAUSE_SECONDS_MAX:
            return timedelta(seconds=PAUSE_SECONDS_MAX if seconds is None else min(seconds, 1e9))
        self._client.pace.back_off(seconds)
        return None


def _trouble(answer: Answer, code: object, *, is_foreign: bool) -> RosterTrouble | None:
    """Return the trouble that would affect other members too; None if the answer is about this member only."""
    match answer.status:
        case 401:
            return "token"
        case 403:
            return "no_access" if type(code) is int and code != AGENT_BLOCKED else "blocked"
        case 404 if code == UNKNOWN_GUILD:
            return "unknown_guild"
        case 429:
            return "rate_limited"
    return "blocked" if is_foreign and answer.is_challenge else None


def _wait(answer: Answer, document: Mapping[str, Any]) -> timedelta | None:
    """Return the longer of the waits in headers and body."""
    told, seconds = answer.retry_after, document.get("retry_after")
    asked = [] if told is None else [told]
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < 1e9:
        asked.append(timedelta(seconds=seconds))
    return max(asked, default=None)


def _instant(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
        return None if at.tzinfo is None else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


@frozen
class _User:
    id: str


@frozen
class _Member:
    """Discord's data of a member; an unreadable instant is None."""

    joined_at: datetime | None = field(converter=_instant)
    roles: list[Any]
    user: _User | None = None


def _member(document: Mapping[str, Any], discord_id: str) -> _Member:
    """Return the requested member; raises `SourceError` if the document is not that."""
    member = structured(_Member, document, "it is not a member")
    if member.user is not None and member.user.id != discord_id:
        raise malformed("it is another member's")
    return member


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if seconds >= 0 else None
