"""The port `Records`: what the doctor reads and repairs, and that a store outlives its process."""

from pathlib import Path
from typing import Any

from attrs import evolve

from support.own_ledgers import InAFile, InMemory
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core.audit import Breach
from trc_engage.testing.contracts.runs import ClockContract
from trc_engage.testing.contracts.views import RecordsContract, ViewsContract

from ..planting import under
from .changes import Changes, cut


class Holds(MemoryLedger):
    """A ledger that shows the doctor something else than it holds."""

    def held(self, holdings: Any) -> Any:
        raise NotImplementedError

    def holdings(self) -> Any:
        return self.held(super().holdings())


class NeverRebalances(MemoryLedger):
    def rebalance(self) -> Any:
        return []


class RebalancesInSilence(MemoryLedger):
    def rebalance(self) -> Any:
        super().rebalance()
        return []


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


class HidesEventsFromTheDoctor(MemoryLedger):
    def holdings(self) -> Any:
        return evolve(super().holdings(), events=())


class ForgetsDecisionsOnTheClock(MemoryLedger):
    def holdings(self) -> Any:
        return evolve(super().holdings(), decisions=())


class CutsDecisionsOnTheClock(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, clock=posting.clock and evolve(posting.clock, at=cut(posting.clock.at)))


class HidesUnlinkedAccounts(Holds):
    def held(self, holdings: Any) -> Any:
        return evolve(holdings, accounts=[one for one in holdings.accounts if one.status != "unlinked"])


class HidesWhoHasNoAccount(Holds):
    def held(self, holdings: Any) -> Any:
        linked = {one.member_id for one in holdings.accounts}
        return evolve(holdings, members=[one for one in holdings.members if one.member_id in linked])


class HidesStreaks(Holds):
    def held(self, holdings: Any) -> Any:
        return evolve(holdings, streaks=())


class HidesRises(Holds):
    def held(self, holdings: Any) -> Any:
        return evolve(holdings, rises=())


class HidesBalances(Holds):
    def held(self, holdings: Any) -> Any:
        return evolve(holdings, balances={})


class HoldsNoCalendar(Holds):
    def held(self, holdings: Any) -> Any:
        return evolve(holdings, calendar=evolve(holdings.calendar, settled_through=None))


class EndsBeforeTheLastLine(Holds):
    def held(self, holdings: Any) -> Any:
        return evolve(holdings, last_position=max(holdings.last_position - 1, 0))


class HoldsTheUnreadable(Holds):
    def held(self, holdings: Any) -> Any:
        return evolve(holdings, unreadable=[Breach("unreadable", "a member", "a row", "?", "a row")])


class TellsLinesAgain(MemoryLedger):
    def lines(self, *, after: int, limit: int) -> Any:
        return super().lines(after=max(after - 1, 0), limit=limit)


class TellsLinesWithoutReversals(MemoryLedger):
    def lines(self, *, after: int, limit: int) -> Any:
        return [one for one in super().lines(after=after, limit=limit) if getattr(one, "reverses", None) is None]


class TellsNoLines(MemoryLedger):
    def lines(self, *, after: int, limit: int) -> Any:  # noqa: ARG002
        return ()


class RebalancesWhatWasRight(MemoryLedger):
    def rebalance(self) -> Any:
        return [*super().rebalance(), Breach("balance", "a member", "the balance", "1", "1")]


class RewordsWhatWasRight(MemoryLedger):
    def reword(self) -> Any:
        return [Breach("words", "a member", "the words", "ada", "ada")]


class SeesIrregularitiesEverywhere(MemoryLedger):
    def irregularities(self) -> Any:
        return [Breach("entry", "an entry", "the order", "2", "1")]


MUTANTS = [
    *under(
        "Records",
        {
            RecordsContract: [
                *(NeverRebalances, RebalancesInSilence, SeesNoIrregularity, HidesEventsFromTheDoctor),
                *(HidesUnlinkedAccounts, HidesWhoHasNoAccount, HidesStreaks, HidesRises, HidesBalances),
                *(HoldsNoCalendar, EndsBeforeTheLastLine, HoldsTheUnreadable, TellsLinesAgain),
                *(TellsLinesWithoutReversals, TellsNoLines, RebalancesWhatWasRight, SeesIrregularitiesEverywhere),
            ],
            ClockContract: [ForgetsDecisionsOnTheClock, CutsDecisionsOnTheClock],
            ViewsContract: [RewordsWhatWasRight],
        },
        "ledger_class",
        InMemory,
    ),
    *under("Records", {RecordsContract: [ForgetsAtClose]}, "ledger_class", InAFile),
]
