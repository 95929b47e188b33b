"""Lines and tables on stdout, with colours and fitted columns where it is a terminal."""

import sys
from collections.abc import Iterable, Sequence, Set
from unicodedata import combining, east_asian_width

import typer

from ..wording import safe

GAP = "  "


def say(*lines: str) -> None:
    """Write lines to stdout."""
    for line in lines:
        typer.echo(line)


def say_table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, right: Set[str] = frozenset()) -> None:
    """Write a table to stdout, made safe; `right` are the headers of columns of numbers.

    Rich draws it on a terminal and fits it to the width; elsewhere the columns are aligned and
    nothing is cut, so that a line can be searched and taken apart.
    """
    cells = [[safe(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from .terminal import print_table  # noqa: PLC0415  only a terminal needs it

        print_table(headers, cells, right, gap=len(GAP))
    else:
        say(*_aligned([list(headers), *cells], [header in right for header in headers]))


def say_coloured(lines: Iterable[Sequence[tuple[str, str]]]) -> None:
    """Write lines that are made of pieces, each with a style of Rich's for whoever sees colours."""
    if not sys.stdout.isatty():
        say(*("".join(piece for piece, _ in line).rstrip() for line in lines))
        return
    from .terminal import print_lines  # noqa: PLC0415  Rich costs as much time to load as most commands take to run

    print_lines(lines)


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
    """Return how many columns of a terminal a text takes."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
