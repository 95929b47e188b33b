"""What is sent: a small JSON object with the fields that are asked for and no others."""

import json
from collections.abc import Set
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from ....core.errors import InvalidValue
from ..problems import Problem

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
