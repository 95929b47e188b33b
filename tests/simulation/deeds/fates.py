"""What happens to a process while it runs: it is killed, suspended, or not alone."""

from collections.abc import Callable
from random import Random

from ..process import Fate, Process
from ..verdict import check
from .doer import Doer
from .stores import fate_of_store

STEPS = (
    "read done",
    "request",
    "pause",
    "begin",
    "commit",
    "commit",
    "commit",
    "post",
    "post done",
    "send",
    "send done",
)
"""The steps at which a kill does the most harm."""
STEPS_OF_A_READ = ("read", "request", "answer", "read done", "post", "begin")
"""The steps at which others get in the way."""
PAGES_OF_A_LONG_READ = 30
TRANSACTIONS = 5
"""About how many transactions a run has."""
STEPS_MAX = 70
"""About how many steps a run takes."""


def fate_of(doer: Doer, process: Process, meddle: Callable[[], None]) -> Fate:
    """Return what happens to a process, if anything, and at which step; `meddle` lets others post."""
    strikes = doer.life.weather.strikes
    if strikes("kills"):
        return _aimed(doer.random, process.kill, STEPS)
    if fate := fate_of_store(doer.life, process, TRANSACTIONS):
        return fate
    if doer.life.is_rolling:
        return ()
    if strikes("suspend"):
        return _aimed(doer.random, lambda: _suspend(doer, process), STEPS_OF_A_READ)
    if strikes("meddling"):
        return _aimed(doer.random, meddle, STEPS_OF_A_READ)
    if strikes("long"):
        return lambda: _run_the_other(doer, process), doer.random.randint(1, PAGES_OF_A_LONG_READ), "answer"
    if strikes("pair"):
        return _aimed(doer.random, lambda: _run_the_other(doer, process), STEPS_OF_A_READ)
    return ()


def _aimed(random: Random, fate: Callable[[], None], steps: tuple[str, ...]) -> Fate:
    """Aim at one of the given steps, or at any step."""
    if random.random() < 0.6:
        return fate, random.randint(1, 3), random.choice(steps)
    return fate, random.randint(1, STEPS_MAX)


def _suspend(doer: Doer, process: Process) -> None:
    """Suspend the machine; if it was reading, another process may take over meanwhile."""
    life = doer.life
    life.coverage.meets("suspended")
    life.clock.sleep(doer.random.choice([20, 200, 301, 400, 1_000, 4_000, 30_000]))
    life.world.until(life.clock.at)
    life.note(process.name, "was suspended at", process.befell)
    life.befell.add(f"suspended at {process.befell}")
    is_reading = process.reads and process.reads[-1].board is None and process.reads[-1].error is None
    if is_reading and not life.audit.is_leased(life.clock()) and doer.random.random() < 0.7:
        life.run_due(life.other(process))


def _run_the_other(doer: Doer, process: Process) -> None:
    """Run a second process at the same time; it must not do anything."""
    life, other = doer.life, doer.life.other(process)
    is_reading = process.befell in {"request", "answer"}
    check(life.audit.is_leased(life.clock()) or not is_reading, "a read goes on without its lease", process.befell)
    if process.is_at_work and life.audit.is_leased(life.clock()):
        life.coverage.meets("another run within")
        other.begin()
        report = other.engage.run_due()
        life.note(other.name, "runs within", process.befell, report.outcome)
        life.befell.add(f"not alone at {process.befell}")
        idle = report.outcome == "nothing" and not (report.settled or report.delivered or report.undelivered)
        check(report.outcome == "busy" or idle, f"two at work at a time ({process.befell}): {report.outcome}")
        check(not other.reads, "two read at a time")
