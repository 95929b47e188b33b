"""Every trouble of Discord by name; those of the wire are anybody's."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..loopback import BLOCKED, BROKEN_WIRES, HTML, RATE_LIMITED, Answer, Trouble, edge_page, encoded


def discord_error(status: int, code: object, message: str) -> Answer:
    """Return an error that Discord itself tells."""
    return Answer(status, encoded({"message": message, "code": code}))


def rate_limited(scope: str, seconds: float) -> Answer:
    """Return Discord's own refusal of one request too many."""
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": scope == "global"}
    headers = ("Retry-After", str(int(seconds))), ("X-RateLimit-Scope", scope)
    return Answer(429, encoded(body)).having(*headers)


NO_ACCESS = discord_error(403, 50001, "Missing Access")
_MEMBER: dict[str, Any] = {"user": {"id": "1"}, "joined_at": "2024-05-01T10:00:00+00:00", "roles": []}

_ANSWERS: Mapping[str, tuple[str, Answer]] = {
    "token": ("The token is wrong.", discord_error(401, 0, "401: Unauthorized")),
    "unauthorized": ("The token may do nothing.", discord_error(401, 40001, "Unauthorized")),
    "token_reset": ("The token was reset.", discord_error(401, 50014, "Invalid authentication token provided")),
    "unknown_guild": ("No such server, or the bot is not on it.", discord_error(404, 10004, "Unknown Guild")),
    "no_access": ("The bot is not on the server.", NO_ACCESS),
    "agent_blocked": ("The edge does not like the User-Agent.", discord_error(403, 40333, "internal network error")),
    "blocked": ("The edge: this address is blocked.", BLOCKED),
    "challenge": ("The edge: prove that you are human.", edge_page(503, "Just a moment...", "captcha")),
    "gone": ("Everybody is gone, by mistake.", discord_error(404, 10007, "Unknown Member")),
    "no_code": ("A 404 without a code.", Answer(404, encoded({"message": "404: Not Found"}))),
    "other_code": ("A 404 about something else.", discord_error(404, 10003, "Unknown Channel")),
    "code_as_text": ("A 404 whose code is a text.", discord_error(404, "10007", "Unknown Member")),
    "not_found_html": ("A 404 of the edge.", edge_page(404, "Not Found", "There is nothing here.")),
    "rate_limited": ("Too many requests of this bot.", rate_limited("user", 30)),
    "rate_limited_global": ("Too many requests of this bot, on all routes.", rate_limited("global", 90)),
    "rate_limited_shared": ("Too many requests for this server, by anybody.", rate_limited("shared", 5)),
    "rate_limited_edge": ("The edge: too many requests, in plain text.", RATE_LIMITED),
    "rate_limited_html": ("The edge: too many requests, as a page.", edge_page(429, "Access denied", "Slow down")),
    "rate_limited_absurd": ("Wait for longer than clocks can count.", rate_limited("user", 999_999_999_999)),
    "internal_error": ("An error of Discord's own.", discord_error(500, 0, "500: Internal Server Error")),
    "bad_gateway": ("The edge: Discord answered nonsense.", edge_page(502, "Bad gateway", "Try again.")),
    "unavailable": ("The edge: Discord is down.", edge_page(503, "Unavailable", "Try again.")),
    "redirect": ("Another address.", Answer(302, b"", HTML, (("Location", "/elsewhere"),))),
    "html": ("A page for people, as if it were an answer.", Answer(200, b"<!DOCTYPE html><html></html>", HTML)),
    "empty": ("An answer of no bytes.", Answer(200, b"")),
    "list": ("A list of members.", Answer(200, encoded({"members": [_MEMBER]}))),
    "other_member": ("Somebody else's member.", Answer(200, encoded(_MEMBER))),
    "no_user": ("A member without a user.", Answer(200, encoded({**_MEMBER, "user": None}))),
    "not_joined": ("A member who never joined.", Answer(200, encoded({"user": None, "roles": []}))),
}

TROUBLES: Mapping[str, Trouble] = MappingProxyType(
    {
        **{name: Trouble.answering(name, imitates, answer) for name, (imitates, answer) in _ANSWERS.items()},
        **{trouble.name: trouble for trouble in BROKEN_WIRES},
    }
)
