"""How instants are written, for the command line and the web alike."""

import re
from datetime import UTC, datetime

from ..core.errors import InvalidValue

INSTANT_FORM = (
    r"2[0-9]{3}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,30})?)?"
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)"
)
"""RFC 3339 of the years 2000 to 2999, and what Java, Ruby and SQL make of it: without seconds, a comma, +0100."""


def parsed_instant(field: str, text: object) -> datetime:
    """Return the UTC instant that a text names, to the microsecond: further digits are cut off.

    Raises `InvalidValue` for what names none, such as a time without its zone, a week or a leap second.
    """
    if isinstance(text, str) and re.fullmatch(INSTANT_FORM, text, re.ASCII):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except ValueError as error:
            raise InvalidValue(field, text, "there is no such instant") from error
    advice = "give a time with its zone, such as 2026-03-05T14:00Z or 2026-03-05T15:00+01:00"
    is_naive = isinstance(text, str) and re.fullmatch(INSTANT_FORM, f"{text}Z", re.ASCII)
    raise InvalidValue(field, text, f"it has no zone; {advice}" if is_naive else advice)
