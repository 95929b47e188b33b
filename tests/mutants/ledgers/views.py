"""The port `Views`: what people read."""

from datetime import date, datetime
from typing import Any

from attrs import evolve

from support.own_ledgers import InMemory
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core.reports import ALL
from trc_engage.testing.contracts.ledger import DaysContract, PostingContract
from trc_engage.testing.contracts.views import ViewsContract

from ..planting import under
from .changes import Changes, cut


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


class TellsNoUndoneExcusals(MemoryLedger):
    def excusals(self, member_id: str | None = None, /) -> Any:
        return [one for one in super().excusals(member_id) if one.is_excused]


class LosesTheEntriesOfChanges(MemoryLedger):
    def streak_changes(self, member_id: str, /) -> Any:
        return [evolve(one, entry=None) for one in super().streak_changes(member_id)]


class TellsLengthsFromTheBeginning(MemoryLedger):
    def lengths_reached(self, lengths: Any, /, *, after: int, limit: int) -> Any:
        return super().lengths_reached(lengths, after=min(after, 0), limit=limit)


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


class TellsNoRunAround(MemoryLedger):
    def good_runs(self, since: datetime, until: datetime, /) -> Any:
        return [run for run in super().good_runs(since, until) if since <= run.at < until]


class TellsResetsWithoutTheSyncBefore(MemoryLedger):
    def resets(self, member_id: str, /) -> Any:
        return [(entry, None) for entry, _ in super().resets(member_id)]


class SettlesAtMidnight(MemoryLedger):
    def settled(self, first_day: date, last_day: date, /) -> Any:
        return {day: cut(at) for day, at in super().settled(first_day, last_day).items()}


class FindsTheHiddenByName(MemoryLedger):
    def _visible(self, present: bool = False) -> Any:
        return [one for one in self._members.values() if not one.is_forgotten] if not present else []


class FindsByAPartOfAWord(MemoryLedger):
    def find(self, text: str, /, *, limit: int) -> Any:
        return super().find(text, limit=limit) or [
            found for found in super().find(text[:1], limit=limit) if text in str(found.name).lower()
        ]


class TalliesTheLinkedAlone(MemoryLedger):
    def tally(self) -> Any:
        tally = super().tally()
        accounts: Any = {status: count for status, count in tally.accounts.items() if status != "unlinked"}
        return evolve(tally, accounts=accounts)


class ReadsTheFirstAccount(MemoryLedger):
    def xp_read(self, account_ids: Any, day: date, /) -> Any:
        return super().xp_read(sorted(account_ids)[:1], day)


class RanksEqualsOneAfterTheOther(MemoryLedger):
    def ranking(self, *of: Any, **how: Any) -> Any:
        return [evolve(one, rank=number) for number, one in enumerate(super().ranking(*of, **how), 1)]


class RanksAllMonthsAlike(MemoryLedger):
    def rank_of(self, member_id: str, month: date | None, /, **how: Any) -> Any:  # noqa: ARG002
        return super().rank_of(member_id, None, **how)


MUTANTS = under(
    "Views",
    {
        ViewsContract: [
            *(PicksEverybody, PagesBeforeItPicks, TellsHistoryOldestFirst, FeedsTheLastAgain, RanksTheHidden),
            *(MarksNobodyWhoLeft, RanksWhoLeftAmongThePresent, ListsWhoLeftAmongThePresent, FindsTheHiddenByName),
            *(FindsByAPartOfAWord, TalliesTheLinkedAlone, RanksEqualsOneAfterTheOther, RanksAllMonthsAlike),
        ],
        PostingContract: [ForgetsWhenItBooked],
        DaysContract: [
            *(TellsNoUndoneExcusals, LosesTheEntriesOfChanges, TellsLengthsFromTheBeginning, TellsNoRunAround),
            *(TellsResetsWithoutTheSyncBefore, SettlesAtMidnight, ReadsTheFirstAccount),
        ],
    },
    "ledger_class",
    InMemory,
)
