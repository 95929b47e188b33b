"""The tables as values, parsed from the schema, for checking rows and copying a whole store."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, get_args

from attrs import Factory, frozen

from ...core.audit import UNREADABLE, Breach
from ...core.errors import LedgerFailed, RosterTrouble, SourceTrouble, shortened
from ...core.incidents import Topic
from . import Connection, Database, Row, stamp
from .schema import MIGRATIONS

CHOICES = {"trouble": (*get_args(SourceTrouble), *get_args(RosterTrouble)), "topic": get_args(Topic)}
"""The values of columns that the schema does not constrain, by column name."""


@frozen
class Column:
    """What a column may hold."""

    type: str
    """The schema's word for its type: `whole`, `instant` …, or `TEXT`."""
    is_required: bool
    choices: Sequence[str] = ()
    """The only texts it may hold; empty for any."""


@frozen
class Table:
    """A table; its first columns are its key."""

    name: str
    columns: Mapping[str, Column]
    keys: int
    key: str = Factory(lambda self: ", ".join([*self.columns][: self.keys]), takes_self=True)
    select: str = Factory(lambda self: f"SELECT {', '.join(self.columns)} FROM {self.name}", takes_self=True)


def _table(name: str, body: str) -> Table:
    key = re.search(r"(?m)^    PRIMARY KEY \((.*)\)", body)
    # Split into columns, without the constraints of the whole table.
    own = re.sub(r"(?m)^    (PRIMARY|CHECK) .*", "", body)
    parts = re.split(r"(?m)(?:^    |, )(\w+) (?=\{|TEXT)", own)[1:]
    columns = {column: _column(column, text) for column, text in zip(parts[::2], parts[1::2], strict=True)}
    return Table(name, columns, key[1].count(",") + 1 if key else 1)


def _column(name: str, text: str) -> Column:
    word = text.split(maxsplit=1)[0].strip("{},")
    choices = CHOICES.get(name) or dict.fromkeys(re.findall(r"'(\w+)'", text))
    return Column(word, word == "number" or "NOT NULL" in text or "PRIMARY KEY" in text, tuple(choices))


TABLES = {
    name: _table(name, body) for name, body in re.findall(r"(?s)CREATE TABLE (\w+) \(\n(.*?)\n\)", "".join(MIGRATIONS))
}
"""All tables by name; a table comes after those it refers to."""

PERSONAL = frozenset({"name", "discord_id", "key", "reason", "actor", "note"})
"""Columns that may name a person and must not be shown."""


def _text(value: str) -> str:
    value.encode()
    return value


def _in_utc(at: datetime) -> str:
    return stamp(at.astimezone(UTC))


WHOLE = (int,), int, int, "a whole number"
TEXT = (str,), _text, _text, "a text"
FORMS: Mapping[str, tuple[Sequence[type], Callable[[Any], Any], Callable[[Any], Any], str]] = {
    "number": WHOLE,
    "whole": WHOLE,
    "flag": ((int, bool), bool, bool, "0 or 1"),
    "id": TEXT,
    "TEXT": TEXT,
    "day": ((str,), date.fromisoformat, date.isoformat, "a day such as 2026-03-02"),
    "instant": (*((str,), datetime.fromisoformat, _in_utc), "an instant such as 2026-03-02T09:00:00.000000+00:00"),
}
"""By column type: the types a value may have, its reader, its writer (texts must sort in time order), its name."""


def _read(column: Column, value: Any) -> Any:
    """Return the value of a column; raises `ValueError` if it is not in the canonical form."""
    if value is None and not column.is_required:
        return None
    types, made, written, _ = FORMS[column.type]
    if type(value) not in types or (column.choices and value not in column.choices) or written(made(value)) != value:
        raise ValueError
    return made(value)


def _expected(column: Column) -> str:
    expected = f"one of {', '.join(sorted(column.choices))}" if column.choices else FORMS[column.type][3]
    return expected if column.is_required else f"{expected}, or nothing"


def values_of(table: Table, row: Row) -> list[Any] | Breach:
    """Return the values of a row, or, since it may have been damaged by hand, the first flaw."""
    values = []
    for (name, column), value in zip(table.columns.items(), row, strict=True):
        try:
            values.append(_read(column, value))
        except ValueError:
            found = "something else (not shown)" if name in PERSONAL else shortened(value)
            return Breach(UNREADABLE, subject_of(table, row), name, found, _expected(column))
    return values


def subject_of(table: Table, row: Row) -> str:
    """Return a row's table and key, as text."""
    return f"{table.name} {', '.join(shortened(value) for value in row[: table.keys])}"


PAGE = 10_000
"""How many rows are read at a time."""
COPIED = tuple(table for name, table in TABLES.items() if name not in {"leases", "requests"})
"""All but these two, because nothing runs on a copy."""


def copy(source: Database, target: Database) -> None:
    """Copy a snapshot of a store into an empty one in one transaction; raises `LedgerFailed` if it is not empty."""
    with source.snapshot() as reads, target.transaction() as writes:
        source.extend_timeout(reads)
        for table in COPIED:
            if writes.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone() is not None:
                raise LedgerFailed(
                    f"{target.address} is not empty, and nothing was copied: name a store that holds nothing yet"
                )
        for table in COPIED:
            target.fill(writes, table.name, [*table.columns], _rows(reads, table))


OWNED = {
    "member_id": "member_id = ?",
    "account_id": "account_id IN (SELECT account_id FROM discord_activity WHERE member_id = ?)",
}
"""The condition for a member's rows, by the first of these columns that a table has."""


def rows_about(connection: Connection, member_id: str) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """Yield each table that can hold a member's data, with the member's rows."""
    for table in TABLES.values():
        if owned := next((OWNED[name] for name in OWNED if name in table.columns), None):
            rows = connection.execute(f"{table.select} WHERE {owned} ORDER BY {table.key}", [member_id])
            yield table, [dict(zip(table.columns, row, strict=True)) for row in rows]


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    """Yield a table's rows by key, holding at most a page in memory."""
    pages = f"ORDER BY {table.key} LIMIT {PAGE}"
    beyond = f"{table.select} WHERE ({table.key}) > ({', '.join('?' * table.keys)}) {pages}"
    page = connection.execute(f"{table.select} {pages}").fetchall()
    while page:
        yield from page
        page = connection.execute(beyond, page[-1][: table.keys]).fetchall()
