"""What comes in: the parameters and the JSON bodies of the API, as the attrs classes that declare them."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from types import NoneType
from typing import Any, NewType, NoReturn, TypeVar, get_args

from starlette.requests import ClientDisconnect, Request

from ...core.errors import InvalidValue
from ..wire.shape import Shown, defaults_of, hints_of
from .responses import ProblemError

BYTES_MAX = 64 * 1024
EXACT_BELOW = 2**53
"""From here on a number with a point may not be the one that was written."""

T = TypeVar("T")


def structured(cls: type[T], sent: Mapping[str, Any]) -> T:
    """Return a body of exactly the fields that its class declares; the core checks what they hold."""
    known = hints_of(cls).keys()
    for name in sorted(known - defaults_of(cls).keys()):
        if name not in sent:
            raise InvalidValue(name, None, "it is missing")
    for name in sorted(sent.keys() - known):
        raise InvalidValue(name, sent[name], f"there is no such field; there are {', '.join(sorted(known))}")
    return cls(**sent)


async def sent(request: Request) -> Mapping[str, Any]:
    """Return the JSON object that was sent."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemError("wrong-media-type", "send it as `Content-Type: application/json`")
    value = _parsed(await _content(request))
    if not isinstance(value, dict):
        raise InvalidValue("body", type(value).__name__, "send an object, such as {…}")
    return value


async def _content(request: Request) -> bytes:
    """Return the body; stop reading where it is too large, whatever length its head gives."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > BYTES_MAX:
                close = {"Connection": "close"} if request.scope.get("http_version", "").startswith("1") else None
                raise ProblemError("too-large", f"send {BYTES_MAX:,} bytes at most", headers=close)
    except ClientDisconnect as error:
        raise ProblemError("bad-request", "the body broke off") from error
    return bytes(content)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode(), parse_constant=_refused, parse_float=_exact, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ProblemError("bad-request", "the body is no JSON, or no UTF-8") from error


def _refused(_: str) -> NoReturn:
    raise ValueError


def _exact(text: str) -> int | float:
    """Return a number; `5.0` is as whole as `5`, as JSON Schema has it."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < EXACT_BELOW else value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; refuse a name that is there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


DAY_FORM = r"2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
MONTH_FORM = r"2[0-9]{3}-(0[1-9]|1[0-2])"
POSITION_MAX = 2**63 - 1
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)

Month = NewType("Month", date)
"""The first day of a month."""


def query(cls: type[T], request: Request) -> T:
    """Return the parameters that a class declares; what is left out has its default, and others are ignored."""
    values = {}
    for name, (hint, known) in hints_of(cls).items():
        given = request.query_params.getlist(name)
        if len(given) > 1:
            raise InvalidValue(name, given[1], "it is there more than once; give it once")
        if given:
            kind = next(part for part in (*get_args(hint), hint) if part is not NoneType)
            values[name] = READERS[kind](name, given[0], known)
    return cls(**values)


def _number(name: str, given: str, known: Shown) -> int:
    least, most = known.schema["minimum"], known.schema["maximum"]
    value = int(given) if _DIGITS.fullmatch(given) else -1
    if not least <= value <= most:
        raise InvalidValue(name, given, f"give a whole number from {least} to {most}")
    return value


def _day(name: str, given: str, _: Shown) -> date:
    try:
        return date.fromisoformat(given if re.fullmatch(DAY_FORM, given) else "")
    except ValueError as error:
        raise InvalidValue(name, given, "give a day such as 2026-03-02") from error


def _month(name: str, given: str, _: Shown) -> Month:
    if not re.fullmatch(MONTH_FORM, given):
        raise InvalidValue(name, given, "give a month such as 2026-03")
    return Month(date.fromisoformat(f"{given}-01"))


READERS: Mapping[Any, Callable[[str, str, Shown], Any]] = {
    int: _number,
    str: lambda _, given, __: given,
    date: _day,
    Month: _month,
}
"""What reads a parameter of a type; days and months are of the years 2000 to 2999."""
