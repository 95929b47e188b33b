"""The port `PagedSource`: sources over HTTP that break one promise each, as the name of the class says."""

# ruff: noqa: ARG002  what each breaks is its name

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve

from trc_engage import Board
from trc_engage.adapters.lurkr import LurkrSource
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.core.errors import SourceError
from trc_engage.testing import PagedSourceContract
from trc_engage.testing.boards import LurkrServer
from trc_engage.testing.mee6 import Mee6Server

from ..planting import Planted, under


class Changes(Mee6Source):
    """A source that reports something else than it read."""

    def change(self, board: Board, sought: frozenset[str]) -> Board:
        raise NotImplementedError

    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        return self.change(super()._read(sought, requests), sought)


class CallsEveryBoardWhole(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, whole=True)


class CallsTheMissedAbsent(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, missed=frozenset())


class HidesTheServersClock(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, server_at=None)


class TellsTimeWithoutAZone(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, server_at=board.server_at and board.server_at.replace(tzinfo=None))


class StopsWhereEveryoneIsFound(Mee6Source):
    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        return super()._read(frozenset(sought), requests)


class ReadsToTheEndAlways(Mee6Source):
    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        if sought and hasattr(sought, "whole"):
            sought.whole = True
        return super()._read(sought, requests)


class InTrouble(Mee6Source):
    """A source that turns an error into something else."""

    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        raise NotImplementedError

    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        try:
            return super()._read(sought, requests)
        except SourceError as error:
            return self.say(error, sought)


class CallsEverythingDown(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        raise SourceError("down", error.message, error.retry_after)


class ForgetsTheWait(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        raise SourceError(error.kind, error.message)


class MakesUpAWait(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        raise SourceError(error.kind, error.message, error.retry_after or timedelta(hours=1))


class WaitsByItsOwnClock(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        wait = error.retry_after and error.retry_after + (datetime(2031, 3, 2, tzinfo=UTC) - datetime.now(UTC))
        raise SourceError(error.kind, error.message, wait)


class ShowsTheToken(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        token = self._client.http.headers["Authorization"]
        raise SourceError(error.kind, f"{error.message} ({token})", error.retry_after)


class TriesARefusalAgain(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        return Mee6Source._read(self, sought, None)


class NeverRecovers(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        self._client.deadline_seconds = 0.0
        raise error


class ReadsAfterAStop(Mee6Source):
    def stop(self) -> None:
        """Do nothing."""


class IsOneBoardForAllGuilds(Mee6Source):
    @classmethod
    def open(cls, guild_id: str, **options: Any) -> Any:
        source = super().open(guild_id, **options)
        source.board_id = "mee6"
        return source


class HasTheTokenInItsId(Mee6Source):
    @classmethod
    def open(cls, guild_id: str, *, token: Any = None, **options: Any) -> Any:
        source = super().open(guild_id, token=token, **options)
        source.board_id += f":{token}"
        return source


class AsksForNoTurn(Mee6Source):
    def read_pages(self, sought: frozenset[str], requests: Any, /) -> Board:
        return self.read(sought)


class NeverEndsATurn(Mee6Source):
    def read_pages(self, sought: frozenset[str], requests: Any, /) -> Board:
        ended: Callable[[float], object] = lambda _: None  # noqa: E731
        requests.ended = ended
        return super().read_pages(sought, requests)


class LeavesNoGap(Mee6Source):
    @classmethod
    def open(cls, guild_id: str, **options: Any) -> Any:
        return super().open(guild_id, **options | {"page_gap": 0.0})


class IgnoresLimits(LurkrSource):
    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        self._client._spent_until = 0.0
        self._client.service = evolve(self.service, limits=None)
        return super()._read(sought, requests)


def _under(server: type[Any], mutants: Iterable[type[Any]]) -> list[Planted]:
    hooks = type("OnAServer", (), {"server_class": server})
    return under("PagedSource", {PagedSourceContract: mutants}, "source_class", hooks)


MUTANTS: list[Planted] = [
    *_under(
        Mee6Server,
        [
            *Changes.__subclasses__(),
            *InTrouble.__subclasses__(),
            *(StopsWhereEveryoneIsFound, ReadsToTheEndAlways, ReadsAfterAStop, IsOneBoardForAllGuilds),
            *(HasTheTokenInItsId, AsksForNoTurn, NeverEndsATurn, LeavesNoGap),
        ],
    ),
    *_under(LurkrServer, [IgnoresLimits]),
]
