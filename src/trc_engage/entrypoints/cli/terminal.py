"""What a terminal shows beyond lines of text, drawn by Rich, which is loaded for this alone."""

from collections.abc import Iterable, Sequence, Set
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text


def print_lines(lines: Iterable[Sequence[tuple[str, str]]]) -> None:
    """Print lines that are made of pieces, each with a style of Rich's."""
    console = Console(highlight=False)
    for line in lines:
        console.print(Text.assemble(*line))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Set[str], *, gap: int) -> None:
    """Print a table that fits the terminal's width; `right` are the headers of columns of numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for header in headers:
        is_right = header in right
        table.add_column(header, justify="right" if is_right else "left", no_wrap=is_right, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(table)


def endless_bar(stream: TextIO) -> Progress:
    """Return a bar for work whose length nobody knows; start it, and stop it."""
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(file=stream), transient=True)
    bar.add_task("", total=None)
    return bar
