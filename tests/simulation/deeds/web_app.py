"""What the web app does: it awards, repeats awards, awards late, and reverses awards."""

from datetime import timedelta

from trc_engage.core.errors import KeyReused, Reversed

from ..oracle import Award
from ..process import Process
from ..verdict import check
from .doer import Doer

SOURCES = ("benchmark", "download", "course")


def award(doer: Doer, process: Process, ago: timedelta = timedelta(0)) -> None:
    """Award someone something."""
    life, random = doer.life, doer.random
    member = random.choice(sorted(life.oracle.enrolled))
    source, points, key = random.choice(SOURCES), random.randint(1, 60), doer.next_key("run")
    at = life.clock() - ago + timedelta(seconds=random.choice([0, 0, 0, 60, 119]) if not ago else 0)
    began = doer.do(process, lambda engage: engage.award(member, source=source, points=points, key=key, at=at))
    life.oracle.awards[key] = Award(member, source, points, min(at, began).date())


def award_late(doer: Doer, process: Process) -> None:
    """Award something that happened up to three weeks ago."""
    award(doer, process, timedelta(hours=doer.random.randint(1, 21 * 24)))


def award_again(doer: Doer, process: Process) -> None:
    """Use a key again: the same award changes nothing, a different one is refused (R8)."""
    if not doer.life.oracle.awards:
        return
    key = doer.random.choice(list(doer.life.oracle.awards))
    first, at = doer.life.oracle.awards[key], doer.life.clock()
    points = first.points + doer.random.choice([0, 0, 1])
    try:
        doer.do(
            process,
            lambda engage: engage.award(first.member, source=first.source, points=points, key=key, at=at),
            changes=False,
        )
    except (KeyReused, Reversed) as error:
        check(first.is_reversed or points != first.points, f"refused for nothing: {error}")
    else:
        check(not first.is_reversed and points == first.points, "a key was used twice", key)


def reverse(doer: Doer, process: Process) -> None:
    """Reverse an award, possibly one that is already reversed."""
    if not doer.life.oracle.awards:
        return
    key = doer.random.choice(list(doer.life.oracle.awards))
    first = doer.life.oracle.awards[key]
    doer.do(process, lambda engage: engage.reverse(key, reason="withdrawn", by="admin"), changes=not first.is_reversed)
    first.is_reversed = True


def adjust(doer: Doer, process: Process) -> None:
    """Add or deduct points by hand."""
    member, points = doer.random.choice(sorted(doer.life.oracle.enrolled)), doer.random.choice([-30, -1, 2, 40])
    key = doer.next_key("fix")
    doer.do(process, lambda engage: engage.adjust(member, points=points, key=key, reason="typo", by="admin"))
    doer.life.oracle.adjustments[key] = member, points
