"""The tables as values, read off the text that lays them out."""

import re
from collections.abc import Mapping, Sequence
from typing import get_args

from attrs import frozen

from ...core.errors import RosterTrouble, SourceTrouble
from ...core.incidents import Topic
from .schema import MIGRATIONS

CHOICES = {
    "trouble": (*get_args(SourceTrouble), *get_args(RosterTrouble)),
    "topic": get_args(Topic),
}
"""What columns may hold that the tables leave open, by the column's name."""


@frozen
class Column:
    """What a column may hold."""

    type: str
    """The word that the schema has for it: `whole`, `instant` …, or `TEXT`."""
    is_required: bool
    choices: Sequence[str] = ()
    """The only texts that it may hold; any if there are none."""


@frozen
class Table:
    """A table; its first columns are its key."""

    name: str
    columns: Mapping[str, Column]
    keys: int


def _table(name: str, body: str) -> Table:
    key = re.search(r"(?m)^    PRIMARY KEY \((.*)\)", body)
    # Each column from its name to the next one's, without what is said of the table as a whole.
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
"""All of them by name; what refers to others stands behind them."""
