"""Arguments that several commands take, and how days and times are written."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from ..core.errors import InvalidValue

Member = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id at TRC.")]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON, for scripts.")]


def examples(title: str, *lines: str) -> str:
    """Return lines for the end of a help text, left as they are (Click would fill them)."""
    return "\n".join(["\b", title, *(f"  {line}" for line in lines)])


def instant(option: str, text: str) -> datetime:
    """Return the UTC instant that a text names; without a zone it names none."""
    advice = "give a time with its zone, such as 2026-03-05T14:00Z or 2026-03-05T15:00+01:00"
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidValue(option, text, advice) from error
    raise InvalidValue(option, text, f"it has no zone; {advice}")


def day(argument: str, text: str) -> date:
    """Return the UTC day that a text names."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidValue(argument, text, "give a day such as 2026-12-25") from error


def month(option: str, text: str) -> date:
    """Return the first day of the month that a text names."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise InvalidValue(option, text, "give a month such as 2026-03") from error
