"""Performs the deeds of one life on the system."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from attrs import define

from trc_engage import Engage

from ..process import STORE_FAILED, Fate, Killed, Process
from ..verdict import check
from .stores import fate_of_store

if TYPE_CHECKING:
    from ..life import Life


@define(eq=False)
class Doer:
    """Performs deeds in a life, and repeats a deed if its process is killed during it."""

    life: Life
    is_meddling: bool = False
    """Whether another process is at work meanwhile; then this one is not killed."""
    _keys: int = 0

    @property
    def random(self) -> Random:
        """The life's own source of chance."""
        return self.life.random

    def next_key(self, prefix: str) -> str:
        """Return a key that was never used."""
        self._keys += 1
        return f"{prefix}:{self._keys - 1}"

    def do(self, process: Process, call: Callable[[Engage], Any], *, changes: bool = True) -> Any:
        """Do something, once more if it was killed or failed; return the instant at which it was really done."""
        process.begin(*self._fate(process))
        done = again = False
        try:
            result, done = call(process.engage), True
        except Killed:
            self.life.died(process)
            again = True
        except STORE_FAILED:
            # Nothing was written, so the repetition counts as the first time.
            if not process.befell:
                raise
        began = process.told_at
        if not done:
            process.begin()
            result = call(process.engage)
        changed = result.outcome != "unchanged"
        check(again or changed == changes, f"{result}, but a change was expected: {changes}")
        self.life.note(process.name, result.outcome, getattr(result, "member_id", ""))
        return began

    def _fate(self, process: Process) -> Fate:
        if self.is_meddling:
            return ()
        if self.life.weather.strikes("kills"):
            return process.kill, self.random.randint(1, 16)
        return fate_of_store(self.life, process, 1)


Deed = Callable[[Doer, Process], object]
