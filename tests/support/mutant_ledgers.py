"""Ledgers that break one promise each, and the shipped contract for each of them (`test_contract_mutants`).

Run by itself: `pytest tests/support/mutant_ledgers.py --tb=no -q`; all but `TestTrue` and `TestWithoutADoctor` fail.
"""

# ruff: noqa: D102  what each breaks is its name

import threading
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from trc_engage.adapters.memory import MemoryLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core.days import Calendar
from trc_engage.core.posting import SyncFailure
from trc_engage.core.reports import ALL

from .own_ledgers import MemoryContract, SqliteContract

OF_THE_DOCTOR = {"holdings", "lines", "irregularities", "rebalance", "reword"}
MONDAY = date(2026, 3, 2)
"""The first day of the contract's stories."""


class Half:
    """A lock that lets postings pass."""

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
        """Let a posting pass."""
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


class Changes(MemoryLedger):
    """A ledger that writes something else than it was handed."""

    def change(self, posting: Any) -> Any:
        raise NotImplementedError

    def post(self, posting: Any, /) -> Any:
        return super().post(self.change(posting))


class LosesReasonsOfAdjustments(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, drafts=[evolve(one, reason=one.reverses and one.reason) for one in posting.drafts])


class LosesActorsOfAdjustments(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, drafts=[evolve(one, actor=one.reverses and one.actor) for one in posting.drafts])


def cut(at: datetime) -> datetime:
    """Return an instant in whole seconds."""
    return at.replace(microsecond=0)


class CutsEntries(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, at=cut(posting.at), drafts=[evolve(one, at=cut(one.at)) for one in posting.drafts])


class CutsMembers(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, members=[evolve(one, enrolled_at=cut(one.enrolled_at)) for one in posting.members])


class CutsFailures(Changes):
    def change(self, posting: Any) -> Any:
        failure = posting.failure
        return evolve(posting, failure=failure and evolve(failure, at=cut(failure.at)))


class CutsWaits(Changes):
    def change(self, posting: Any) -> Any:
        failure = posting.failure
        until = failure and failure.retry_at and cut(failure.retry_at)
        return evolve(posting, failure=failure and evolve(failure, retry_at=until))


class CutsSlots(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, slot=posting.slot and evolve(posting.slot, at=cut(posting.slot.at)))


class CutsNotices(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, sent=[evolve(one, at=cut(one.at)) for one in posting.sent])


class CutsEvidence(MemoryLedger):
    def evidence(self, *of: Any) -> Any:
        found = super().evidence(*of)
        return [one if one.closes_at is None else evolve(one, closes_at=cut(one.closes_at)) for one in found]


class CutsClaims(MemoryLedger):
    def lease(self, task: str, at: datetime, until: datetime, /) -> Any:
        return super().lease(task, cut(at), cut(until))


class NeverRebalances(MemoryLedger):
    def rebalance(self) -> Any:
        return []


class RebalancesInSilence(MemoryLedger):
    def rebalance(self) -> Any:
        super().rebalance()
        return []


class ActivityBeginsOnMonday(MemoryLedger):
    def activity(self, through: date, /) -> Any:
        activity = super().activity(through)
        return evolve(activity, days=[(MONDAY, members) for _, members in activity.days[:1]])


class CountsNoRise(MemoryLedger):
    def run_state(self, slot: datetime | None = None, /) -> Any:
        state = super().run_state(slot)
        return evolve(state, rises=dict.fromkeys(state.rises, 0))


class RevisionIsAConstant(MemoryLedger):
    def activity(self, through: date, /) -> Any:
        return evolve(super().activity(through), revision=7)


class SeesNoIrregularity(MemoryLedger):
    def irregularities(self) -> Any:
        return []


class ForgetsAtClose(SqliteLedger):
    def close(self) -> None:
        file = Path(str(self.tally().store)) if not hasattr(self, "is_gone") else None
        self.is_gone = True
        super().close()
        if file is not None:
            file.unlink()


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


class PicksEverybody(MemoryLedger):
    def members(self, _of: Any = None, /, **page: Any) -> Any:
        return super().members(**page)


class PagesBeforeItPicks(MemoryLedger):
    def members(self, of: Any = ALL, /, **page: Any) -> Any:
        unseen = {*self.never_seen()}
        return [one for one in super().members(**page) if of.picks(one, is_unseen=one.member_id in unseen)]


class TellsHistoryOldestFirst(MemoryLedger):
    def history(self, member_id: str, /, **which: Any) -> Any:
        return [*reversed(super().history(member_id, **which))]


class FeedsTheLastAgain(MemoryLedger):
    def feed(self, *, after: int, limit: int) -> Any:
        return super().feed(after=max(after - 1, 0), limit=limit)


class RanksTheHidden(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, members=[evolve(one, is_hidden=False) for one in posting.members])


class GrantsEveryClaim(MemoryLedger):
    def lease(self, task: str, at: datetime, until: datetime, /) -> Any:
        self._leases.pop(task, None)
        return super().lease(task, at, until)


class ReleasesForAnybody(MemoryLedger):
    def release(self, lease: Any, /) -> None:
        self._leases.pop(lease.task, None)


class EndsASlotTwice(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        if posting.slot is not None:
            self._runs = evolve(self._runs, slots=[end for end in self._runs.slots if end.slot != posting.slot.slot])
        return super().post(posting)


class ForgetsWaits(MemoryLedger):
    def run_state(self, slot: datetime | None = None, /) -> Any:
        state = super().run_state(slot)
        return evolve(state, sync=evolve(state.sync, waits={}))


class CountsEveryFailure(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, failure=posting.failure and evolve(posting.failure, counts=True))


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


class KeepsReasonsOfTheForgotten(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        before = self._excusals
        entries = super().post(posting)
        if not posting.excusals:
            self._excusals = before
        return entries


class TellsNoUndoneExcusals(MemoryLedger):
    def excusals(self, member_id: str | None = None, /) -> Any:
        return [one for one in super().excusals(member_id) if one.is_excused]


class SettlesWhateverCame(Changes):
    def change(self, posting: Any) -> Any:
        settlement = posting.settlement
        return evolve(
            posting, settlement=settlement and evolve(settlement, revision=self.day_record(settlement.day).revision)
        )


class ReversesWithoutTakingEvidenceBack(MemoryLedger):
    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Any:
        found = super().evidence(member_id, first_day, last_day)
        gone = [entry for entry in self._entries if entry.kind == "reversal" and entry.member_id == member_id]
        return found or gone


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


class RecordsLinksOfNoAccount(MemoryLedger):
    def events(self, *of: Any, **page: Any) -> Any:
        return [evolve(one, account_id=None) if one.kind == "linked" else one for one in super().events(*of, **page)]


class TellsEventsOfOthers(MemoryLedger):
    def events(self, _member_id: Any, /, **page: Any) -> Any:
        return super().events(None, **page)


class TellsEventsAgain(MemoryLedger):
    def events(self, *of: Any, after: int = 0, limit: int = 10_000) -> Any:
        return super().events(*of, after=max(after - 1, 0), limit=limit)


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


class HidesEventsFromTheDoctor(MemoryLedger):
    def holdings(self) -> Any:
        return evolve(super().holdings(), events=())


class ForgetsDecisionsOnTheClock(MemoryLedger):
    def holdings(self) -> Any:
        return evolve(super().holdings(), decisions=())


class CutsDecisionsOnTheClock(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, clock=posting.clock and evolve(posting.clock, at=cut(posting.clock.at)))


class SeesNothingAhead(MemoryLedger):
    def ahead(self, at: datetime, /) -> Any:
        return evolve(super().ahead(at), rises={})


class ConfirmsNothing(MemoryLedger):
    def run_state(self, slot: datetime | None = None, /) -> Any:
        state = super().run_state(slot)
        return evolve(state, sync=evolve(state.sync, seen_at=state.sync.good_at))


class RepairsNoDays(MemoryLedger):
    def _bring_back(self, posting: Any) -> None:
        settled = self._settled, self._runs.calendar
        super()._bring_back(posting)
        self._settled, calendar = settled
        self._runs = evolve(self._runs, calendar=calendar)


class RepairsNoEvidence(MemoryLedger):
    def _bring_back(self, posting: Any) -> None:
        rises = self._discord_days
        super()._bring_back(posting)
        self._discord_days = rises


class RepairsNoReadings(MemoryLedger):
    def _bring_back(self, posting: Any) -> None:
        readings = {**self._readings}
        super()._bring_back(posting)
        self._readings = readings


class RepairsForTheDoctorAlone(MemoryLedger):
    def holdings(self) -> Any:
        return evolve(super().holdings(), decisions=())


OF_THE_CLOCK = (
    ForgetsDecisionsOnTheClock,
    CutsDecisionsOnTheClock,
    SeesNothingAhead,
    ConfirmsNothing,
    RepairsNoDays,
    RepairsNoEvidence,
    RepairsNoReadings,
    RepairsForTheDoctorAlone,
)


class LosesCauses(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, changes=[evolve(one, cause="award") for one in posting.changes])


class LosesTheEntriesOfChanges(MemoryLedger):
    def streak_changes(self, member_id: str, /) -> Any:
        return [evolve(one, entry=None) for one in super().streak_changes(member_id)]


class RecordsLengthsAgain(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        for one in posting.reached:
            self._lengths.pop((one.member_id, one.threshold), None)
        return super().post(posting)


class TellsLengthsFromTheBeginning(MemoryLedger):
    def lengths_reached(self, lengths: Any, /, *, after: int, limit: int) -> Any:
        return super().lengths_reached(lengths, after=min(after, 0), limit=limit)


class TakesABonusForActivity(MemoryLedger):
    def _awards(self) -> Any:
        gone = {entry.reverses for entry in self._entries}
        return (entry for entry in self._entries if entry.kind == "award" and entry.position not in gone)


class ForgetsWhenItBooked(MemoryLedger):
    def history(self, member_id: str, /, **page: Any) -> Any:
        return [evolve(entry, booked_at=None) for entry in super().history(member_id, **page)]


class MarksNobodyWhoLeft(MemoryLedger):
    def ranking(self, *of: Any, **how: Any) -> Any:
        return [evolve(one, has_left=False) for one in super().ranking(*of, **how)]


class RanksWhoLeftAmongThePresent(MemoryLedger):
    def rank_of(self, *of: Any, present: bool = False) -> Any:  # noqa: ARG002
        return super().rank_of(*of)


class ListsWhoLeftAmongThePresent(MemoryLedger):
    def streak_ranking(self, *, limit: int, present: bool = False) -> Any:  # noqa: ARG002
        return super().streak_ranking(limit=limit)


class NeverSawWhoIsAtZero(MemoryLedger):
    def never_seen(self) -> Any:
        return sorted(account.member_id for account in self.linked_accounts() if account.may_be_unseen)


class SawWhoLeft(MemoryLedger):
    def never_seen(self) -> Any:
        tracked = {account.member_id for account in self.accounts_to_sync()}
        return [member_id for member_id in super().never_seen() if member_id in tracked]


class CallsTwoEverybody(MemoryLedger):
    def run_state(self, slot: datetime | None = None, /) -> Any:
        state, tracked = super().run_state(slot), self.accounts_to_sync()
        since = min((self._linked_at[account.account_id] for account in tracked), default=None)
        return evolve(state, unseen_since=state.unseen_since or (since if self.never_seen() else None))


class ForgetsSinceWhenNobodyWasSeen(MemoryLedger):
    def run_state(self, slot: datetime | None = None, /) -> Any:
        return evolve(super().run_state(slot), unseen_since=None)


class ForgetsWhatRostersTold(MemoryLedger):
    def checks(self, member_id: str | None = None, /) -> Any:
        return super().checks(member_id)[:1]


class KeepsWhatWasToldOfTheUnlinked(MemoryLedger):
    def checks(self, member_id: str | None = None, /) -> Any:
        return list(self._checks.values()) if member_id is None else super().checks(member_id)


class ForgetsFailedRounds(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        ended = posting.round
        return super().post(posting if ended is None else evolve(posting, round=evolve(ended, error=None)))


class TakesRoundsForSyncs(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        if posting.round is not None and posting.round.error is not None:
            error = posting.round.error
            posting = evolve(posting, failure=SyncFailure(posting.at, error.kind, error.message, counts=True))
        return super().post(posting)


class ForgetsFallingXp(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        before = dict(self._readings)
        posted = super().post(posting)
        self._readings |= {key: max(xp, before.get(key, 0)) for key, xp in self._readings.items()}
        return posted


class TellsNoRunAround(MemoryLedger):
    def good_runs(self, since: datetime, until: datetime, /) -> Any:
        return [run for run in super().good_runs(since, until) if since <= run.at < until]


class TellsResetsWithoutTheSyncBefore(MemoryLedger):
    def resets(self, member_id: str, /) -> Any:
        return [(entry, None) for entry, _ in super().resets(member_id)]


class SettlesAtMidnight(MemoryLedger):
    def settled(self, first_day: date, last_day: date, /) -> Any:
        return {day: cut(at) for day, at in super().settled(first_day, last_day).items()}


LET_THROUGH = (
    *(
        PostsWithoutALock,
        LosesReasonsOfAdjustments,
        LosesActorsOfAdjustments,
        CutsEntries,
        CutsMembers,
        CutsFailures,
        CutsWaits,
    ),
    *(CutsSlots, CutsNotices, CutsEvidence, CutsClaims, NeverRebalances, RebalancesInSilence),
    *(ActivityBeginsOnMonday, CountsNoRise, RevisionIsAConstant),
    *(SeesNoIrregularity, ForgetsAtClose),
)
"""What the contract once let through."""
CAUGHT = (
    *(PicksEverybody, PagesBeforeItPicks, KnowsNoKeys, KnowsNoReversals, TakesAnybodyForAMember, BooksOnNoCalendar),
    *(PostsOnAnyVersion, StreaksOnAnyVersion, PostsByHalves, TellsHistoryOldestFirst, FeedsTheLastAgain),
    *(RanksTheHidden, GrantsEveryClaim, ReleasesForAnybody, EndsASlotTwice, ForgetsWaits, CountsEveryFailure),
    *(ExcusesNothing, SettlesWhateverCame, ReversesWithoutTakingEvidenceBack),
    *(ExcusesEverybodyInstead, ExcusesNobodyAlone, SettlesWithoutTheExcused, DerivesWithoutTheExcused, LosesNotes),
    *(KeepsReasonsOfTheForgotten, TellsNoUndoneExcusals, LosesCauses, LosesTheEntriesOfChanges, RecordsLengthsAgain),
    *(TellsLengthsFromTheBeginning, TakesABonusForActivity, ForgetsWhenItBooked),
    *(ForgetsFallingXp, TellsNoRunAround, TellsResetsWithoutTheSyncBefore, SettlesAtMidnight),
)
"""What it always caught."""
OF_ROSTERS = (ForgetsWhatRostersTold, KeepsWhatWasToldOfTheUnlinked, ForgetsFailedRounds, TakesRoundsForSyncs)
"""What keeps no true record of the roster (R25)."""
OF_EVENTS = (
    *(
        ForgetsEvents,
        LosesNotesOfEvents,
        CutsEvents,
        LosesWhatALeaveKeeps,
        RecordsLinksOfNoAccount,
        TellsEventsOfOthers,
    ),
    *(TellsEventsAgain, KeepsTextsOfTheForgotten, BlanksTheTextsOfAll, RecordsEventsOfNobody, RecordsEventsFirst),
    *(HidesEventsFromTheDoctor, MarksNobodyWhoLeft, RanksWhoLeftAmongThePresent, ListsWhoLeftAmongThePresent),
    *(NeverSawWhoIsAtZero, SawWhoLeft, CallsTwoEverybody, ForgetsSinceWhenNobodyWasSeen),
)
"""What keeps no true record of members (R26)."""


class UntilItFails:
    """One test that fails is enough."""

    @pytest.fixture(autouse=True)
    def once_is_enough(self, request: pytest.FixtureRequest) -> None:
        """Skip what comes after it."""
        cls: Any = type(self)
        failed = request.session.testsfailed
        if failed > cls.__dict__.get("failed_before", failed):
            pytest.skip("it has failed")
        cls.failed_before = failed


def of(cls: Any) -> type:
    """Return the contract for a mutant."""
    if issubclass(cls, SqliteLedger):
        make: Any = {"make_ledger": lambda _, folder: cls.open(folder / "engage.db")}
        return type(f"Test{cls.__name__}", (UntilItFails, SqliteContract), make)
    return type(f"Test{cls.__name__}", (UntilItFails, MemoryContract), {"make_ledger": lambda *_: cls()})


class WithoutADoctor:
    """A ledger that has all but what the doctor asks for."""

    def __init__(self) -> None:
        self._ledger: Any = MemoryLedger()

    def __getattr__(self, name: str) -> Any:
        if name in OF_THE_DOCTOR:
            raise AttributeError(name)
        return getattr(self._ledger, name)


class TestTrue(MemoryContract):
    """No mutant."""


class TestWithoutADoctor(MemoryContract):
    """No mutant either: a ledger may do without."""

    def make_ledger(self, folder: Path) -> Any:  # noqa: ARG002
        """Return an empty store."""
        return WithoutADoctor()


globals().update(
    {f"Test{cls.__name__}": of(cls) for cls in (*LET_THROUGH, *CAUGHT, *OF_ROSTERS, *OF_EVENTS, *OF_THE_CLOCK)}
)
