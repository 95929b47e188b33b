"""Planted bugs of a few lines each: what real clients get wrong, and what a careless change would break.

Each is a context in which the package has that bug; it must break one of the lives that are exact without it.
"""

from ..living import DAYS, SEEDS, Lived, lived
from . import in_days, in_liveness, in_points, in_reading, in_running, in_store
from .planting import Mutant

MUTANTS: dict[str, Mutant] = (
    in_points.MUTANTS
    | in_days.MUTANTS
    | in_reading.MUTANTS
    | in_running.MUTANTS
    | in_store.MUTANTS
    | in_liveness.MUTANTS
)
CALM = in_liveness.CALM
"""Bugs that only show once all is calm."""
STORED = in_store.MUTANTS
"""Bugs in the ledger itself."""


def caught(name: str) -> Lived:
    """Live with a bug, one life after another, and return the first life that it breaks, or the last one."""
    mutant = MUTANTS[name]
    for number in range(len(SEEDS)):
        seed = SEEDS[(mutant.seed - SEEDS[0] + number) % len(SEEDS)]
        life = with_bug(name, seed, "sqlite")
        if life.breach:
            break
    return life


def with_bug(name: str, seed: int, store: str) -> Lived:
    """Live one life with a bug."""
    with MUTANTS[name].bug():
        return lived(seed, DAYS, store, MUTANTS[name].story)
