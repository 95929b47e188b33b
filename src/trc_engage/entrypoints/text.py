"""Text for people: foreign text made harmless, numbers with their nouns, and tables."""

import sys
from collections.abc import Iterable, Sequence, Set
from datetime import date, datetime
from unicodedata import combining, east_asian_width

import typer

GAP = "  "


def safe(text: str) -> str:
    """Return foreign text on one line, without anything that a terminal would obey or an eye be misled by.

    >>> safe("Ada" + chr(27) + "[31m" + chr(10))
    'Ada[31m '
    """
    return "".join(char if char.isprintable() else " " if char.isspace() else "" for char in text)


def points(amount: int) -> str:
    """Return points gained or lost with their noun."""
    return f"{signed(amount)} {_noun(amount, 'point')}"


def signed(amount: int) -> str:
    """Return a number with its sign; nothing has none."""
    return f"{amount:+,}" if amount else "0"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {_noun(number, noun)}"


def moment(at: datetime) -> str:
    """Return a UTC instant to the minute."""
    return f"{at:%Y-%m-%d %H:%M}"


def dated(day: date) -> str:
    """Return a day with its weekday, on which so much depends."""
    return f"{day:%a %Y-%m-%d}"


def _noun(number: int, noun: str) -> str:
    return noun if abs(number) == 1 else f"{noun}s"


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
        _draw(headers, cells, right)
    else:
        say(*_aligned([list(headers), *cells], [header in right for header in headers]))


def say_coloured(lines: Iterable[Sequence[tuple[str, str]]]) -> None:
    """Write lines that are made of pieces, each with a style of Rich's for whoever sees colours."""
    if not sys.stdout.isatty():
        say(*("".join(piece for piece, _ in line).rstrip() for line in lines))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    for line in lines:
        console.print(Text.assemble(*line))


def _draw(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Set[str]) -> None:
    # Rich costs as much time to load as most commands take to run.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0))
    for header in headers:
        is_right = header in right
        table.add_column(header, justify="right" if is_right else "left", no_wrap=is_right, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(table)


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
