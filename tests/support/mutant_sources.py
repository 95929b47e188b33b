"""Sources that break one promise each, and the shipped contract for each of them (`test_source_contract`).

Run by itself: `pytest tests/support/mutant_sources.py -p support.first_failures --tb=no -q`; all but `TestTrue` fail.
"""

# ruff: noqa: ARG002, D102  what each breaks is its name

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import evolve

from trc_engage import Board
from trc_engage.adapters.lurkr import LurkrSource
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.core.errors import SourceError
from trc_engage.testing import PagedSourceContract, SourceContract
from trc_engage.testing.boards import LurkrServer
from trc_engage.testing.mee6 import Mee6Server


class Changes(Mee6Source):
    """A source that says something else than it read."""

    def change(self, board: Board, sought: frozenset[str]) -> Board:
        raise NotImplementedError

    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        return self.change(super()._read(sought, requests), sought)


class ReadsAbsentAsZero(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, readings={**dict.fromkeys(sought, 0), **board.readings})


class TellsStrangers(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, readings={**board.readings, "1": 5}, rows=board.rows + 1)


class DropsTheLast(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, readings=dict(list(board.readings.items())[:-1]))


class CountsThoseSoughtOnly(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, rows=len(board.readings))


class CallsEveryBoardWhole(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, whole=True)


class CallsTheAbsentMissed(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, missed=sought - board.readings.keys())


class CallsTheMissedAbsent(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, missed=frozenset())


def changed(board: Board, one: Any = str, xp: Any = int) -> Any:
    """Return the readings in other types."""
    return {one(discord_id): xp(total) for discord_id, total in board.readings.items()}


class ReadsFractions(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, readings=changed(board, xp=float))


class ReadsNumbersAsIds(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, readings=changed(board, one=int))


class HidesTheServersClock(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, server_at=None)


class TellsTimeWithoutAZone(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, server_at=board.server_at and board.server_at.replace(tzinfo=None))


class RemembersTheFirstBoard(Mee6Source):
    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        known: dict[Any, Board] = self.__dict__.setdefault("known", {})
        if sought not in known:
            known[sought] = super()._read(sought, requests)
        return known[sought]


class StopsWhereEveryoneIsFound(Mee6Source):
    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        return super()._read(frozenset(sought), requests)


class ReadsToTheEndAlways(Mee6Source):
    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        if sought and hasattr(sought, "whole"):
            sought.whole = True
        return super()._read(sought, requests)


class InTrouble(Mee6Source):
    """A source that makes something else of an error."""

    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        raise NotImplementedError

    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        try:
            return super()._read(sought, requests)
        except SourceError as error:
            return self.say(error, sought)


class ReadsAnEmptyBoardInTrouble(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        return Board({}, whole=True, rows=0, pages=0)


class MissesEveryoneInTrouble(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        return Board({}, whole=False, rows=0, pages=0, missed=sought)


class CallsEverythingDown(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        raise SourceError("down", error.message, error.retry_after)


class LetsForeignErrorsOut(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        raise RuntimeError(error.message)


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


class PlainFile:
    """A source without pages, as in the documentation."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, sought: frozenset[str], /) -> Board:
        try:
            xp = json.loads(self.path.read_text())
        except OSError as error:
            raise SourceError("down", f"it cannot be read: {error}") from error
        except ValueError as error:
            raise SourceError("malformed", f"it is no JSON: {error}") from error
        return Board({one: xp[one] for one in sought if one in xp}, whole=True, rows=len(xp), pages=1)


class LetsMissingFilesOut(PlainFile):
    def read(self, sought: frozenset[str], /) -> Board:
        json.loads(self.path.read_text())
        return super().read(sought)


class HasALongId(PlainFile):
    board_id = "file:" * 60


PAGED: list[type[Any]] = [
    *(kind for kind in Changes.__subclasses__()),
    *(kind for kind in InTrouble.__subclasses__()),
    *(RemembersTheFirstBoard, StopsWhereEveryoneIsFound, ReadsToTheEndAlways, ReadsAfterAStop, IsOneBoardForAllGuilds),
    *(HasTheTokenInItsId, AsksForNoTurn, NeverEndsATurn, LeavesNoGap, IgnoresLimits),
]
PLAIN = [LetsMissingFilesOut, HasALongId]


class PlainContract(SourceContract):
    source_class: type[Any] = PlainFile

    def make_source(self, folder: Path) -> Any:
        self.path = folder / "board.json"
        return self.source_class(self.path)

    def show(self, xp: Any) -> None:
        self.path.write_text(json.dumps(xp))

    def fail(self, kind: str) -> None:
        self.path.unlink(missing_ok=True)
        if kind == "malformed":
            self.path.write_text("{")


class TestTrue(PlainContract):
    """What is planted is what fails."""


def _contract_of(mutant: type[Any]) -> type[Any]:
    if mutant in PLAIN:
        return type(f"Test{mutant.__name__}", (PlainContract,), {"source_class": mutant})
    server = LurkrServer if issubclass(mutant, LurkrSource) else Mee6Server
    return type(f"Test{mutant.__name__}", (PagedSourceContract,), {"source_class": mutant, "server_class": server})


for _mutant in (*PAGED, *PLAIN):
    globals()[f"Test{_mutant.__name__}"] = _contract_of(_mutant)
