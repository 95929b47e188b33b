"""The proof of the proof: planted bugs end a simulated life early, and without them the same life is exact."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from simulation.living import Lived, lived
from simulation.mutants import MUTANTS

PROCESSES = 2
PLANTED_MIN = 20


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Lend processes to live in; each starts afresh."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as processes:
        yield processes


def with_bug(name: str) -> Lived:
    """Live with a bug."""
    mutant = MUTANTS[name]
    with mutant.bug():
        return lived(mutant.seed, mutant.days)


def test_every_planted_bug_is_caught(pool: ProcessPoolExecutor) -> None:
    """Each of them breaks a promise that the simulation checks."""
    assert len(MUTANTS) >= PLANTED_MIN
    lives = dict(zip(MUTANTS, pool.map(with_bug, MUTANTS), strict=True))
    assert [name for name, life in lives.items() if "Breach" not in life.breach] == []


def test_without_them_the_same_lives_are_exact(pool: ProcessPoolExecutor) -> None:
    """What was caught was the bug, and not the life."""
    longest = {
        seed: max(one.days for one in MUTANTS.values() if one.seed == seed)
        for seed in {one.seed for one in MUTANTS.values()}
    }
    lives = pool.map(lived, longest.keys(), longest.values())
    assert [life.breach for life in lives if life.breach] == []
