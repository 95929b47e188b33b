"""What names are found by: the table, and how it is filled for the members who are there already."""

import sqlite3

from ..sql.finding import NAMED, rows_of

NAMES = """
CREATE TABLE name_words (
    word TEXT NOT NULL,
    member_id TEXT NOT NULL,
    PRIMARY KEY (word, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX words_of_a_member ON name_words (member_id, word);
"""


def fill_names(connection: sqlite3.Connection) -> None:
    """Let the members who are there be found by name."""
    rows = sorted(rows_of(connection.execute(NAMED)))
    connection.executemany("INSERT INTO name_words (word, member_id) VALUES (?, ?)", rows)
