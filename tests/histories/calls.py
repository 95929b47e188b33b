"""What processes called, what they got and when: all that a judge from outside may know."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from time import monotonic_ns
from typing import Any, Self

from attrs import define, field, frozen

from trc_engage import EngageError

Values = Mapping[str, Any]


@frozen
class Call:
    """One call; the outcome of a call that was killed is unknown."""

    process: int
    name: str
    asked: Values
    began: int
    """By the machine's clock, which all processes share, in nanoseconds."""
    ended: int | None = None
    got: Any = None
    """What was returned; None if nothing was."""
    error: str | None = None
    """The name of the error that was raised."""

    @property
    def returned(self) -> bool:
        """Whether the caller got an answer."""
        return self.ended is not None and self.error is None

    def is_before(self, other: Self) -> bool:
        """Return whether it was over when the other began, so that the other must see its effect."""
        return self.ended is not None and self.ended < other.began


@define
class Recorder:
    """Writes down each call before it is made and its outcome afterward, so that a kill loses nothing."""

    path: Path
    process: int
    _file: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def call(self, name: str, asked: Values, deed: Callable[[], Any]) -> Any:
        """Make a call and return its result; None if it raised an `EngageError`."""
        self._write({"process": self.process, "name": name, "asked": asked, "began": monotonic_ns()})
        try:
            got, error = deed(), None
        except EngageError as raised:
            got, error = None, type(raised).__name__
        self._write({"ended": monotonic_ns(), "got": got, "error": error})
        return got

    def _write(self, values: Values) -> None:
        os.write(self._file, json.dumps(values).encode() + b"\n")


def recorded(paths: Sequence[Path]) -> list[Call]:
    """Return all calls of all processes, in the order in which they began."""
    return sorted((call for path in paths for call in _of_one(path)), key=lambda call: call.began)


def _of_one(path: Path) -> Iterator[Call]:
    whole, _, _ = path.read_text().rpartition("\n")
    lines = [json.loads(line) for line in whole.splitlines()]
    for begun, ended in pairwise([*lines, {}]):
        if "began" in begun:
            yield Call(**begun, **(ended if "ended" in ended else {}))
