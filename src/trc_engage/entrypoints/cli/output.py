"""What commands print: lines, tables and JSON on stdout, notes and errors on stderr."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from textwrap import wrap
from typing import Any, TextIO
from unicodedata import combining, east_asian_width

import typer

from ..wire.shape import Shape
from ..wording import safe

GAP = "  "


def print_lines(*lines: str) -> None:
    """Write lines to stdout."""
    for line in lines:
        typer.echo(line)


def print_json(shape: Shape) -> None:
    """Write one line of JSON, in ASCII so that any stdout can take it."""
    typer.echo(json.dumps(shape))


def print_result(shape: Shape, text: Callable[[], None], *, as_json: bool) -> None:
    """Write what a command did: as one line of JSON, or as its text."""
    if as_json:
        print_json(shape)
    else:
        text()


def print_some(lines: Sequence[str], most: int) -> None:
    """Write the first of many lines, indented, and how many are left out."""
    print_lines(*(f"  {safe(line)}" for line in lines[:most]))
    if len(lines) > most:
        print_lines(f"  … and {len(lines) - most:,} more (all of them with --json)")


def print_note(message: str) -> None:
    """Write to stderr what else a command did, so that stdout holds only the result."""
    typer.echo(safe(message), err=True)


def print_error(message: str) -> None:
    """Write to stderr what went wrong, on one line."""
    typer.echo(f"trc-engage: {safe(message)}", err=True)


def ask(warning: str, question: str) -> None:
    """Ask on stderr before a change; unless the answer is yes, say that nothing was changed and exit."""
    print_note(warning)
    try:
        is_meant = typer.confirm(question, err=True)
    except typer.Abort:
        print_note("\nnothing was changed")
        raise KeyboardInterrupt from None
    if not is_meant:
        print_note("nothing was changed")
        raise typer.Exit


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> None:
    """Write a table to stdout, made safe; a header that begins with > marks a column of numbers.

    On a terminal Rich fits it to the width. Elsewhere the columns are aligned and nothing is cut, so that other
    programs can search and split the lines.
    """
    cells = [[f"{cell:,}" if isinstance(cell, int) else safe(cell or "") for cell in row] for row in rows]
    names, right = [header.lstrip(">") for header in headers], [header.startswith(">") for header in headers]
    if not sys.stdout.isatty():
        print_lines(*_aligned([names, *cells], right))
        return
    from rich import console, table, text  # noqa: PLC0415  Rich takes as long to load as most commands take to run

    fitted = table.Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0))
    for name, is_right in zip(names, right, strict=True):
        fitted.add_column(name, justify="right" if is_right else "left", no_wrap=is_right, overflow="fold")
    for row in cells:
        fitted.add_row(*(text.Text(cell) for cell in row))
    console.Console(highlight=False).print(fitted)


def print_styled(lines: Iterable[Sequence[tuple[str, str]]]) -> None:
    """Write lines of pieces, each with a Rich style that only a terminal shows."""
    if not sys.stdout.isatty():
        print_lines(*("".join(piece for piece, _ in line).rstrip() for line in lines))
        return
    from rich import console, text  # noqa: PLC0415

    terminal = console.Console(highlight=False)
    for line in lines:
        terminal.print(text.Text.assemble(*line))


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> Sequence[str]:
    """Return a text, made safe, in lines of a width; `first` begins the first line and `rest` the others."""
    return wrap(
        safe(text), width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def endless_bar(stream: TextIO) -> Any:
    """Return a progress bar for work of unknown length, as a context manager."""
    from rich import console, progress  # noqa: PLC0415

    columns = (progress.BarColumn(), progress.TextColumn("{task.description}"), progress.TimeElapsedColumn())
    bar = progress.Progress(*columns, console=console.Console(file=stream), transient=True)
    bar.add_task("", total=None)
    return bar


def _aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [
        GAP.join(
            " " * (width - _width(cell)) + cell if is_right else cell + " " * (width - _width(cell))
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    """Return how many terminal columns a text takes."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
