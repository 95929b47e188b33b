"""What stands in a query: each reader returns the value or names what is wrong with it."""

import re
from datetime import date

from starlette.requests import Request

from ....core.errors import InvalidValue

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
