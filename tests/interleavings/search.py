"""All schedules with few preemptions, or a sample of those with more."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from random import Random
from typing import Any

from attrs import define, evolve, field, frozen

from .actors import ACTORS, LATE
from .bugs import BUGS
from .judge import Judge, essence
from .logs import silenced
from .scene import LATER, World
from .scheduler import Deed, Schedule, Scheduler, Switch
from .stages import STAGES, Stage

PREEMPTIONS = 2
PREEMPTIONS_MAX = 6
"""For random schedules."""


@frozen
class Case:
    """Some actors on a kind of store, and how to look for breaches."""

    store: str
    names: tuple[str, ...]
    sample: int = 0
    """How many random schedules; 0 for all with at most `PREEMPTIONS`."""
    every: bool = False
    """Whether to preempt before every statement, even where no actor could tell it from the one before."""
    seed: int = 1


@define
class Found:
    """What a case showed."""

    case: Case
    schedules: Counter[int] = field(factory=Counter)
    """How many schedules were played, by their preemptions."""
    outcomes: int = 0
    breaches: list[tuple[Schedule, list[str]]] = field(factory=list)


@define
class Table:
    """Some actors on one store."""

    stage: Stage
    names: Sequence[str]
    judge: Judge = field(init=False)

    def __attrs_post_init__(self) -> None:
        serial = {}
        for size in range(1, len(self.names) + 1):
            for who in combinations(range(len(self.names)), size):
                orders = []
                for order in permutations(who):
                    # If an actor makes it late, before any of them.
                    for first_late in range(size + 1) if LATE in self.names else [size]:
                        self._play(Schedule(order), World(), order[first_late:])
                        orders.append(essence(self.stage.dump()))
                serial[frozenset(who)] = orders
        self.judge = Judge(self.stage, serial)

    def play(self, schedule: Schedule) -> tuple[Scheduler, list[str]]:
        """Play a schedule and judge it."""
        world = World()
        scheduler, results = self._play(schedule, world)
        return scheduler, self.judge.breaches(results, world, scheduler.deadlocks)

    def _play(self, schedule: Schedule, world: World, late: Sequence[int] = ()) -> tuple[Scheduler, list[Any]]:
        """Play a schedule of the actors in its order, some of them late."""
        self.stage.reset()
        absent = {*range(len(self.names))}.difference(schedule.order)
        deeds = [_nothing if one in absent else self._deed(one, world, one in late) for one in range(len(self.names))]
        scheduler = Scheduler(deeds, evolve(schedule, order=(*schedule.order, *absent)))
        return scheduler, scheduler.run()

    def _deed(self, number: int, world: World, is_late: bool) -> Deed:
        act, ledger = ACTORS[self.names[number]], self.stage.ledgers[number]

        def deed() -> Any:
            if is_late:
                world.now = LATER
            return act(world, ledger)

        return deed


def _nothing() -> None:
    """Do nothing."""


def all_schedules(table: Table, *, every: bool) -> Iterator[tuple[Schedule, Scheduler, list[str]]]:
    """Play every schedule with at most `PREEMPTIONS`, and yield each with what it broke."""
    waiting = deque(Schedule(order) for order in permutations(range(len(table.names))))
    while waiting:
        schedule = waiting.popleft()
        scheduler, breaches = table.play(schedule)
        if scheduler.is_futile:
            # It is as if it had not switched.
            continue
        yield schedule, scheduler, breaches
        if len(schedule.switches) == PREEMPTIONS:
            continue
        for point in _behind(schedule, scheduler):
            if point.step and (every or point.is_new):
                for other in point.others:
                    switch = Switch(point.actor, point.step, other)
                    waiting.append(evolve(schedule, switches=(*schedule.switches, switch)))


def _behind(schedule: Schedule, scheduler: Scheduler) -> Iterator[Any]:
    """Yield the points after the last preemption."""
    points = iter(scheduler.points)
    if schedule.switches:
        last = schedule.switches[-1]
        for point in points:
            if (point.actor, point.step) == (last.actor, last.step):
                break
    yield from points


def some_schedules(table: Table, count: int, seed: int) -> Iterator[tuple[Schedule, Scheduler, list[str]]]:
    """Play random schedules, each with one preemption more than the one before, up to `PREEMPTIONS_MAX`."""
    chance, size = Random(seed), len(table.names)
    for _ in range(count):
        schedule = Schedule(tuple(chance.sample(range(size), size)))
        scheduler, breaches = table.play(schedule)
        for _ in range(PREEMPTIONS_MAX):
            points = [point for point in _behind(schedule, scheduler) if point.step and point.is_new and point.others]
            if not points:
                break
            # Early rather than late, so that some are left for the following ones.
            point = points[int(len(points) * chance.random() ** 2)]
            switch = Switch(point.actor, point.step, chance.choice(point.others))
            schedule = evolve(schedule, switches=(*schedule.switches, switch))
            scheduler, breaches = table.play(schedule)
            yield schedule, scheduler, breaches


def look(case: Case) -> Found:
    """Look at a case."""
    found = Found(case)
    with silenced(), STAGES[case.store](len(case.names)) as stage:
        table = Table(stage, case.names)
        some = some_schedules(table, case.sample, case.seed)
        for schedule, _, breaches in some if case.sample else all_schedules(table, every=case.every):
            found.schedules[len(schedule.switches)] += 1
            if breaches:
                found.breaches.append((schedule, breaches))
        found.outcomes = table.judge.outcomes
    return found


def caught(name: str) -> tuple[int, str]:
    """Look for a planted bug; return how many preemptions first show it, and how. Raise `StopIteration` if none do."""
    planted = BUGS[name]
    with silenced(), planted.bug(), STAGES[planted.store](len(planted.names)) as stage:
        played = all_schedules(Table(stage, planted.names), every=False)
        return next((len(schedule.switches), breaches[0]) for schedule, _, breaches in played if breaches)
