"""What is sent: parameters with their limits, and JSON objects with the fields that are asked for and no others."""

import json
import re
from collections.abc import Set
from datetime import date
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from ...core.errors import InvalidValue
from .responses import Problem

BYTES_MAX = 64 * 1024
EXACT_BELOW = 2**53
"""From here on a number with a point may not be the one that was written."""


async def fields(request: Request, needed: Set[str], optional: Set[str] = frozenset()) -> dict[str, Any]:
    """Return the fields that were sent; what they hold the core checks."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem("wrong-media-type", "send it as `Content-Type: application/json`")
    sent = _parsed(await _content(request))
    if not isinstance(sent, dict):
        raise InvalidValue("body", type(sent).__name__, "send an object, such as {…}")
    for name in sorted(needed - sent.keys()):
        raise InvalidValue(name, None, "it is missing")
    for name in sorted(sent.keys() - needed - optional):
        raise InvalidValue(
            name, sent[name], f"there is no such field; there are {', '.join(sorted(needed | optional))}"
        )
    return sent


async def _content(request: Request) -> bytes:
    """Return the body, and stop reading where it is too large, whatever its head told of its length."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > BYTES_MAX:
                close = {"Connection": "close"} if request.scope.get("http_version", "").startswith("1") else None
                raise Problem("too-large", f"send {BYTES_MAX:,} bytes at most", headers=close)
    except ClientDisconnect as error:
        raise Problem("bad-request", "the body broke off") from error
    return bytes(content)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode(), parse_constant=_refused, parse_float=_number, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Problem("bad-request", "the body is no JSON, or no UTF-8") from error


def _refused(_: str) -> NoReturn:
    raise ValueError


def _number(text: str) -> int | float:
    """Return a number; `5.0` is as whole as `5`, as JSON Schema has it."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < EXACT_BELOW else value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; a name that is there twice means two things."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


HISTORY_DEFAULT, HISTORY_MAX = 50, 500

SCANNED_MAX = 10_000
"""How many entries are looked through for those of one source, for each request."""

DAY_FORM = r"2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
MONTH_FORM = r"2[0-9]{3}-(0[1-9]|1[0-2])"
POSITION_MAX = 2**63 - 1
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)


def text(request: Request, name: str) -> str | None:
    """Return what stands in the query once, or nothing if it is not there."""
    given = request.query_params.getlist(name)
    if len(given) > 1:
        raise InvalidValue(name, given[1], "it is there more than once; give it once")
    return given[0] if given else None


def number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """Return a whole number."""
    found = optional_number(request, name, least, most)
    return default if found is None else found


def optional_number(request: Request, name: str, least: int, most: int) -> int | None:
    """Return a whole number, if it is there."""
    given = text(request, name)
    if given is None:
        return None
    value = int(given) if _DIGITS.fullmatch(given) else -1
    if not least <= value <= most:
        raise InvalidValue(name, given, f"give a whole number from {least} to {most}")
    return value


def day(request: Request, name: str, default: date) -> date:
    """Return a day of the years 2000 to 2999."""
    given = text(request, name)
    if given is None:
        return default
    try:
        return date.fromisoformat(given if re.fullmatch(DAY_FORM, given) else "")
    except ValueError as error:
        raise InvalidValue(name, given, "give a day such as 2026-03-02") from error


def month(request: Request, name: str) -> date | None:
    """Return the first day of a month of the years 2000 to 2999, if one is there."""
    given = text(request, name)
    if given is None:
        return None
    if not re.fullmatch(MONTH_FORM, given):
        raise InvalidValue(name, given, "give a month such as 2026-03")
    return date.fromisoformat(f"{given}-01")


TOP_DEFAULT, TOP_MAX = 25, 100

FEED_DEFAULT, FEED_MAX = 100, 500
