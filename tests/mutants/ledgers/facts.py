"""The port `Facts`: what both writers and readers ask."""

from datetime import date
from typing import Any

from attrs import evolve

from support.own_ledgers import InMemory
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.testing.contracts.ledger import PostingContract
from trc_engage.testing.contracts.members import MembersContract
from trc_engage.testing.contracts.runs import RunsContract

from ..planting import under
from .changes import cut


class CutsEvidence(MemoryLedger):
    def evidence(self, *of: Any) -> Any:
        found = super().evidence(*of)
        return [one if one.closes_at is None else evolve(one, closes_at=cut(one.closes_at)) for one in found]


class ReversesWithoutTakingEvidenceBack(MemoryLedger):
    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Any:
        found = super().evidence(member_id, first_day, last_day)
        gone = [entry for entry in self._entries if entry.kind == "reversal" and entry.member_id == member_id]
        return found or gone


class TakesABonusForActivity(MemoryLedger):
    def _awards(self) -> Any:
        gone = {entry.reverses for entry in self._entries}
        return (entry for entry in self._entries if entry.kind == "award" and entry.position not in gone)


class RecordsLinksOfNoAccount(MemoryLedger):
    def events(self, *of: Any, **page: Any) -> Any:
        return [evolve(one, account_id=None) if one.kind == "linked" else one for one in super().events(*of, **page)]


class TellsEventsOfOthers(MemoryLedger):
    def events(self, _member_id: Any, /, **page: Any) -> Any:
        return super().events(None, **page)


class TellsEventsAgain(MemoryLedger):
    def events(self, *of: Any, after: int = 0, limit: int = 10_000) -> Any:
        return super().events(*of, after=max(after - 1, 0), limit=limit)


class NeverSawWhoIsAtZero(MemoryLedger):
    def never_seen(self) -> Any:
        return sorted(account.member_id for account in self.linked_accounts() if account.may_be_unseen)


class SawWhoLeft(MemoryLedger):
    def never_seen(self) -> Any:
        tracked = {account.member_id for account in self.accounts_to_sync()}
        return [member_id for member_id in super().never_seen() if member_id in tracked]


class ForgetsWhatRostersTold(MemoryLedger):
    def checks(self, member_id: str | None = None, /) -> Any:
        return super().checks(member_id)[:1]


class KeepsWhatWasToldOfTheUnlinked(MemoryLedger):
    def checks(self, member_id: str | None = None, /) -> Any:
        return list(self._checks.values()) if member_id is None else super().checks(member_id)


class TellsEvidenceOfLaterDaysToo(MemoryLedger):
    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Any:  # noqa: ARG002
        return super().evidence(member_id, first_day, date.max)


class TellsEvidenceNewestFirst(MemoryLedger):
    def evidence(self, *of: Any) -> Any:
        return [*reversed(super().evidence(*of))]


class TellsOneDayOfAWindow(MemoryLedger):
    def evidence(self, *of: Any) -> Any:
        return [one for one in super().evidence(*of) if one.opens_at is None or one.opens_at.date() == one.day]


class TellsAnUnlinkedAccount(MemoryLedger):
    def account_of(self, member_id: str, /) -> Any:
        mine = [one for one in self._accounts.values() if one.member_id == member_id]
        return mine[-1] if mine else None


class KnowsNoAccountOfWhoLeft(MemoryLedger):
    def account_of(self, member_id: str, /) -> Any:
        found = super().account_of(member_id)
        return None if found and found.status == "left" else found


class TellsEventsNewestFirst(MemoryLedger):
    def events(self, *of: Any, **page: Any) -> Any:
        return [*reversed(super().events(*of, **page))]


class TellsEventsWithoutEnd(MemoryLedger):
    def events(self, *of: Any, after: int = 0, limit: int = 10_000) -> Any:
        return super().events(*of, after=after, limit=10 * limit)


class TellsChecksOfOthers(MemoryLedger):
    def checks(self, _member_id: str | None = None, /) -> Any:
        return super().checks()


class NeverSawAnybodyAgain(MemoryLedger):
    def never_seen(self) -> Any:
        return []


MUTANTS = under(
    "Facts",
    {
        PostingContract: [
            *(CutsEvidence, ReversesWithoutTakingEvidenceBack, TakesABonusForActivity, TellsEvidenceOfLaterDaysToo),
            *(TellsEvidenceNewestFirst, TellsOneDayOfAWindow),
        ],
        MembersContract: [
            *(RecordsLinksOfNoAccount, TellsEventsOfOthers, TellsEventsAgain, TellsEventsNewestFirst),
            *(TellsEventsWithoutEnd, NeverSawWhoIsAtZero, SawWhoLeft, NeverSawAnybodyAgain, TellsAnUnlinkedAccount),
            KnowsNoAccountOfWhoLeft,
        ],
        RunsContract: [ForgetsWhatRostersTold, KeepsWhatWasToldOfTheUnlinked, TellsChecksOfOthers],
    },
    "ledger_class",
    InMemory,
)
