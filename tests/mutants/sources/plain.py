"""The port `XpSource`: sources without pages that break one promise each, as the name of the class says."""

# ruff: noqa: ARG002  what each breaks is its name

import json
from datetime import datetime
from typing import Any

from attrs import evolve

from support.plain_source import InAFile, PlainFile
from trc_engage import Board
from trc_engage.core.errors import SourceError
from trc_engage.testing import SourceContract

from ..planting import Planted, under


class Changes(PlainFile):
    """A source that reports something else than it read."""

    def change(self, board: Board, sought: frozenset[str]) -> Board:
        raise NotImplementedError

    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        return self.change(super()._read(sought, requests), sought)


class ReadsAbsentAsZero(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, readings={**dict.fromkeys(sought, 0), **board.readings})


class TakesZeroForAbsent(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, readings={one: xp for one, xp in board.readings.items() if xp})


class TellsStrangers(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, readings={**board.readings, "1": 5}, rows=board.rows + 1)


class DropsTheLast(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, readings=dict(list(board.readings.items())[:-1]))


class CountsThoseSoughtOnly(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, rows=len(board.readings))


class CallsTheAbsentMissed(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, missed=sought - board.readings.keys())


class CallsNoBoardWhole(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, whole=False, missed=sought - board.readings.keys())


class ReadsFractions(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        readings: dict[str, Any] = {one: float(xp) for one, xp in board.readings.items()}
        return evolve(board, readings=readings)


class ReadsNumbersAsIds(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        readings: dict[Any, int] = {int(one): xp for one, xp in board.readings.items()}
        return evolve(board, readings=readings)


class KnowsNoXpAboveABillion(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, readings={one: min(xp, 10**9) for one, xp in board.readings.items()})


class TellsTimeWithoutAZone(Changes):
    def change(self, board: Board, sought: frozenset[str]) -> Board:
        return evolve(board, server_at=datetime(2026, 3, 2))  # noqa: DTZ001


class RemembersTheFirstBoard(PlainFile):
    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        known: dict[Any, Board] = self.__dict__.setdefault("known", {})
        if sought not in known:
            known[sought] = super()._read(sought, requests)
        return known[sought]


class ReadsTheFirstThousand(PlainFile):
    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        xp = json.loads(self.path.read_text())
        first = dict(list(xp.items())[:1_000])
        board = super()._read(sought, requests)
        return evolve(board, readings={one: first[one] for one in sought if one in first})


class InTrouble(PlainFile):
    """A source that turns an error into something else."""

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
        raise SourceError("down", error.message)


class LetsForeignErrorsOut(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        raise RuntimeError(error.message)


class SaysItInTwoLines(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        raise SourceError(error.kind, f"{error.message}\n{self.path}")


class FailsOnceOnly(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        if self.__dict__.setdefault("told", error) is error:
            raise error
        return Board({}, whole=True, rows=0, pages=1)


class NeverRecovers(InTrouble):
    def say(self, error: SourceError, sought: frozenset[str]) -> Board:
        self.path = self.path / "gone"
        raise error


class LetsMissingFilesOut(PlainFile):
    def _read(self, sought: frozenset[str], requests: Any) -> Board:
        json.loads(self.path.read_text())
        return super()._read(sought, requests)


class HasALongId(PlainFile):
    board_id = "file:" * 60


class HasANameOfTwoLines(PlainFile):
    name = "a\nfile"


class ReadsAfterAStop(PlainFile):
    def stop(self) -> None:
        """Do nothing."""


MUTANTS: list[Planted] = under(
    "XpSource",
    {
        SourceContract: [
            *Changes.__subclasses__(),
            *InTrouble.__subclasses__(),
            *(RemembersTheFirstBoard, ReadsTheFirstThousand, LetsMissingFilesOut, HasALongId, HasANameOfTwoLines),
            ReadsAfterAStop,
        ]
    },
    "source_class",
    InAFile,
)
