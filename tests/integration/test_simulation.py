"""Years of trouble in a minute: the whole system lives in a simulated world, and an oracle looks on (R1 to R23)."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import trc_engage
from simulation.living import SLOTS_OF_A_DAY, lived
from simulation.mutants import MUTANTS
from simulation.server import KINDS, UNREACHABLE
from trc_engage.testing.mee6 import TROUBLES

PROCESSES = 2
SEEDS = range(1, 17)
DAYS = 11
SLOTS_MIN = 15_000


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Lend processes to live in; each starts afresh."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as processes:
        yield processes


def test_every_life_is_exact(pool: ProcessPoolExecutor) -> None:
    """15,000 slots of 40 members under faults: points, days, streaks and alerts are those that the rules ask for."""
    lives = list(pool.map(lived, SEEDS, [DAYS] * len(SEEDS)))
    assert [life.breach for life in lives if life.breach] == []
    assert sum(life.slots for life in lives) >= SLOTS_MIN
    assert [life.slots for life in lives] == [DAYS * SLOTS_OF_A_DAY] * len(SEEDS)


def test_a_life_on_a_disk_that_is_waited_for_is_exact(pool: ProcessPoolExecutor) -> None:
    """With the real pragmas the same happens, to the last byte that the ledger tells."""
    careful, fast = pool.map(lived, [3, 3], [3, 3], [False, True])
    assert careful == fast
    assert careful.breach == ""


def test_one_seed_decides_everything() -> None:
    """In two processes that hash texts differently a seed gives the same digest, and another seed another one."""
    told = [_digest(seed, hashing) for seed, hashing in ((5, "1"), (5, "2"), (6, "1"))]
    assert told[0] == told[1]
    assert told[0] != told[2]


def test_every_trouble_has_its_turn() -> None:
    """The simulation knows each trouble of the shipped server, and what it must be called."""
    assert set(KINDS) == {*TROUBLES, UNREACHABLE}


def test_a_breach_tells_how_to_see_it_again() -> None:
    """A life that ends early tells the last events and the one command that replays it."""
    with MUTANTS["the remainder is dropped"].bug():
        life = lived(1, 2)
    assert "run: synced" in life.breach
    assert life.breach.endswith("cd tests && python -m simulation --seed 1 --days 2")


def _digest(seed: int, hashing: str) -> str:
    package = Path(trc_engage.__file__).parent.parent
    tests = Path(__file__).parent.parent
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "simulation", "--seed", str(seed), "--days", "1", "--jobs", "1"],
        cwd=tests,
        env={**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{tests}", "PYTHONHASHSEED": hashing},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.split("digest ")[1].split()[0]
