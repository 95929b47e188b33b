"""What a caller may hand in to reach a board: each check returns the value or names what is wrong with it."""

import re

import httpx

from ...core.errors import InvalidValue
from ...core.validation import validate_discord_id

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
    """Return an http(s) address without a slash at its end; it must not carry a password or a query."""
    text = value if isinstance(value, str) else ""
    advice = "give an address such as 'https://board.example', with a host and without a query"
    try:
        url = httpx.URL(text)
        url.raw_host.decode("ascii").encode("idna")  # as the name service will
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
    """Return the token of a private board, or None; the value is in no error."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > TOKEN_LENGTH_MAX or not _VISIBLE_ASCII.fullmatch(value):
        raise InvalidValue(
            "token", _NOT_SHOWN, "give the raw token, printable ASCII without spaces (and without 'Bearer')"
        )
    return value


def validate_contact(value: object) -> str:
    """Return where the service can reach us: an address or URL for the User-Agent."""
    if not isinstance(value, str) or len(value) > CONTACT_LENGTH_MAX or not _VISIBLE_ASCII.fullmatch(value):
        raise InvalidValue("contact", value, "give a URL or mail address in printable ASCII without spaces")
    return value


def validate_seconds(field: str, value: object, least: float) -> float:
    """Return a duration in seconds, an hour at most."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= SECONDS_MAX:
        raise InvalidValue(field, value, f"give seconds from {least:g} to {SECONDS_MAX:g}")
    return float(value)


def validate_count(field: str, value: object) -> int:
    """Return a number of things, 1 at least."""
    if type(value) is not int or value < 1:
        raise InvalidValue(field, value, "give a whole number from 1 on")
    return value
