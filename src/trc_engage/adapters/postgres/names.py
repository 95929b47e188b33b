"""What names are found by: the table, and how it is filled for the members who are there already."""

from ..sql.finding import NAMED, WORDS, rows_of
from .session import PostgresSession
from .staging import fill

NAMES = """
CREATE TABLE name_words (
    word TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (word, member_id)
);
CREATE INDEX words_of_a_member ON name_words (member_id, word);
"""


def fill_names(session: PostgresSession) -> None:
    """Let the members who are there be found by name."""
    fill(session, "name_words", WORDS, list(rows_of(session.execute(NAMED).fetchall())))
