"""Live a year: `python -m year --weeks 52 --members 4000 --seed 1`, from the folder of the tests."""

import argparse
import resource
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from .homes import KINDS
from .life import begun
from .machine import MEMORY_DISK
from .verdict import breaches, figures


def main() -> int:
    """Live it, print its figures, and return 1 if there is any breach."""
    options = _options()
    began = time.monotonic()
    with ExitStack() as stack:
        folder = options.folder or stack.enter_context(TemporaryDirectory(dir=MEMORY_DISK))
        life = stack.enter_context(begun(Path(folder), options.weeks, options.members, options.seed, options.store))
        life.lived(_say)
        found = list(breaches(life))
        told = figures(life)
    for breach in found:
        _say(f"BREACH {breach}")
    seconds = sum(_cpu_seconds(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    took = {"took": f"{_of(time.monotonic() - began)}, {_of(seconds)} of it on a processor", "breaches": len(found)}
    for name, value in {**told, **took}.items():
        _say(f"{name}: {value}")
    return 1 if found else 0


def _of(seconds: float) -> timedelta:
    return timedelta(seconds=round(seconds))


def _cpu_seconds(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m year", description=__doc__)
    parser.add_argument("--weeks", type=int, default=52, help="how long it lasts; five at least")
    parser.add_argument("--members", type=int, default=4_000, help="how many are on the board")
    parser.add_argument("--store", choices=KINDS, default=KINDS[0], help="postgres moves from a file on the way")
    parser.add_argument("--seed", type=int, default=1, help="who writes when")
    parser.add_argument("--folder", type=Path, help="an empty folder that is kept; otherwise one in memory that is not")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
