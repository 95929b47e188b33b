"""The port `Ledger`: what is written, what is refused, and what streaks and settlements are based on."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

from attrs import evolve

from support.own_ledgers import InMemory
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core.days import Calendar
from trc_engage.testing.contracts.ledger import DaysContract, PostingContract
from trc_engage.testing.contracts.members import MembersContract
from trc_engage.testing.contracts.runs import RunsContract

from ..planting import under
from .changes import Changes, cut

MONDAY = date(2026, 3, 2)
"""The first day of the contract's stories."""


class Half:
    """A lock that does not hold up postings."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._local = threading.local()

    def __enter__(self) -> None:
        held = self._local.held = [*getattr(self._local, "held", []), not getattr(self._local, "posts", False)]
        if held[-1]:
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        if self._local.held.pop():
            self._lock.release()

    def passed(self, post: Callable[[], Any]) -> Any:
        """Run a posting without taking the lock."""
        self._local.posts = True
        try:
            return post()
        finally:
            self._local.posts = False


class PostsWithoutALock(MemoryLedger):
    def __init__(self) -> None:
        super().__init__()
        self._half = Half()
        self._lock: Any = self._half

    def post(self, posting: Any, /) -> Any:
        return self._half.passed(lambda: super(PostsWithoutALock, self).post(posting))


class LosesReasonsOfAdjustments(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, drafts=[evolve(one, reason=one.reverses and one.reason) for one in posting.drafts])


class LosesActorsOfAdjustments(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, drafts=[evolve(one, actor=one.reverses and one.actor) for one in posting.drafts])


class CutsEntries(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, at=cut(posting.at), drafts=[evolve(one, at=cut(one.at)) for one in posting.drafts])


class CutsMembers(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, members=[evolve(one, enrolled_at=cut(one.enrolled_at)) for one in posting.members])


class ActivityBeginsOnMonday(MemoryLedger):
    def activity(self, through: date, /) -> Any:
        activity = super().activity(through)
        return evolve(activity, days=[(MONDAY, members) for _, members in activity.days[:1]])


class RevisionIsAConstant(MemoryLedger):
    def activity(self, through: date, /) -> Any:
        return evolve(super().activity(through), revision=7)


class KnowsNoKeys(MemoryLedger):
    def booking(self, key: str, *of: Any) -> Any:
        return evolve(super().booking(key, *of), posted=None)


class KnowsNoReversals(MemoryLedger):
    def booking(self, key: str, *of: Any) -> Any:
        return evolve(super().booking(key, *of), reversal=None)


class TakesAnybodyForAMember(MemoryLedger):
    def booking(self, key: str, *of: Any) -> Any:
        return evolve(super().booking(key, *of), is_member=True)


class BooksOnNoCalendar(MemoryLedger):
    def booking(self, key: str, *of: Any) -> Any:
        return evolve(super().booking(key, *of), calendar=Calendar())


class PostsOnAnyVersion(Changes):
    def change(self, posting: Any) -> Any:
        accounts = self._accounts
        moves = [
            evolve(move, account=evolve(move.account, version=accounts[move.account.account_id].version))
            for move in posting.moves
        ]
        return evolve(posting, moves=moves)


class StreaksOnAnyVersion(Changes):
    def change(self, posting: Any) -> Any:
        streaks = [evolve(one, version=self.streak_of(one.member_id).version) for one in posting.streaks]
        return evolve(posting, streaks=streaks)


class PostsByHalves(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        super().post(evolve(posting, links=(), drafts=()))
        return super().post(
            evolve(posting, members=(), moves=(), run=None, streaks=(), settlement=None, excusals=(), slot=None)
        )


class ExcusesNothing(MemoryLedger):
    def calendar(self, member_id: str | None = None, /) -> Any:
        return evolve(super().calendar(member_id), excused=frozenset())


class ExcusesEverybodyInstead(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, excusals=[evolve(one, member_id=None) for one in posting.excusals])


class ExcusesNobodyAlone(MemoryLedger):
    def calendar(self, _: str | None = None, /) -> Any:
        return super().calendar()


class SettlesWithoutTheExcused(MemoryLedger):
    def day_record(self, day: date, /) -> Any:
        return evolve(super().day_record(day), excused=())


class DerivesWithoutTheExcused(MemoryLedger):
    def activity(self, through: date, /) -> Any:
        return evolve(super().activity(through), excused=())


class LosesNotes(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, excusals=[evolve(one, note=None) for one in posting.excusals])


class SettlesWhateverCame(Changes):
    def change(self, posting: Any) -> Any:
        settlement = posting.settlement
        return evolve(
            posting, settlement=settlement and evolve(settlement, revision=self.day_record(settlement.day).revision)
        )


class KeepsReasonsOfTheForgotten(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        before = self._excusals
        entries = super().post(posting)
        if not posting.excusals:
            self._excusals = before
        return entries


class ForgetsEvents(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, events=())


class LosesNotesOfEvents(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, events=[evolve(one, note=None) for one in posting.events])


class CutsEvents(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, events=[evolve(one, at=cut(one.at)) for one in posting.events])


class LosesWhatALeaveKeeps(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, events=[evolve(one, next_reading=None, window_from=None) for one in posting.events])


class KeepsTextsOfTheForgotten(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        said = [*self._events]
        posted = super().post(posting)
        self._events[: len(said)] = said
        return posted


class BlanksTheTextsOfAll(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        posted = super().post(posting)
        if any(one.is_forgotten for one in posting.members):
            self._events = [one if one.kind == "forgotten" else one.forgotten() for one in self._events]
        return posted


class RecordsEventsOfNobody(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        known = {*self._members, *(one.member_id for one in posting.members)}
        return super().post(evolve(posting, events=[one for one in posting.events if one.member_id in known]))


class RecordsEventsFirst(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        super().post(evolve(posting, members=(), moves=(), links=(), drafts=(), streaks=(), run=None, slot=None))
        return super().post(evolve(posting, events=()))


class LosesCauses(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, changes=[evolve(one, cause="award") for one in posting.changes])


class KeepsAFewChanges(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, changes=posting.changes[:10])


class RecordsAFewLengths(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, reached=posting.reached[:10])


class RecordsLengthsAgain(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        for one in posting.reached:
            self._lengths.pop((one.member_id, one.threshold), None)
        return super().post(posting)


class ReturnsOneEntry(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        return super().post(posting)[:1]


class ForgetsFallingXp(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        before = dict(self._readings)
        posted = super().post(posting)
        self._readings |= {key: max(xp, before.get(key, 0)) for key, xp in self._readings.items()}
        return posted


class LetsStreaksBeginAtAnyVersion(Changes):
    def change(self, posting: Any) -> Any:
        stored = self._streaks
        return evolve(
            posting, streaks=[one if one.member_id in stored else evolve(one, version=0) for one in posting.streaks]
        )


class LetsMembersBeginAtAnyVersion(Changes):
    def change(self, posting: Any) -> Any:
        stored = self._members
        return evolve(
            posting, members=[one if one.member_id in stored else evolve(one, version=0) for one in posting.members]
        )


MUTANTS = under(
    "Ledger",
    {
        PostingContract: [
            *(LosesReasonsOfAdjustments, LosesActorsOfAdjustments, CutsEntries, KnowsNoKeys, KnowsNoReversals),
            *(TakesAnybodyForAMember, BooksOnNoCalendar, PostsOnAnyVersion, StreaksOnAnyVersion, PostsByHalves),
            *(LetsStreaksBeginAtAnyVersion, LetsMembersBeginAtAnyVersion, RecordsEventsOfNobody),
            ReturnsOneEntry,
        ],
        DaysContract: [
            *(ActivityBeginsOnMonday, RevisionIsAConstant, ExcusesNothing, ExcusesEverybodyInstead, ExcusesNobodyAlone),
            *(SettlesWithoutTheExcused, DerivesWithoutTheExcused, LosesNotes, SettlesWhateverCame, LosesCauses),
            *(RecordsLengthsAgain, ForgetsFallingXp),
        ],
        MembersContract: [
            *(CutsMembers, KeepsReasonsOfTheForgotten, ForgetsEvents, LosesNotesOfEvents, CutsEvents),
            *(LosesWhatALeaveKeeps, KeepsTextsOfTheForgotten, BlanksTheTextsOfAll),
            *(RecordsEventsFirst, KeepsAFewChanges, RecordsAFewLengths),
        ],
        RunsContract: [PostsWithoutALock],
    },
    "ledger_class",
    InMemory,
)
