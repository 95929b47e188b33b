"""A source without pages, as in the documentation, and the class that makes one for the shipped contract."""

# ruff: noqa: D102  the contract says what each does

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trc_engage import Board
from trc_engage.core.errors import ReadStopped, SourceError


class PlainFile:
    """XP by Discord id, as JSON in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_stopped = False

    def read(self, sought: frozenset[str], /) -> Board:
        if self.is_stopped:
            raise ReadStopped
        return self._read(sought, None)

    def stop(self) -> None:
        self.is_stopped = True

    def _read(self, sought: frozenset[str], _requests: Any) -> Board:
        try:
            xp = json.loads(self.path.read_text())
        except OSError as error:
            raise SourceError("down", f"it cannot be read: {error}") from error
        except ValueError as error:
            raise SourceError("malformed", f"it is not JSON: {error}") from error
        return Board({one: xp[one] for one in sought if one in xp}, whole=True, rows=len(xp), pages=1)


class InAFile:
    """Makes a source from a file for the contract, and changes what the file says."""

    source_class: type[Any] = PlainFile

    def make_source(self, folder: Path) -> Any:
        self.path = folder / "board.json"
        return self.source_class(self.path)

    def show(self, xp: Mapping[str, int]) -> None:
        self.path.write_text(json.dumps(xp))

    def fail(self, kind: str) -> None:
        self.path.unlink(missing_ok=True)
        if kind == "malformed":
            self.path.write_text("{")
