"""Lets actors run one at a time, each in its own thread, and switches between two statements as a schedule says."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field, frozen

Deed = Callable[[], Any]
HUNG_SECONDS = 120
"""No schedule takes a second: after this long the scheduler itself is broken."""


@frozen
class Switch:
    """A preemption: before one of its statements an actor must wait, and another goes on."""

    actor: int
    step: int
    to: int


@frozen
class Schedule:
    """Which actor goes first, which is next whenever one has ended or waits for a lock, and the preemptions."""

    order: tuple[int, ...]
    switches: tuple[Switch, ...] = ()


@frozen
class Point:
    """A place where an actor can be preempted: before a statement."""

    actor: int
    step: int
    others: tuple[int, ...]
    """The actors that could go on instead."""
    is_new: bool
    """Whether any actor could tell it from the place before."""


@define
class Actor:
    """One actor's thread."""

    number: int
    deed: Deed
    turn: threading.Semaphore = field(factory=lambda: threading.Semaphore(0))
    step: int = 0
    is_over: bool = False
    is_blocked: bool = False
    result: Any = None
    """What it returned, or the error that it raised."""


class Stuck(Exception):
    """No actor can go on."""


@define(eq=False)
class Scheduler:
    """One schedule of some deeds."""

    deeds: Sequence[Deed]
    schedule: Schedule
    points: list[Point] = field(factory=list, init=False)
    done: int = field(default=0, init=False)
    """How many of the switches were made."""
    is_futile: bool = field(default=False, init=False)
    """Whether an actor that it switched to could only wait."""
    deadlocks: int = field(default=0, init=False)
    _actors: list[Actor] = field(init=False)
    _over: threading.Semaphore = field(factory=lambda: threading.Semaphore(0), init=False)
    _just_switched: bool = field(default=False, init=False)

    def run(self) -> list[Any]:
        """Run it to its end, and return what each deed returned or raised."""
        self._actors = [Actor(number, deed) for number, deed in enumerate(self.deeds)]
        threads = [threading.Thread(target=self._live, args=(actor,), daemon=True) for actor in self._actors]
        for thread in threads:
            thread.start()
        self._actors[self.schedule.order[0]].turn.release()
        if not self._over.acquire(timeout=HUNG_SECONDS):
            raise Stuck(f"{self.schedule}")
        for thread in threads:
            thread.join()
        return [actor.result for actor in self._actors]

    def before(self, *, is_new: bool) -> None:
        """Reach a statement of the present actor, and let another go on if the schedule says so."""
        me = _local.actor
        step, me.step = me.step, me.step + 1
        others = tuple(one.number for one in self._actors if one is not me and not one.is_over)
        self.points.append(Point(me.number, step, others, is_new))
        if self.done < len(self.schedule.switches):
            switch = self.schedule.switches[self.done]
            if (switch.actor, switch.step) == (me.number, step) and switch.to in others:
                self.done += 1
                self._just_switched = True
                self._hand_over(me, self._actors[switch.to])

    def after(self) -> None:
        """Record that a statement of the present actor was run: locks that others wait for may be free."""
        self._just_switched = False
        for one in self._actors:
            one.is_blocked = False

    def wait(self) -> bool:
        """Let others go on while the present actor waits for a lock; return whether to try again."""
        me = _local.actor
        self.is_futile |= self._just_switched
        me.is_blocked = True
        following = self._next()
        if following is None:
            self.deadlocks += 1
            return False
        self._hand_over(me, following)
        return True

    def _live(self, actor: Actor) -> None:
        actor.turn.acquire()
        _local.scheduler, _local.actor = self, actor
        try:
            actor.result = actor.deed()
        except Exception as error:
            # The judge decides what may be raised.
            actor.result = error
        actor.is_over = True
        self.after()
        following = self._next()
        if following is None:
            self._over.release()
        else:
            following.turn.release()

    def _next(self) -> Actor | None:
        waiting = (self._actors[number] for number in self.schedule.order)
        return next((one for one in waiting if not one.is_over and not one.is_blocked), None)

    def _hand_over(self, me: Actor, to: Actor) -> None:
        to.turn.release()
        me.turn.acquire()


_local = threading.local()


def present() -> Scheduler | None:
    """Return the scheduler of the present thread's actor, or None in any other thread."""
    return getattr(_local, "scheduler", None)


def number() -> int:
    """Return the number of this thread's actor."""
    actor: Actor = _local.actor
    return actor.number
