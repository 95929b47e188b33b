"""The export command: all entries, members, membership events or excused days as CSV or JSON Lines."""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import typer

from ...core.records import Excusal
from ...core.reports import Standing
from ...reader import Reader
from ..stores import opened_to_read
from ..wire.members import EntryRow, EventRow, MemberRow
from ..wire.runs import ExcusalRow
from ..wire.shape import Shape, hints_of
from .options import argument, command, flag, settings_in_force

PAGE = 5_000
FORMULA = re.compile("(^|;)(?='*[-=+@\uff1d\uff0b\uff0d\uff20\t\r])")
"""Where a spreadsheet begins one (some begin a cell after a semicolon), or import would take one for guarded."""
GUARDED = re.compile(FORMULA.pattern.replace("(?=", "'(?="))
Write = Callable[[Iterable[Shape]], None]


@command(
    "trc-engage export entries > entries.csv",
    "trc-engage export members --json | jq -c 'select(.points < 0)'",
)
def export(
    what: Annotated[
        Literal["entries", "members", "events", "excusals"],
        argument("entries|members|events|excusals", "What to write."),
    ],
    *,
    as_csv: Annotated[bool, flag("--csv", "Write CSV. [default]")] = False,
    as_json: Annotated[bool, flag("--json", "Write one JSON object per line.")] = False,
) -> None:
    """Write all entries, members, events or excusals to stdout.

    CSV has a header, in UTF-8 and as in RFC 4180. A text that begins with = + - @ TAB or CR, or goes on so after a
    semicolon, gets a ' there, so that no spreadsheet runs it as a formula; `members import` takes it off again. In a
    spreadsheet, import Discord ids as text: it would round them.

    With --json you get JSON Lines: one object per line, with texts unchanged.

    Entries are ordered by position and never change, so everything above the last position that you have seen is
    new. Members are ordered by id, and events (who was enrolled, linked, left and more) by their numbers, as are days
    that were excused or required again.
    """
    if as_csv and as_json:
        raise typer.BadParameter("pass either --csv or --json")
    shape, read, cursor, first = WHAT[what]
    with opened_to_read(settings_in_force()) as reader, _writing(shape, as_json=as_json) as write:
        for page in _pages(reader, shape, read, cursor, first):
            write(page)


@contextmanager
def _writing(shape: type[Shape], *, as_json: bool) -> Iterator[Write]:
    """Yield a function that writes a page to stdout, and flush at the end."""
    if as_json:
        # ASCII, so that any stdout can take it.
        yield lambda page: sys.stdout.writelines(f"{json.dumps(row)}\n" for row in page)
    else:
        if reconfigure := getattr(sys.stdout, "reconfigure", None):
            reconfigure(encoding="utf-8", newline="")
        rows = csv.writer(sys.stdout)
        rows.writerow(hints_of(shape))
        yield lambda page: rows.writerows(map(_cell, row.values()) for row in page)
    sys.stdout.flush()


def _cell(value: Any) -> Any:
    """Return the value of a cell; a text that looks like a formula is quoted."""
    if isinstance(value, bool):
        return int(value)
    text = json.dumps(value) if isinstance(value, dict) else value
    return FORMULA.sub(r"\1'", text) if isinstance(text, str) else text


def unguarded(cell: str) -> str:
    """Return a text as it was before the export guarded it."""
    return GUARDED.sub(r"\1", cell)


def _members(reader: Reader, **page: Any) -> Sequence[Standing]:
    return [reader.standing(one.member_id) for one in reader.members(**page)]


def _excusals(reader: Reader, *, after: int, limit: int) -> Sequence[Excusal]:
    return [one for one in reader.excusals() if one.number > after][:limit]


def _pages(
    reader: Reader, shape: type[Shape], read: Callable[..., Sequence[Any]], cursor: str, after: str | int
) -> Iterator[Iterable[Shape]]:
    while page := read(reader, after=after, limit=PAGE):
        yield map(shape.of, page)
        after = getattr(page[-1], cursor)


WHAT: dict[str, tuple[type[Shape], Callable[..., Sequence[Any]], str, str | int]] = {
    "entries": (EntryRow, Reader.feed, "position", 0),
    "members": (MemberRow, _members, "member_id", ""),
    "events": (EventRow, Reader.events, "number", 0),
    "excusals": (ExcusalRow, _excusals, "number", 0),
}
"""What can be written: its shape, what reads a page of it, and by which field the next page begins, from where on."""
