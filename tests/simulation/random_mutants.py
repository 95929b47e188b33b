"""Bugs that nobody planted: `python -m simulation.random_mutants --count 200 --seed 3`, from the folder of the tests.

Each mutant of `core/` and `usecases/` lives the same lives, one after another, until it breaks a promise or has used
its seconds of processor time; code that no life runs is not tried. With `--state FILE` it can be stopped and resumed.
"""

import argparse
import json
import os
import resource
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from time import process_time
from types import FrameType
from typing import Any

from mutation.__main__ import files_of, mutants
from mutation.operators import Mutant
from mutation.running import functions_of, plant

from .living import SEEDS, Lived, lived

ROOMS = ("core", "usecases")
STORIES = (
    "all at once",
    None,
    "another board now and then",
    "a webhook that dies",
    "killed while an alert goes out",
    "clocks that step",
    "reads of many minutes",
)
DAYS = 3
HANGS_AFTER = 60
"""After this many seconds of processor time beyond its own, a mutant counts as hung."""
BYTES_MAX = 2**30
Line = tuple[str, int]
FILES = files_of(ROOMS)
LIVE = functions_of({str(path) for path in FILES.values()})


def lives() -> Iterator[Lived]:
    """Live one life after another, story by story."""
    for seed in SEEDS:
        for story in STORIES:
            yield lived(seed, DAYS, "sqlite", story)


def main() -> int:
    """Try the mutants, and print which were caught."""
    options = _options()
    chosen = Random(options.seed).sample(mutants(FILES), options.count)
    ended = _ended(options.state)
    left = [one for one in chosen if one.key not in ended]
    lines: set[Line] = _in_a_child(_trace, options.seconds)
    with ThreadPoolExecutor(options.jobs) as threads, options.state.open("a") as file:
        for mutant, told in zip(left, threads.map(partial(_tried, options.seconds, lines), left), strict=True):
            ended[mutant.key] = told
            file.write(f"{json.dumps([mutant.key, told])}\n")
            file.flush()
            sys.stdout.write(f"{told.partition(':')[0]:<12}{mutant.key}\n")
            sys.stdout.flush()
    counts = Counter(ended[one.key].partition(":")[0] for one in chosen)
    sys.stdout.write(f"{len(chosen)} mutants: {', '.join(f'{count} {told}' for told, count in counts.most_common())}\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation.random_mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20, help="of a processor, for each of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    parser.add_argument("--state", type=Path, default=Path(os.devnull), help="a file of those that have ended")
    return parser.parse_args()


def _ended(state: Path) -> dict[str, str]:
    return dict(map(json.loads, state.read_text().splitlines())) if state.exists() else {}


def _tried(seconds: float, lines: set[Line], mutant: Mutant) -> str:
    """Return what happened to a mutant: caught, crashed, hung, survived, or not run by any life."""
    if not any((mutant.file, line) in lines for line in mutant.lines):
        return "not run"
    told: str | None = _in_a_child(_live, seconds, mutant)
    return told or "hung"


def _in_a_child(does: Callable[..., object], *values: object) -> Any:
    """Return what a child process sends before it ends."""
    receiver, sender = get_context("fork").Pipe(duplex=False)
    child = get_context("fork").Process(target=does, args=(sender, *values))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        return None
    finally:
        child.join()


def _live(sender: Any, seconds: float, mutant: Mutant) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + HANGS_AFTER,) * 2)
    resource.setrlimit(resource.RLIMIT_AS, (BYTES_MAX, BYTES_MAX))
    sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115  until the process ends
    try:
        plant(mutant, FILES[mutant.file], LIVE)
        for life in lives():
            if life.breach:
                last = next(line for line in reversed(life.breach.splitlines()) if line and not line.startswith("see"))
                kind = "caught" if "Breach" in life.breach else "crashed"
                sender.send(f"{kind}: {life.asked}: {last[:300]}")
                return
            if process_time() > seconds:
                break
        sender.send("survived")
    except BaseException:
        sender.send(f"crashed: {traceback.format_exc()[-300:]}")


def _trace(sender: Any, seconds: float) -> None:
    """Send the lines that lives run within the time that a mutant has."""
    found: set[Line] = set()
    names = {str(path): name for name, path in FILES.items()}

    def called(frame: FrameType, event: str, _: object) -> Any:
        name = names.get(frame.f_code.co_filename)
        if name is None:
            return None

        def stepped(frame: FrameType, _event: str, _: object) -> Any:
            found.add((name, frame.f_lineno))
            return stepped

        return stepped(frame, event, None)

    sys.settrace(called)
    for _ in lives():
        if process_time() > 3 * seconds:
            break
    sys.settrace(None)
    sender.send(found)


if __name__ == "__main__":
    sys.exit(main())
