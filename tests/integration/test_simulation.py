"""Years of trouble in a minute: the whole system runs in a simulated world and an oracle checks it (R1 to R23)."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import trc_engage
from simulation import oracle
from simulation.living import DAYS, SEEDS, SLOTS_OF_A_DAY, lived
from simulation.mutants import MUTANTS
from simulation.pool import pool
from simulation.stores import STORES
from simulation.stories import STORIES
from simulation.troubles import KINDS, UNREACHABLE
from trc_engage.testing.mee6 import TROUBLES

PROCESSES = 2
SLOTS_MIN = 15_000
EVENTFUL = "all at once"
EVENTFUL_SEEDS = (2, 3, 8, 14)
EVENTFUL_DAYS = 2
POOLED_SEED = 8
STORY_SEEDS = (1, 4, 5)
STORY_DAYS = 3
BEFELL = {
    "killed at begin",
    "killed at commit",
    "not alone at begin",
    "not alone at request",
    "suspended at answer",
    "meddled with at answer",
    "the database restarts",
    "the disk is full",
}
"""Some of the faults that must happen to the processes in these lives."""


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of processes to run lives in."""
    with pool(PROCESSES, STORES) as lent:
        yield lent


def test_every_life_is_exact(processes: ProcessPoolExecutor) -> None:
    """In 15,000 slots of 40 members under faults, points, days, streaks and alerts are what the rules ask for."""
    lives = list(processes.map(lived, SEEDS, [DAYS] * len(SEEDS)))
    assert [life.breach for life in lives if life.breach] == []
    assert sum(life.slots for life in lives) >= SLOTS_MIN
    assert [life.slots for life in lives] == [DAYS * SLOTS_OF_A_DAY] * len(SEEDS)


def test_a_life_on_a_disk_that_is_waited_for_is_exact(processes: ProcessPoolExecutor) -> None:
    """With SQLite's real pragmas the ledger is the same, byte for byte, as with the fast ones."""
    careful, fast = processes.map(lived, [3, 3], [3, 3], ["sqlite-synced", "sqlite"])
    assert careful.digest == fast.digest
    assert careful.breach == fast.breach == ""


def test_postgresql_lives_the_same_lives(processes: ProcessPoolExecutor) -> None:
    """Under kills, suspensions, restarts and deployments, PostgreSQL gives the same ledger as SQLite."""
    count = len(EVENTFUL_SEEDS)
    stores = ["postgres"] * count + ["sqlite"] * count
    asked = EVENTFUL_SEEDS * 2, [EVENTFUL_DAYS] * 2 * count, stores, [EVENTFUL] * 2 * count
    lives = list(processes.map(lived, *asked))
    assert [life.breach for life in lives if life.breach] == []
    assert [life.digest for life in lives[:count]] == [life.digest for life in lives[count:]]
    assert frozenset().union(*(life.befell for life in lives[:count])) >= BEFELL
    assert any("an old version at work" in life.met for life in lives[:count])


def test_a_pool_in_transaction_mode_lives_the_same_life(processes: ProcessPoolExecutor) -> None:
    """Behind a PgBouncer that changes connections and restarts, the ledger is the same as with SQLite."""
    pooled, alone = processes.map(lived, [POOLED_SEED] * 2, [1, 1], ["pgbouncer", "sqlite"], [EVENTFUL] * 2)
    assert pooled.breach == alone.breach == ""
    assert "the database restarts" in pooled.befell
    assert pooled.digest == alone.digest


def test_every_story_is_exact(processes: ProcessPoolExecutor) -> None:
    """The stories in which lives once broke, and those that planted bugs need, are exact with every seed."""
    told = [(seed, story) for story in STORIES for seed in STORY_SEEDS]
    count = len(told)
    lives = processes.map(
        lived, [seed for seed, _ in told], [STORY_DAYS] * count, ["sqlite"] * count, [story for _, story in told]
    )
    assert [life.breach for life in lives if life.breach] == []


def test_one_seed_decides_everything() -> None:
    """A seed gives the same digest in two processes with different hash seeds; another seed gives another digest."""
    told = [_digest(seed, hashing) for seed, hashing in ((5, "1"), (5, "2"), (6, "1"))]
    assert told[0] == told[1]
    assert told[0] != told[2]


def test_every_trouble_has_its_turn() -> None:
    """The simulation knows every trouble of the shipped server, and the error's kind for each."""
    assert set(KINDS) == {*TROUBLES, UNREACHABLE}


def test_the_oracle_shares_no_code_with_the_package() -> None:
    """The oracle imports nothing of the package, so that both cannot be wrong in the same way."""
    rooms = Path(oracle.__file__).parent.glob("*.py")
    nodes = [node for room in rooms for node in ast.walk(ast.parse(room.read_text()))]
    named = {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
    named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    siblings = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level}
    assert {name.split(".")[0] for name in named} == {"attrs", "collections", "datetime", "typing"}
    assert siblings == {"accounts", "days", "oracle"}


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_breach_tells_how_to_see_it_again(store: str) -> None:
    """A life that ends early shows its last events and the command that replays it."""
    with MUTANTS["the remainder is dropped"].bug():
        life = lived(1, 2, store)
    assert "run: synced" in life.breach
    assert life.breach.endswith(f"cd tests && python -m simulation --seed 1 --days 2 --store {store}")


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
