"""The search by id, Discord id or name, and the words of names that it looks in."""

from collections.abc import Iterable, Iterator, Sequence

from ...core.model import Member
from ...core.reports import Found
from ...core.validation import sought_words, words_of
from .database import Connection, Database, SqlStore

WORDS = ("word", "member_id")

BY_ID = """
SELECT member_id, name FROM members WHERE member_id IN (
    SELECT member_id FROM members WHERE member_id = :text
    UNION ALL SELECT member_id FROM discord_activity WHERE discord_id = :text AND unlinked_at IS NULL
) ORDER BY member_id
"""
# Read in the order of its key and no further than is asked for: so each member counts where the first word is met.
BY_NAME = """
SELECT member_id, name FROM name_words AS met JOIN members USING (member_id)
WHERE word >= :from0 AND word < :to0 AND NOT EXISTS (
    SELECT 1 FROM name_words AS earlier
    WHERE earlier.member_id = met.member_id AND earlier.word >= :from0 AND earlier.word < met.word
){others}
ORDER BY word, member_id LIMIT :limit
"""
ALSO = """ AND EXISTS (
    SELECT 1 FROM name_words AS other
    WHERE other.member_id = met.member_id AND other.word >= :from{number} AND other.word < :to{number}
)"""
BEYOND = "\U0010ffff"
"""Sorts behind whatever a word goes on with, and stands in none."""


class Finding(SqlStore):
    """The part of the `Views` port that searches."""

    def find(self, text: str, /, *, limit: int) -> Sequence[Found]:
        sought = sought_words(text)
        with self._database.connection() as connection:
            found = connection.execute(BY_ID, {"text": text}).fetchall()
            if sought:
                others = "".join(ALSO.format(number=number) for number in range(1, len(sought)))
                values: dict[str, str | int] = {"limit": limit + len(found)}
                for number, word in enumerate(sought):
                    values |= {f"from{number}": word, f"to{number}": word + BEYOND}
                named = connection.execute(BY_NAME.format(others=others), values).fetchall()
                found += [row for row in named if row not in found] if found else named
        return [Found(*row) for row in found[:limit]]


def name(database: Database, connection: Connection, members: Sequence[Member]) -> None:
    """Bring the words of these members' names up to date."""
    connection.executemany(
        "DELETE FROM name_words WHERE member_id = ?", [(member.member_id,) for member in members if member.version]
    )
    named = ((member.member_id, member.name) for member in members if not (member.is_hidden or member.is_forgotten))
    rows = sorted(rows_of(named))
    if rows:
        database.merge(connection, "name_words", WORDS, rows, "")


def rows_of(named: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, str]]:
    """Yield the rows of members' names."""
    return ((word, member_id) for member_id, name in named for word in words_of(name or ""))
