"""Arguments that several commands take, and how days and times are written."""

import re
from datetime import date
from typing import Annotated

import typer

from ..core.errors import InvalidValue

Member = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id at TRC.")]
DAY_FORM = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON, for scripts.")]


def examples(title: str, *lines: str) -> str:
    """Return lines for the end of a help text, left as they are (Click would fill them)."""
    return "\n".join(["\b", title, *(f"  {line}" for line in lines)])


def day(argument: str, text: str) -> date:
    """Return the UTC day that a text names."""
    try:
        # Python takes weeks for days, too, and days without hyphens.
        return date.fromisoformat(text if re.fullmatch(DAY_FORM, text, re.ASCII) else "")
    except ValueError as error:
        raise InvalidValue(argument, text, "give a day such as 2026-12-25") from error


def month(option: str, text: str) -> date:
    """Return the first day of the month that a text names."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise InvalidValue(option, text, "give a month such as 2026-03") from error
