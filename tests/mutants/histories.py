"""Variants of `Engage` that break one promise now and then, for the judge to catch."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from attrs import evolve

from trc_engage import Engage, Entry, LedgerBusy, Receipt, RunReport, SettleReport, Standing

EVERY = 10


class Faulty(Engage):
    """Breaks nothing itself, but decides when to break the promise."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._turns = count(1)

    def is_time(self) -> bool:
        """Return whether to break the promise now."""
        return next(self._turns) % EVERY == 0


class Forgets(Faulty):
    """Acknowledges an award that it does not write."""

    def award(self, member_id: str, **given: Any) -> Receipt:
        if not self.is_time():
            return super().award(member_id, **given)
        receipt = super().award(member_id, **given)
        return Receipt("awarded", evolve(receipt.entry, position=receipt.entry.position + 10**6))


class RaisesAndWrites(Faulty):
    """Writes an award and says that it could not."""

    def award(self, member_id: str, **given: Any) -> Receipt:
        receipt = super().award(member_id, **given)
        if self.is_time() and receipt.changed:
            raise LedgerBusy("a test")
        return receipt


class PaysTwice(Faulty):
    """Takes a key for a new one though it is known."""

    def award(self, member_id: str, **given: Any) -> Receipt:
        receipt = super().award(member_id, **given)
        if receipt.changed and self.is_time():
            super().award(member_id, **{**given, "key": f"{given['key']} again"})
        return receipt


class SaysMadeTwice(Faulty):
    """Tells two callers that their award was the one that was booked."""

    def award(self, member_id: str, **given: Any) -> Receipt:
        return evolve(super().award(member_id, **given), outcome="awarded")


class GivesOldPositions(Faulty):
    """Gives a later caller an earlier position."""

    def award(self, member_id: str, **given: Any) -> Receipt:
        receipt = super().award(member_id, **given)
        return evolve(receipt, entry=evolve(receipt.entry, position=1)) if self.is_time() else receipt


class SeesTheFuture(Faulty):
    """Shows an entry that nobody has made."""

    def feed(self, **given: Any) -> Sequence[Entry]:
        page = super().feed(**given)
        return [*page, evolve(page[-1], position=page[-1].position + 1)] if page and self.is_time() else page


class LeavesOut(Faulty):
    """Leaves an entry out of a page."""

    def feed(self, **given: Any) -> Sequence[Entry]:
        page = super().feed(**given)
        return [*page[:1], *page[2:]] if len(page) > 2 else page


class ReadsOld(Faulty):
    """Shows what stood when it was first asked."""

    known: dict[str, Standing]

    def standing(self, member_id: str) -> Standing:
        self.known = getattr(self, "known", {})
        return self.known.setdefault(member_id, super().standing(member_id))


class FollowsLate(Faulty):
    """Keeps the newest entries of the feed back."""

    def feed(self, **given: Any) -> Sequence[Entry]:
        return super().feed(**given)[:-3]


class Miscounts(Faulty):
    """Adds a point to a balance."""

    def standing(self, member_id: str) -> Standing:
        standing = super().standing(member_id)
        return evolve(standing, points=standing.points + 1_000) if self.is_time() else standing


class EndsSlotsTwice(Faulty):
    """Ends a slot that had ended."""

    last: RunReport | None = None

    def run_due(self, **given: Any) -> RunReport:
        report = super().run_due(**given)
        if report.slot is None and self.last is not None:
            return self.last
        self.last = report if report.slot else self.last
        return report


class SettlesTwice(Faulty):
    """Settles a day that was settled."""

    last: SettleReport | None = None

    def settle(self, **given: Any) -> SettleReport:
        report = super().settle(**given)
        if not report.settled and self.last is not None:
            return self.last
        self.last = report if report.settled else self.last
        return report


FAULTS: dict[str, type[Engage]] = {
    one.__doc__ or "": one
    for one in (
        Forgets,
        RaisesAndWrites,
        PaysTwice,
        SaysMadeTwice,
        GivesOldPositions,
        SeesTheFuture,
        LeavesOut,
        ReadsOld,
        FollowsLate,
        Miscounts,
        EndsSlotsTwice,
        SettlesTwice,
    )
}
"""The faults by what each does."""
