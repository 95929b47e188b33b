"""Planted bugs break the promises that `test_simulation` checks, which shows that the simulation can find bugs."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from simulation.living import Lived
from simulation.mutants import CALM, MUTANTS, STORED, caught, with_bug
from simulation.pool import pool
from simulation.stores import STORES

PROCESSES = 2
PLANTED_MIN = 20
SLOTS_ON_POSTGRES_MAX = 250
"""Longer lives take too long on PostgreSQL."""
ON_POSTGRES_MIN = 3


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of processes to run lives in."""
    with pool(PROCESSES, STORES) as lent:
        yield lent


@pytest.fixture(scope="module")
def lives(processes: ProcessPoolExecutor) -> dict[str, Lived]:
    """Return the life in which each bug was caught."""
    return dict(zip(MUTANTS, processes.map(caught, MUTANTS), strict=True))


def test_every_planted_bug_is_caught(lives: dict[str, Lived]) -> None:
    """Each planted bug breaks a promise that the simulation checks."""
    assert len(MUTANTS) >= PLANTED_MIN
    assert [name for name, life in lives.items() if "Breach" not in life.breach] == []


def test_what_never_ends_is_caught_once_all_is_calm(lives: dict[str, Lived]) -> None:
    """A bug that leaves something unfinished is found because all must be well within two slots of the last fault."""
    assert [name for name in CALM if "Breach: all is calm, but" not in lives[name].breach] == []


def test_bugs_of_the_store_are_caught_on_postgresql_too(
    processes: ProcessPoolExecutor, lives: dict[str, Lived]
) -> None:
    """On PostgreSQL the same bug ends the same life in the same slot as on SQLite."""
    here = {name: life for name, life in lives.items() if name in STORED and life.slots <= SLOTS_ON_POSTGRES_MAX}
    there = processes.map(with_bug, here, [life.asked.seed for life in here.values()], ["postgres"] * len(here))
    told = {name: (life.slots, "Breach" in life.breach) for name, life in zip(here, there, strict=True)}
    assert told == {name: (life.slots, True) for name, life in here.items()}
    assert len(here) >= ON_POSTGRES_MIN
