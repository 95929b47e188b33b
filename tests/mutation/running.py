"""Which tests notice a mutant: a pytest plugin that forks a process for each and runs tests that execute its line."""

import ast
import contextlib
import functools
import gc
import importlib
import os
import pickle
import re
import resource
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from attrs import define, evolve, field

from .operators import Mutant

SECONDS_OF_A_TEST_MAX = 3.0
"""Slower tests are not used."""
SECONDS_OF_TESTS_MAX = 10.0
"""If many tests execute a mutant's line, only its module's tests and then the quickest run, up to this sum."""
CPU_SECONDS_MIN, CPU_FACTOR = 3, 8
"""A test counts as failed if it takes this many times its usual processor time."""
WALL_SECONDS_MAX = 600
MEMORY_MAX = 4 << 30
SANE, SANE_EVERY = "nothing", 40
"""Now and then the same tests run without a change, and all of them must pass."""
UNPLANTED = 70
"""The exit code if a change has no effect: the code is the same, or needs another closure. It is not counted."""
KILLED, SURVIVED, UNSEEN, STARVED = "killed", "survived", "unseen", "not decided"


@define
class Hunt:
    """The plugin: it learns which test executes which line, then hunts each mutant."""

    mutants: Sequence[Mutant]
    files: Mapping[str, Path]
    jobs: int
    fates: dict[str, str] = field(factory=dict)
    items: list[pytest.Item] = field(factory=list)
    seconds: dict[str, float] = field(factory=dict)
    passed: dict[tuple[str, int], set[str]] = field(factory=dict)

    def pytest_configure(self) -> None:
        """Leave nothing to chance."""
        import hypothesis  # noqa: PLC0415  once pytest has seen to its asserts

        phases = hypothesis.Phase.explicit, hypothesis.Phase.generate
        hypothesis.settings.register_profile(
            "hunt", derandomize=True, database=None, deadline=None, max_examples=40, phases=phases
        )
        hypothesis.settings.load_profile("hunt")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do this instead of running all tests once."""
        self.items = [item for item in session.items if not re.search("postgres|OnAServer", item.nodeid, re.IGNORECASE)]
        self._learn()
        quick = [item for item in self.items if item.nodeid in self.seconds]
        print(f"{len(quick):,} tests, {len(self.mutants):,} mutants", flush=True)  # noqa: T201
        live = functions_of({str(path) for path in self.files.values()})
        asked = ((mutant, self._of(mutant, quick)) for mutant in self.mutants)
        running: dict[int, tuple[Mutant, float]] = {}
        gc.freeze()
        for number, (mutant, items) in enumerate(asked):
            if not items:
                self.fates[mutant.key] = UNSEEN
                continue
            sane = [evolve(mutant, made=None, value=None, change=SANE)] * (number % SANE_EVERY == 0)
            for one in (*sane, mutant):
                while len(running) >= self.jobs:
                    self._reap(running)
                running[self._fork(one, items, live)] = one, time.monotonic()
        while running:
            self._reap(running)
        return True

    def _learn(self) -> None:
        """Run all tests once in a child process, and record the lines that each executes and how long it takes."""
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "told"
            if not (child := os.fork()):
                _be_quiet()
                with contextlib.suppress(BaseException):
                    told.write_bytes(pickle.dumps(self._passed()))
                os._exit(0)
            os.waitpid(child, 0)
            self.seconds, self.passed = pickle.loads(told.read_bytes())  # noqa: S301  our own

    def _passed(self) -> tuple[dict[str, float], dict[tuple[str, int], set[str]]]:
        import coverage  # noqa: PLC0415  of a group of its own

        traced, seconds = coverage.Coverage(data_file=None, include=[str(one) for one in self.files.values()]), {}
        traced.start()
        signal.signal(signal.SIGPROF, _give_up)
        for item, following in zip(self.items, [*self.items[1:], None], strict=True):
            traced.switch_context(item.nodeid)
            began = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, SECONDS_OF_A_TEST_MAX)
            if _passes(item, following):
                seconds[item.nodeid] = time.process_time() - began
        signal.setitimer(signal.ITIMER_PROF, 0)
        traced.stop()
        passed: dict[tuple[str, int], set[str]] = {}
        for name, path in self.files.items():
            for line, contexts in traced.get_data().contexts_by_lineno(str(path)).items():
                passed[name, line] = {one for one in contexts if one}
        return seconds, passed

    def _of(self, mutant: Mutant, quick: Sequence[pytest.Item]) -> Sequence[pytest.Item]:
        """Return the tests that execute the lines of a mutant, those of its module first."""
        lines = mutant.lines or self._lines_with(mutant)
        seen = set().union(*(self.passed.get((mutant.file, line), set()) for line in lines))
        noun = f"/test_{Path(mutant.file).stem}"
        found = sorted(
            (item for item in quick if item.nodeid in seen),
            key=lambda item: (noun not in item.nodeid, self.seconds[item.nodeid]),
        )
        took, chosen = 0.0, []
        for item in found:
            took += self.seconds[item.nodeid]
            if took > SECONDS_OF_TESTS_MAX:
                break
            chosen.append(item)
        return chosen

    def _lines_with(self, mutant: Mutant) -> Sequence[int]:
        """Return the lines that name the value which a mutant changes."""
        assert mutant.value is not None
        text, value = self.files[mutant.file].read_text().splitlines(), re.compile(rf"\b{mutant.value[0]}\b")
        return [number for number, line in enumerate(text, 1) if value.search(line)]

    def _fork(self, mutant: Mutant, items: Sequence[pytest.Item], live: "Live") -> int:
        child = os.fork()
        if child:
            return child
        _be_quiet()
        gc.disable()
        os.setsid()
        seconds = int(CPU_SECONDS_MIN + CPU_FACTOR * sum(self.seconds[item.nodeid] for item in items))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        code = UNPLANTED
        with contextlib.suppress(BaseException):
            plant(mutant, self.files[mutant.file], live)
            code = 1
            signal.signal(signal.SIGPROF, _give_up)
            code = int(not all(self._stands(item, then) for item, then in zip(items, [*items[1:], None], strict=True)))
        os._exit(code)

    def _stands(self, item: pytest.Item, following: pytest.Item | None) -> bool:
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS_MIN + CPU_FACTOR * self.seconds[item.nodeid])
        return _passes(item, following)

    def _reap(self, running: dict[int, tuple[Mutant, float]]) -> None:
        """Wait until one child has ended; one that was killed for its CPU time has been caught."""
        while True:
            for child, (mutant, began) in [*running.items()]:
                ended, status = os.waitpid(child, os.WNOHANG)
                if not ended and time.monotonic() - began > WALL_SECONDS_MAX:
                    # An endless loop ends by its CPU limit: the machine is too busy, or something waits forever.
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    del running[child]
                    self.fates[mutant.key] = STARVED
                    return
                if ended:
                    del running[child]
                    assert status == 0 or mutant.change != SANE, f"tests fail though nothing is changed: {mutant.key}"
                    if mutant.change == SANE:
                        return
                    if os.waitstatus_to_exitcode(status) != UNPLANTED:
                        self.fates[mutant.key] = SURVIVED if status == 0 else KILLED
                    if status == 0:
                        print(f"lives: {mutant.key}", flush=True)  # noqa: T201
                    return
            time.sleep(0.005)


class TooSlow(BaseException):
    """A test takes too long to be used."""


def _give_up(*_: object) -> None:
    raise TooSlow


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    return all(not report.failed for report in runtestprotocol(item, nextitem=following, log=False))


def _be_quiet() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)


Live = tuple[Mapping[tuple[str, str, int], Sequence[FunctionType]], Sequence[Any]]
"""The functions of the files in this process, by file, name and line, and all caches of results."""


def functions_of(files: set[str]) -> Live:
    """Return the functions of files as they exist in this process."""
    functions, caches = defaultdict[tuple[str, str, int], list[FunctionType]](list), []
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename in files:
            functions[_name_of(one.__code__)].append(one)
        elif isinstance(one, functools._lru_cache_wrapper):
            caches.append(one)
    return functions, caches


def _name_of(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _codes(one)


def plant(mutant: Mutant, path: Path, live: Live) -> None:
    """Put the change into the loaded module."""
    functions, caches = live
    for cache in caches:
        cache.cache_clear()
    if mutant.value is not None:
        _put(mutant, path)
        return
    make: Callable[[], ast.Module] | None = mutant.made
    if make is None:
        return
    changed = 0
    for code in _codes(compile(make(), str(path), "exec")):
        for function in functions.get(_name_of(code), ()):
            if function.__code__ != code:
                function.__code__ = code
                changed += 1
    assert changed, mutant.key


def _put(mutant: Mutant, path: Path) -> None:
    assert mutant.value is not None
    name, value = mutant.value
    module = importlib.import_module("trc_engage." + ".".join(Path(mutant.file).with_suffix("").parts))
    assert module.__file__ == str(path)
    before = getattr(module, name)
    for one in [*sys.modules.values()]:
        for other, had in [*getattr(one, "__dict__", {}).items()]:
            if had is before:
                setattr(one, other, value)
            elif isinstance(had, tuple) and any(part is before for part in had):
                setattr(one, other, tuple(value if part is before else part for part in had))
