"""A request as it arrived."""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs

from attrs import frozen

LIMIT_DEFAULT = 100
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


@frozen
class Request:
    """What a client asked for, and what status it was told."""

    path: str
    """Without the query."""
    page: int | None
    """None if it is not a number."""
    limit: int | None
    """As asked for, before any clamp; None if it is not a number."""
    headers: Mapping[str, str]
    """Names in lower case."""
    at: datetime
    answered: int | None = None
    """None if the client was told no status."""

    @classmethod
    def parsed(cls, target: str, headers: Mapping[str, str], at: datetime) -> "Request":
        """Take a request line's target apart."""
        path, _, query = target.partition("?")
        values = parse_qs(query, keep_blank_values=True)
        return cls(path, _number(values.get("page"), 0), _number(values.get("limit"), LIMIT_DEFAULT), headers, at)


def _number(values: list[str] | None, default: int) -> int | None:
    if values is None:
        return default
    return int(values[-1]) if _NUMBER.fullmatch(values[-1]) else None
