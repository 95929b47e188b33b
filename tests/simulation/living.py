"""One life from beginning to end, and how it went."""

import logging
import traceback

from attrs import frozen

from .coverage import Met
from .life import Life
from .stores import STORES
from .stories import STORIES

SLOTS_OF_A_DAY = 96
SLOTS_OF_A_YEAR = 365 * SLOTS_OF_A_DAY
SEEDS = range(1, 17)
DAYS = 11
"""The lives of every test run: these seeds, this many days each."""


@frozen
class Asked:
    """A life to live: on a store of one of the `STORES`, perhaps under one of the `STORIES`."""

    seed: int
    days: int
    store: str = "sqlite"
    story: str | None = None

    def __str__(self) -> str:
        options = f"--seed {self.seed} --days {self.days} --store {self.store}"
        return options + (f" --story '{self.story}'" if self.story else "")


@frozen
class Lived:
    """How a life went."""

    asked: Asked
    slots: int
    digest: str
    befell: frozenset[str]
    """What happened to its processes, and at which step."""
    met: Met
    """Which fault met which state, and how often."""
    breach: str = ""
    """What was broken, the last events, and how to reproduce it; empty if nothing was broken."""


def lived(seed: int, days: int, store: str = "sqlite", story: str | None = None) -> Lived:
    """Live one life and return how it went."""
    asked = Asked(seed, days, store, story)
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with STORES[store]() as place:
        life = Life(seed, place, STORIES[story] if story else None)
        breach = ""
        try:
            life.live(days * SLOTS_OF_A_DAY)
        except Exception as error:
            told = "\n".join([*life.events, "".join(traceback.format_exception(error))])
            breach = f"{told}see it again with: cd tests && python -m simulation {asked}"
        finally:
            digest = life.digest()
            life.close()
            logging.disable(level)
    return Lived(asked, life.lived, digest, frozenset(life.befell), life.coverage.met, breach)
