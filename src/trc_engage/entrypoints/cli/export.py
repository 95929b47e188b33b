"""The command that hands the store to other programs: export."""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import typer

from ...reader import Reader
from ..settings import Settings
from ..stores import check_store, opened_to_read
from ..wire.members import EntryRow, MemberRow
from ..wire.shape import Shape, hints_of, to_json
from .options import examples

PAGE = 5_000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
Write = Callable[[Iterable[Shape]], None]

HELP = """Write all entries or all members to stdout.

\b
CSV, with a header: UTF-8, cells as in RFC 4180. So that no spreadsheet takes a
text for a formula, one that begins with = + - @ TAB or CR has a ' before it;
numbers stay numbers. A spreadsheet rounds Discord ids unless that column is
imported as text.
\b
JSON Lines with --json: one object on each line, texts as they are.
\b
Entries come by position, and none is changed later: what is above the last
position seen is new. Members come by id.
"""

app = typer.Typer(rich_markup_mode=None)


@app.command(
    help=HELP,
    epilog=examples(
        "Examples:",
        "trc-engage export entries > entries.csv",
        "trc-engage export members --json | jq -c 'select(.points < 0)'",
    ),
)
def export(
    what: Annotated[Literal["entries", "members"], typer.Argument(metavar="entries|members", help="What to write.")],
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV; so it is unless you say --json.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on each line.")] = False,
) -> None:
    """Write everything of a kind to stdout, a page at a time."""
    if as_csv and as_json:
        raise typer.BadParameter("give either --csv or --json")
    settings = Settings.from_mapping(os.environ)
    check_store(settings)
    shape, pages = (EntryRow, _entries) if what == "entries" else (MemberRow, _members)
    with opened_to_read(settings) as reader, _writing(shape, as_json=as_json) as write:
        for page in pages(reader):
            write(page)


@contextmanager
def _writing(shape: type[Shape], *, as_json: bool) -> Iterator[Write]:
    """Lend what writes a page to stdout; nothing is held back when the command ends."""
    if as_json:
        # ASCII, so that any stdout can take it.
        yield lambda page: sys.stdout.writelines(f"{json.dumps(to_json(row))}\n" for row in page)
    else:
        if reconfigure := getattr(sys.stdout, "reconfigure", None):
            reconfigure(encoding="utf-8", newline="")
        rows = csv.writer(sys.stdout)
        rows.writerow(hints_of(shape))
        yield lambda page: rows.writerows(map(_cell, to_json(row).values()) for row in page)
    sys.stdout.flush()


def _cell(value: Any) -> Any:
    """Return what a cell holds: a number as it is, a text that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def _entries(reader: Reader) -> Iterator[Iterable[Shape]]:
    after = 0
    while page := reader.feed(after=after, limit=PAGE):
        yield map(EntryRow.of, page)
        after = page[-1].position


def _members(reader: Reader) -> Iterator[Iterable[Shape]]:
    after = ""
    while page := reader.members(after=after, limit=PAGE):
        yield map(MemberRow.of, page)
        after = page[-1].member_id
