"""One life from its beginning to its end, and how it went."""

import logging
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from .life import Life

SLOTS_OF_A_DAY = 96


@frozen
class Lived:
    """How a life went."""

    seed: int
    days: int
    slots: int
    digest: str
    breach: str = ""
    """What was not kept, the last events, and how to see it again; empty if all was kept."""


def lived(seed: int, days: int, is_fast: bool = True) -> Lived:
    """Live one life, and tell how it went."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory() as folder:
        life = Life(seed, Path(folder), is_fast=is_fast)
        breach = ""
        try:
            life.live(days * SLOTS_OF_A_DAY)
        except Exception as error:
            told = "\n".join([*life.events, "".join(traceback.format_exception(error))])
            breach = f"{told}see it again with: cd tests && python -m simulation --seed {seed} --days {days}"
        finally:
            digest = life.digest()
            life.close()
            logging.disable(level)
    return Lived(seed, days, life.lived, digest, breach)
