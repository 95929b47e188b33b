"""Arguments that several commands take."""

from typing import Annotated

import typer

Member = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id at TRC.")]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON, for scripts.")]


def examples(title: str, *lines: str) -> str:
    """Return lines for the end of a help text, left as they are (Click would fill them)."""
    return "\n".join(["\b", title, *(f"  {line}" for line in lines)])
