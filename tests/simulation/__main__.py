"""Live lives: `python -m simulation --seed 7 --days 30 --store postgres`, from the folder of the tests."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from .living import lived
from .pool import pool
from .stores import STORES
from .stories import STORIES

DAYS_OF_A_YEAR = 365
DAYS_OF_A_MONTH = 30
MONTHS = {"sqlite": 10, "postgres": 5}
"""How many are lived besides a year, where nothing else is asked for."""


def main() -> int:
    """Live what is asked for, and tell each life's end."""
    options = _options()
    lives = list(_lives(options))
    began, slots, failed = time.monotonic(), 0, 0
    with pool(options.jobs, {store for _, _, store in lives}) as processes:
        for life in processes.map(partial(lived, story=options.story), *zip(*lives, strict=True)):
            slots += life.slots
            failed += bool(life.breach)
            told = (
                f"seed {life.seed} on {life.store}: {life.days} days, {life.slots:,} slots, digest {life.digest[:16]}"
            )
            _say(told if not life.breach else f"{life.breach}\n{told}")
    seconds = time.monotonic() - began
    _say(f"{len(lives)} lives, {slots:,} slots in {timedelta(seconds=round(seconds))}; {failed} breaches")
    return 1 if failed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="the life to live; without it a year and some months, all random")
    parser.add_argument("--days", type=int, default=DAYS_OF_A_MONTH, help="how long it lasts")
    parser.add_argument("--lives", type=int, default=1, help="how many lives, from this seed on")
    parser.add_argument("--years", type=int, help="so many lives of a year, from this seed on")
    parser.add_argument("--store", choices=STORES, help="where; without it SQLite, and some of the months on each")
    parser.add_argument("--story", choices=STORIES, help="under these faults alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    return parser.parse_args()


def _lives(options: argparse.Namespace) -> Iterator[tuple[int, int, str]]:
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4))
    store = options.store or "sqlite"
    if options.years:
        yield from ((seed + number, DAYS_OF_A_YEAR, store) for number in range(options.years))
    elif options.seed is not None:
        yield from ((seed + number, options.days, store) for number in range(options.lives))
    else:
        if store == "sqlite":
            yield seed, DAYS_OF_A_YEAR, store
        stores = [options.store] if options.store else MONTHS
        months = [one for one in stores for _ in range(MONTHS.get(one, 1))]
        yield from ((seed + number, DAYS_OF_A_MONTH, one) for number, one in enumerate(months, 1))


if __name__ == "__main__":
    sys.exit(main())
