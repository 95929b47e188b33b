"""A small model of lease, expiry, pause and slot, of which every state is visited.

Two runners begin, read pages, are paused or killed anywhere, and end; meanwhile time passes in steps of 7½ minutes:
longer than a lease lasts without renewal, half a slot, half of what a board that answers 429 asks for. What a step
does is written from the rules (R18, R20, R21, R30); `replay` compares it with the code, transition by transition.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Literal

from attrs import evolve, frozen

STEPS_OF_SLOT = 2
STEPS_OF_WAIT = 2
RUNNERS = (0, 1)
GONE = 2
"""The holder of a lease whose process was killed."""

Phase = Literal["idle", "reading", "read", "limited", "kept away", "lost", "ended", "dead"]
"""Reading: before a page. Read, limited, kept away: before the result is posted. Ended: before the lease is released.
Lost: the lease was found to be lost, before that is posted.
"""
AT_WORK: tuple[Phase, ...] = ("reading", "read", "limited")
Step = tuple[str, int]
"""What happens, and to which runner."""
Outcome = Literal["synced", "failed", "waiting"]


@frozen
class Runner:
    """One process."""

    phase: Phase = "idle"
    slot: int = 0
    is_made_up: bool = False
    """Whether a sync was good since it began, as far as it can tell."""


@frozen
class State:
    """Everything that matters."""

    now: int = 0
    owner: int | None = None
    until: int = 0
    """When the lease expires, if there is one."""
    wait_until: int = 0
    """Until when the board must not be asked."""
    is_failing: bool = False
    slots: tuple[Outcome | None, ...] = ()
    """How each slot ended; None while it is open."""
    runners: tuple[Runner, ...] = (Runner(), Runner())

    @property
    def slot(self) -> int:
        """The present slot."""
        return self.now // STEPS_OF_SLOT


def steps(state: State, last: int) -> Iterator[tuple[Step, State]]:
    """Yield everything that can happen next, and the state that it leads to."""
    if state.now < last:
        yield ("time", GONE), evolve(state, now=state.now + 1)
    for who in RUNNERS:
        for name, after in _steps_of(state, who):
            yield (name, who), after


def _steps_of(state: State, who: int) -> Iterator[tuple[str, State]]:
    phase = state.runners[who].phase
    if phase == "dead":
        yield "restart", _turned(state, who, Runner())
        return
    if phase == "idle":
        yield "begin", _begun(state, who)
        return
    yield "die", evolve(_turned(state, who, Runner("dead")), owner=GONE if state.owner == who else state.owner)
    if phase == "reading":
        yield "page", _paged(state, who)
        yield "read", _phase(state, who, "read")
        yield "limited", _phase(state, who, "limited")
    elif phase == "ended":
        freed = None if state.owner == who else state.owner
        yield "give back", evolve(_turned(state, who, Runner()), owner=freed, until=0 if freed is None else state.until)
    else:
        yield "post", _posted(state, who)


def _turned(state: State, who: int, runner: Runner) -> State:
    return evolve(state, runners=tuple(runner if each == who else state.runners[each] for each in RUNNERS))


def _phase(state: State, who: int, phase: Phase) -> State:
    return _turned(state, who, evolve(state.runners[who], phase=phase))


def _begun(state: State, who: int) -> State:
    """Begin a run; nothing is due in a slot that has ended, and a lease that has not expired is left alone."""
    if state.slots[state.slot] or (state.owner is not None and state.now < state.until):
        return state
    phase: Phase = "kept away" if state.now < state.wait_until else "reading"
    return evolve(_turned(state, who, Runner(phase, state.slot)), owner=who, until=state.now + 1)


def _paged(state: State, who: int) -> State:
    """Renew the lease for a page; a read whose lease was lost ends, as a failure unless a sync was good since."""
    if state.owner != who:
        return _phase(state, who, "ended" if state.runners[who].is_made_up else "lost")
    return evolve(state, until=state.now + 1)


def _posted(state: State, who: int) -> State:
    """Post the result of a read: under the lease with the slot's end, without it only what others must know."""
    runner = state.runners[who]
    if state.owner == who:
        return _posted_under_lease(_phase(state, who, "ended"), runner)
    if runner.phase == "kept away":
        return _phase(state, who, "ended")
    is_failing = state.is_failing or not runner.is_made_up
    wait_until = state.now + STEPS_OF_WAIT if runner.phase == "limited" else state.wait_until
    return evolve(_phase(state, who, "ended"), is_failing=is_failing, wait_until=wait_until)


def _posted_under_lease(state: State, runner: Runner) -> State:
    if runner.phase == "kept away":
        return _ended(state, runner.slot, "waiting")
    if runner.phase == "limited":
        return evolve(_ended(state, runner.slot, "failed"), is_failing=True, wait_until=state.now + STEPS_OF_WAIT)
    # A runner that has found its lease lost has already checked for a good sync.
    others = tuple(evolve(each, is_made_up=each.is_made_up or each.phase in AT_WORK) for each in state.runners)
    return evolve(_ended(state, runner.slot, "synced"), is_failing=False, wait_until=0, runners=others)


def _ended(state: State, slot: int, outcome: Outcome) -> State:
    return evolve(state, slots=(*state.slots[:slot], outcome, *state.slots[slot + 1 :]))


def breaches(before: State, step: Step, after: State) -> Iterator[str]:
    """Yield the promises that a step breaks."""
    name, who = step
    for slot, (was, becomes) in enumerate(zip(before.slots, after.slots, strict=True)):
        if was != becomes:
            if was is not None:
                yield f"slot {slot} ended twice (R18)"
            if before.owner != who:
                yield f"slot {slot} was ended without the lease (R30)"
    is_live = before.owner is not None and before.now < before.until
    if name == "begin" and before.owner != after.owner and is_live:
        yield "a lease was taken that had not expired"
    if name == "begin" and not before.slots[before.slot] and not is_live and after.owner != who:
        yield "a lease that had expired was not taken"
    is_kept = after.wait_until >= before.wait_until or after.slots != before.slots
    if not is_kept:
        yield "a pause was forgotten (R21)"
    if name == "begin" and after.runners[who].phase == "reading" and before.now < before.wait_until:
        yield "a board was asked that is to be left alone (R21)"


def first(last: int) -> State:
    """Return the initial state."""
    return State(slots=(None,) * (last // STEPS_OF_SLOT + 1))


Graph = Mapping[State, Mapping[Step, State]]


def visit(last: int) -> Graph:
    """Return every state up to an instant, with the steps onward."""
    graph: dict[State, dict[Step, State]] = {}
    waiting = deque([first(last)])
    while waiting:
        state = waiting.popleft()
        if state not in graph:
            graph[state] = dict(steps(state, last))
            waiting.extend(graph[state].values())
    return graph


def paths(graph: Graph, last: int) -> Iterator[list[Step]]:
    """Yield paths from the beginning that take every transition at least once."""
    ways = _shortest(graph, first(last))
    left = {state: [*onward] for state, onward in graph.items()}
    for state in graph:
        while left[state]:
            path, here = ways[state][:], state
            while left[here]:
                step = left[here].pop()
                path.append(step)
                here = graph[here][step]
            yield path


def _shortest(graph: Graph, start: State) -> Mapping[State, list[Step]]:
    found: dict[State, list[Step]] = {start: []}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for step, after in graph[state].items():
            if after not in found:
                found[after] = [*found[state], step]
                waiting.append(after)
    return found
