"""Replays paths of the model on the code: real ledgers, `run_due`, and runners that stop where the model says."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import define, field, frozen

from support.community import IDS, opened
from trc_engage import Board, Engage, SourceError
from trc_engage.core.ports import Requests, Store
from trc_engage.core.posting import RunState

from .bugs import BUGS_OF_RUNS
from .lease import GONE, RUNNERS, STEPS_OF_SLOT, Graph, Phase, State, Step, first, paths, visit
from .logs import silenced

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
STEP = timedelta(minutes=7.5)
STOPS: Mapping[Phase, str] = {
    "idle": "",
    "dead": "",
    "reading": "page",
    "limited": "page",
    "read": "post",
    "kept away": "post",
    "lost": "post",
    "ended": "release",
}
"""Where a process is stopped in each phase."""
HUNG_SECONDS = 60


class Killed(BaseException):
    """Ends a process at once."""


@define(eq=False)
class Process:
    """One run of a process, as its source and its ledger; it stops at pages, before it posts and before it ends."""

    ledger: Any
    stop_at: str = ""
    """Where it is stopped; empty when it is over."""
    _word: str = ""
    _is_posting: bool = False
    _go: threading.Semaphore = field(factory=lambda: threading.Semaphore(0))
    _stopped: threading.Semaphore = field(factory=lambda: threading.Semaphore(0))

    def begin(self, clock: Callable[[], datetime]) -> None:
        """Run until the first stop."""
        engage = Engage(ledger=self, source=self, clock=clock)
        threading.Thread(target=self._live, args=(engage,), daemon=True).start()
        self._wait()

    def go(self, word: str) -> None:
        """Go on to the next stop."""
        self._word = word
        self._go.release()
        self._wait()

    def _wait(self) -> None:
        assert self._stopped.acquire(timeout=HUNG_SECONDS), f"it hangs behind {self.stop_at}"

    def _live(self, engage: Engage) -> None:
        try:
            engage.run_due()
            self.stop_at = ""
        except Killed:
            self.stop_at = ""
        except Exception as error:
            # The model does not stop here.
            self.stop_at = f"{error!r}"
        self._stopped.release()

    def _stop(self, where: str) -> str:
        self.stop_at = where
        self._stopped.release()
        self._go.acquire()
        if self._word == "die":
            raise Killed
        return self._word

    def __getattr__(self, name: str) -> Any:
        if self._word == "die":
            raise Killed
        return getattr(self.ledger, name)

    def post(self, posting: Any, /) -> Any:
        """Post; stop before the first posting."""
        if self._word == "die":
            raise Killed
        if not self._is_posting and self._word != "fail":
            self._is_posting = True
            self._stop("post")
        return self.ledger.post(posting)

    def release(self, lease: Any, /) -> None:
        """Release the lease after a stop."""
        if self._word == "die":
            raise Killed
        self._stop("release")
        self.ledger.release(lease)

    def read_pages(self, sought: frozenset[str], requests: Requests, /) -> Board:
        """Read pages for as long as the model says so."""
        while (word := self._stop("page")) == "page":
            requests.seconds_until_free(2.0)
            requests.ended(2.0)
        if word == "fail":
            raise SourceError("rate_limited", "a test")
        return Board(dict.fromkeys(sought, 1_000), whole=True, rows=20, pages=1)

    def read(self, sought: frozenset[str], /) -> Board:
        """Fail: the code must read page by page."""
        raise NotImplementedError


@define
class Replay:
    """One path on one store."""

    ledger: Store
    now: datetime = NOON
    _processes: dict[int, Process] = field(factory=dict)
    _owners: dict[str, int] = field(factory=dict)
    """Which runner owns a lease, by the name on it."""

    def take(self, before: State, step: Step) -> None:
        """Let a step happen."""
        name, who = step
        if name == "time":
            self.now += STEP
        elif name == "begin":
            self._processes[who] = Process(self.ledger)
            self._processes[who].begin(lambda: self.now)
            lease = self.ledger.run_state().lease_of("run")
            if lease is not None:
                self._owners.setdefault(lease.owner, who)
        elif name == "die":
            self._owners = {owner: GONE if whose == who else whose for owner, whose in self._owners.items()}
            self._processes[who].go("die")
        elif name == "post" and before.runners[who].phase == "limited":
            self._processes[who].go("fail")
        elif name not in {"restart", "limited"}:
            self._processes[who].go(name)

    def differences(self, expected: State) -> list[str]:
        """Compare what is visible with the model."""
        state = self.ledger.run_state(NOON)
        lease, wait = state.lease_of("run"), state.sync.wait
        seen = {
            "owner": None if lease is None else self._owners[lease.owner],
            "until": None if lease is None else lease.until,
            "wait": None if wait is None else wait.until,
            "failing": state.sync.failure_run is not None,
            "slots": [_outcome(state, slot) for slot in range(len(expected.slots))],
            "stops": [self._processes[who].stop_at if who in self._processes else "" for who in RUNNERS],
        }
        meant = {
            "owner": expected.owner,
            "until": None if expected.owner is None else NOON + STEP * (expected.until - 1) + timedelta(minutes=5),
            "wait": NOON + STEP * expected.wait_until if expected.wait_until else None,
            "failing": expected.is_failing,
            "slots": [*expected.slots],
            "stops": [STOPS[runner.phase] for runner in expected.runners],
        }
        return [f"{name}: {seen[name]}, not {meant[name]}" for name in seen if seen[name] != meant[name]]

    def end(self) -> None:
        """End the processes that are still running."""
        for process in self._processes.values():
            if process.stop_at:
                process.go("die")


def _outcome(state: RunState, slot: int) -> str | None:
    end = state.slot_end(NOON + STEP * STEPS_OF_SLOT * slot)
    return None if end is None else end.outcome


def replayed(ledger: Store, graph: Graph, last: int, path: Sequence[Step]) -> list[str]:
    """Replay a path; return where code and model diverge, and how."""
    replay, here = Replay(ledger), first(last)
    try:
        for number, step in enumerate(path):
            replay.take(here, step)
            here = graph[here][step]
            if differences := replay.differences(here):
                return [f"after {path[: number + 1]}", *differences]
    finally:
        replay.end()
    return []


@contextmanager
def store(kind: str, folder: Path) -> Iterator[Store]:
    """Yield a store with one member whose account is to be read."""
    with opened(kind, folder) as ledger:
        engage = Engage(ledger=ledger, clock=lambda: NOON - timedelta(minutes=1))
        engage.enroll("ada", discord_id=IDS["ada"])
        yield ledger


def replays(kind: str, last: int) -> Iterator[tuple[int, list[str]]]:
    """Replay every transition of the model up to an instant; yield each path's length and differences."""
    graph = visit(last)
    for path in paths(graph, last):
        with TemporaryDirectory() as folder, store(kind, Path(folder)) as ledger:
            yield len(path), replayed(ledger, graph, last, path)


@frozen
class Replayed:
    """What all paths showed on one kind of store."""

    kind: str
    paths: int
    steps: int
    differences: Sequence[Sequence[str]]


def replayed_all(kind: str, last: int) -> Replayed:
    """Replay all paths."""
    with silenced():
        found = [*replays(kind, last)]
    steps = sum(length for length, _ in found)
    return Replayed(kind, len(found), steps, [differences for _, differences in found if differences])


def shown(name: str, last: int) -> Sequence[str]:
    """Return how a planted bug first shows; raise `StopIteration` if it never does."""
    with silenced(), BUGS_OF_RUNS[name]():
        return next(differences for _, differences in replays("memory", last) if differences)
