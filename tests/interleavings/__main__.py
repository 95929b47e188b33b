"""Run every interleaving: `python -m interleavings` prints what each pair of actors showed; exit code 1 on a breach.

First every state of the model of leases and slots is visited and replayed on the code. Then all schedules of two
actors with at most two preemptions are played on SQLite and PostgreSQL, and random ones of three actors, and of two
actors with more preemptions. `--every` preempts on SQLite before every statement, even if none can tell it apart.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import combinations, combinations_with_replacement
from time import monotonic

from simulation.pool import pool

from .actors import ACTORS
from .lease import breaches, visit
from .replay import Replayed, replayed_all
from .search import PREEMPTIONS, PREEMPTIONS_MAX, Case, Found, look
from .stages import STAGES

SAMPLES = {("sqlite", 2): 10, ("sqlite", 3): 15, ("postgres", 2): 3, ("postgres", 3): 1}
"""How many random schedules there are for each two actors and each three; each grows by one preemption at a time."""
LAST = 4
"""The last instant of the model …"""
REPLAYED = {"memory": 2, "sqlite": 2, "postgres": 1}
"""… and the last one that is replayed on each store."""
TOLD = 2
"""How many breaches of a case are printed."""


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def cases(stores: list[str], *, every: bool) -> list[Case]:
    """Return all cases to look at, the longest first."""
    pairs = [*combinations_with_replacement(ACTORS, 2)]
    found = [Case(store, pair, every=every and store == "sqlite") for store in stores for pair in pairs]
    some = [*pairs, *combinations(ACTORS, 3)]
    found += [Case(store, names, sample=SAMPLES[store, len(names)]) for store in stores for names in some]
    return sorted(found, key=lambda case: -sum("runner" in name for name in case.names))


def is_model_sound() -> bool:
    """Visit the model; return whether no state of it breaks a promise."""
    graph = visit(LAST)
    steps = [(state, step, after) for state, onward in graph.items() for step, after in onward.items()]
    broken = {breach for one in steps for breach in breaches(*one)}
    say(f"the model: {len(graph):,} states, {len(steps):,} transitions, {'; '.join(broken) or 'no promise broken'}")
    return not broken


def is_model_true(replays: Iterable[Replayed]) -> bool:
    """Print what replaying the model's transitions on the code showed; return whether they agree."""
    is_true = True
    for one in replays:
        say(f"the model on {one.kind}: {one.paths:,} paths, {one.steps:,} steps, {len(one.differences)} differences")
        for difference in one.differences[:TOLD]:
            say(f"    {'; '.join(difference)}")
        is_true &= not one.differences
    return is_true


def is_every_schedule_sound(looks: Iterable[Found]) -> bool:
    """Print what each case showed and how many schedules there were; return whether every promise was kept."""
    counts: Counter[str] = Counter()
    broken = 0
    for found in looks:
        case, count = found.case, found.schedules.total()
        kind = f"random, up to {PREEMPTIONS_MAX}" if case.sample else f"all, up to {PREEMPTIONS}"
        counts[f"{case.store}, {len(case.names)} actors, {kind} preemptions"] += count
        broken += len(found.breaches)
        told = f"{count} schedules ({kind} preemptions), {found.outcomes} outcomes, {len(found.breaches)} breaches"
        say(f"{case.store}: {' + '.join(case.names)}: {told}")
        for schedule, breach in found.breaches[:TOLD]:
            say(f"    {schedule}: {'; '.join(breach)}")
    for kind, count in sorted(counts.items()):
        say(f"{kind}: {count:,} schedules")
    say(f"{counts.total():,} schedules, {broken} breaches")
    return not broken


def main() -> bool:
    """Do all of it; return whether every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m interleavings", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--store", choices=[*STAGES], action="append", help="on which store (default: both)")
    parser.add_argument("--every", action="store_true", help="before every statement on SQLite")
    parser.add_argument("--jobs", type=int, help="in how many processes (default: one for each core)")
    given = parser.parse_args()
    began, stores = monotonic(), given.store or [*STAGES]
    with ExitStack() as stack:
        each = map if given.jobs == 1 else stack.enter_context(pool(given.jobs, stores)).map
        replays = each(replayed_all, ["memory", *stores], [REPLAYED[one] for one in ("memory", *stores)])
        looks = each(look, cases(stores, every=given.every))
        is_sound = all([is_model_sound(), is_model_true(replays), is_every_schedule_sound(looks)])
    say(f"{monotonic() - began:.0f} s")
    return is_sound


if __name__ == "__main__":
    sys.exit(not main())
