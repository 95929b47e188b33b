"""What our admins do: they decide, excuse days, and sync by hand."""

from datetime import date, timedelta

from ..oracle import WEEKEND, Drops
from ..process import Process
from .doer import Doer

RENEWED = 0.03
"""The chance per call that a deleted webhook is replaced: after eight hours or so."""


def decide(doer: Doer, process: Process) -> None:
    """React to what the pager showed."""
    life, random = doer.life, doer.random
    if life.pager.is_gone and random.random() < RENEWED:
        life.note("the webhook gets another address")
        life.pager.renew()
    due = life.oracle.next_day(life.clock())
    if due is not None and due[1] == "decision" and random.random() < 0.1 / life.plot.patience:
        if random.random() < 0.5:
            _set_excused(doer, process, due[0])
        else:
            life.settle(process, due[0])
    is_real = not (life.weather.has("half") or life.weather.has("stale") or life.weather.has("frozen"))
    if life.failures.is_distrusted and random.random() < (0.15 if is_real else 0.01) / life.plot.patience:
        drops: Drops = (life.season or "deduct") if random.random() < 0.9 else "rebase"
        if process.address == life.server.home and random.random() < 0.8:
            life.decide(process, drops, dry_run=random.random() < 0.2)
        else:
            life.sync(process, decision=drops)


def sync_by_hand(doer: Doer, process: Process) -> None:
    """Sync, accepting a recent reading or not."""
    doer.life.sync(process, fresh=doer.random.random() < 0.5)


def dry_run(doer: Doer, process: Process) -> None:
    """Do a dry run of a sync."""
    doer.life.sync(process, dry_run=True)


def excuse(doer: Doer, process: Process) -> None:
    """Excuse a day in the near past or future (R13)."""
    day = _day_nearby(doer)
    if day is not None and day not in doer.life.oracle.calendar.excused:
        _set_excused(doer, process, day)


def unexcuse(doer: Doer, process: Process) -> None:
    """Require an excused day again."""
    excused = doer.life.oracle.calendar.excused
    if excused:
        day = doer.random.choice(sorted(excused))
        doer.do(process, lambda engage: engage.unexcuse(day, by="admin"))
        excused.discard(day)


def _day_nearby(doer: Doer) -> date | None:
    day = doer.life.clock().date() + timedelta(days=doer.random.randint(-9, 4))
    return None if f"{day:%a}" in WEEKEND else day


def _set_excused(doer: Doer, process: Process, day: date) -> None:
    doer.do(process, lambda engage: engage.excuse(day, reason="a holiday", by="admin"))
    doer.life.oracle.calendar.excused.add(day)
