"""Live lives: `python -m simulation --seed 7 --days 30 --store postgres`, from the folder of the tests.

For a night, in shards of an hour, run this repeatedly: `--seed 1 --years 400 --minutes 60 --state night.jsonl`.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from .coverage import added, table
from .living import SLOTS_OF_A_YEAR, Asked, Lived
from .pool import pool
from .shards import Finished, live_all, share
from .stores import STORES
from .stories import STORIES

DAYS_OF_A_YEAR = 365
DAYS_OF_A_MONTH = 30
EACH = "each"
MONTHS = {"sqlite": 10, "postgres": 5}
"""How many months are lived besides a year if neither a seed nor years are given."""


def main() -> int:
    """Live the lives that were asked for and have not ended yet, and print how each ends."""
    options = _options()
    lives = share(_lives(options), options.shard)
    finished, began = Finished(options.state), time.monotonic()
    left = [one for one in lives if one not in finished.lives]
    with pool(options.jobs, {one.store for one in left}) as processes:
        for life in live_all(processes, left, options.jobs, 60 * options.minutes):
            finished.add(life)
            _say(_told(life))
    seconds = time.monotonic() - began
    ended = [finished.lives[one] for one in lives if one in finished.lives]
    slots, failed = sum(life.slots for life in ended), sum(bool(life.breach) for life in ended)
    of = "" if len(ended) == len(lives) else f" of {len(lives)}"
    _say(
        f"{len(ended)}{of} lives, {slots:,} slots ({slots / SLOTS_OF_A_YEAR:.1f} years); {failed} breaches; "
        f"this time {timedelta(seconds=round(seconds))}"
    )
    if options.coverage:
        _say(table(added(life.met for life in ended)))
    return 1 if failed else 0


def _told(life: Lived) -> str:
    asked = life.asked
    told = f"seed {asked.seed} on {asked.store}: {asked.days} days, {life.slots:,} slots, digest {life.digest[:16]}"
    return f"{life.breach}\n{told}" if life.breach else told


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
    parser.add_argument("--story", choices=[*STORIES, EACH], help="under these faults alone; each: in turn")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    parser.add_argument("--state", type=Path, help="a file of the lives that have ended, which are not lived again")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no further life after so long")
    parser.add_argument("--shard", default="1/1", help="one part of the lives: 2/8 is every eighth from the second on")
    parser.add_argument("--coverage", action="store_true", help="show which fault met which state, and which never did")
    options = parser.parse_args()
    if options.state and options.seed is None:
        parser.error("--state needs a --seed, so that the next time means the same lives")
    return options


def _lives(options: argparse.Namespace) -> Iterator[Asked]:
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4))
    store = options.store or "sqlite"
    told = [None, *STORIES] if options.story == EACH else [options.story]
    if options.years:
        yield from (Asked(seed + one, DAYS_OF_A_YEAR, store, told[one % len(told)]) for one in range(options.years))
    elif options.seed is not None:
        yield from (Asked(seed + one, options.days, store, told[one % len(told)]) for one in range(options.lives))
    else:
        if store == "sqlite":
            yield Asked(seed, DAYS_OF_A_YEAR, store, told[0])
        stores = [options.store] if options.store else MONTHS
        months = [one for one in stores for _ in range(MONTHS.get(one, 1))]
        yield from (Asked(seed + number, DAYS_OF_A_MONTH, one, told[0]) for number, one in enumerate(months, 1))


if __name__ == "__main__":
    sys.exit(main())
