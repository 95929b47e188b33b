"""A search by name among 100,000 members, compared with one SELECT on the same index."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import measured
from population import OPENED_AT, PRAGMAS

from trc_engage import Engage, Newcomer
from trc_engage.adapters.sqlite import SqliteLedger

FIRST_NAMES, LAST_NAMES = 300, 20_000
SEARCHES = 3_000
FOUND = 26
FLOOR = """
SELECT member_id, name FROM name_words JOIN members USING (member_id)
WHERE word >= ? AND word < ? ORDER BY word, member_id LIMIT ?
"""


def build(path: Path, members: int) -> None:
    """Enroll this many people, whose names repeat as real names do."""
    chance = random.Random(members)
    first, last = _words(chance, FIRST_NAMES), _words(chance, LAST_NAMES)
    with SqliteLedger.open(path) as ledger:
        Engage(ledger=ledger, clock=lambda: OPENED_AT).enroll_all(
            [
                Newcomer(f"member-{number:06}", None, f"{chance.choice(first)} {chance.choice(last)}".title())
                for number in range(members)
            ]
        )


def search(path: Path, members: int) -> float:
    """Search for the beginnings of names."""
    with SqliteLedger.open(path) as ledger:
        engage, sought = Engage(ledger=ledger, clock=lambda: OPENED_AT), _sought(members)
        engage.find("warm")
        return measured.timed(lambda: [engage.find(one, limit=FOUND) for one in sought])


def indexed_select(path: Path, members: int) -> float:
    """Query the index for the same beginnings, and do nothing else."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(pragma)
        sought = [(one, one + "\U0010ffff", FOUND) for one in _sought(members)]
        return measured.timed(lambda: [connection.execute(FLOOR, one).fetchall() for one in sought])


def _sought(members: int) -> list[str]:
    chance = random.Random(members)
    words = _words(chance, FIRST_NAMES) + _words(chance, LAST_NAMES)[:FIRST_NAMES]
    return [one[: chance.randint(1, len(one))] for one in chance.choices(words, k=SEARCHES)]


def _words(chance: random.Random, count: int) -> list[str]:
    syllables = [one + other for one in "bdfgklmnprstvz" for other in "aeiou"]
    return ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(count)]
