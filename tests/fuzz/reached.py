"""Which lines of the package an input reaches; this keeps the corpus small and gives the share that is reached."""

import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import trc_engage

from .oracle import Target

PACKAGE = Path(trc_engage.__file__).parent
Step = tuple[str, int, int]
"""From one line of a file to the next."""


def steps_of(target: Target, given: bytes) -> set[Step]:
    """Return the steps from line to line that an input takes within the package, ignoring findings."""
    steps: set[Step] = set()
    prefix = str(PACKAGE)

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(prefix):
            return None
        last = 0

        def line(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal last
            if event == "line":
                steps.add((file, last, frame.f_lineno))
                last = frame.f_lineno
            return line

        return line(frame, event, None)

    before = sys.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    with suppress(Exception):
        target.asked(given)
    sys.settrace(before)
    threading.settrace(None)
    return steps


def new(target: Target, known: Iterable[bytes], inputs: Iterable[bytes], bytes_max: int) -> Sequence[bytes]:
    """Return the inputs that take a step which neither a known nor a shorter one takes, as many as fit."""
    seen = {step for given in known for step in steps_of(target, given)}
    found: list[bytes] = []
    for given in sorted(set(inputs), key=lambda one: (len(one), one)):
        steps = steps_of(target, given)
        if steps - seen and len(given) <= bytes_max:
            seen |= steps
            found.append(given)
            bytes_max -= len(given)
    return found


def share(target: Target, inputs: Iterable[bytes]) -> float:
    """Return the share of the lines that the inputs reach, in the modules that read such bytes; 1 is all."""
    reached = {(file, line) for given in inputs for file, _, line in steps_of(target, given)}
    files = [str(PACKAGE / name) for name in target.reads]
    lines = {(file, line) for file in files for line in _lines(file)}
    return len(lines & reached) / len(lines)


def _lines(file: str) -> set[int]:
    """Return the lines of a file within functions: the others are run when it is imported."""
    code = compile(Path(file).read_text("utf-8"), file, "exec")
    functions = [one for one in _codes(code) if one.co_flags & 2]
    return {line for one in functions for _, _, line in one.co_lines() if line and line > one.co_firstlineno}


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
