"""One life from its beginning to its end, and how it went."""

import logging
import traceback

from attrs import frozen

from .life import Life
from .stores import STORES
from .stories import STORIES

SLOTS_OF_A_DAY = 96
SEEDS = range(1, 17)
DAYS = 11
"""The lives of each run of the tests: these seeds, for so many days."""


@frozen
class Lived:
    """How a life went."""

    seed: int
    days: int
    store: str
    slots: int
    digest: str
    befell: frozenset[str]
    """What befell its processes, and at which step."""
    breach: str = ""
    """What was not kept, the last events, and how to see it again; empty if all was kept."""


def lived(seed: int, days: int, store: str = "sqlite", story: str | None = None) -> Lived:
    """Live one life on a store of one of the `STORES`, or one of the `STORIES`, and tell how it went."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with STORES[store]() as place:
        life = Life(seed, place, STORIES[story] if story else None)
        breach = ""
        try:
            life.live(days * SLOTS_OF_A_DAY)
        except Exception as error:
            told = "\n".join([*life.events, "".join(traceback.format_exception(error))])
            again = f"python -m simulation --seed {seed} --days {days} --store {store}"
            again += f" --story '{story}'" if story else ""
            breach = f"{told}see it again with: cd tests && {again}"
        finally:
            digest = life.digest()
            life.close()
            logging.disable(level)
    return Lived(seed, days, store, life.lived, digest, frozenset(life.befell), breach)
