"""The Celery example with real workers and a real beat, and a folder as its broker."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

import pytest

from support.attended import IDS
from support.running_app import ROOT, SECONDS_MAX
from support.stores import addressed, made
from trc_engage.core.slots import slot_of
from trc_engage.entrypoints.settings import Settings
from trc_engage.entrypoints.stores import now
from trc_engage.entrypoints.wiring import opened, opened_ledger, opened_runner
from trc_engage.testing.mee6 import Mee6Server
from trc_engage.usecases.leases import TASK

GRACE_SECONDS = 30
"""How long Kubernetes lets a pod end before it kills it, by default."""
QUIET = ("--without-gossip", "--without-heartbeat", "--without-mingle")
ALONE = ("worker", "--pool", "solo", "--hostname", "alone", *QUIET)
OTHER = ("worker", "--pool", "solo", "--hostname", "other", *QUIET)
PREFORK = ("worker", "--pool", "prefork", "--concurrency", "2", *QUIET)
BEAT = ("beat", "--schedule", "beat")

WITH_A_FOLDER = """
import sys
from datetime import datetime, timedelta
import time_machine
from celery import signals
from celery_app import app

folders = {"data_folder_in": "messages", "data_folder_out": "messages", "control_folder": "control"}
app.conf.update(broker_url="filesystem://", broker_transport_options={**folders, "polling_interval": 0.1})

if "beat" in sys.argv:
    five_past = (datetime.now().astimezone() + timedelta(days=1)).replace(hour=0, minute=5, second=0, microsecond=0)
    traveller = time_machine.travel(five_past - timedelta(seconds=1), tick=False).start()
    app.conf.beat_schedule["the same"] = app.conf.beat_schedule["run-due"]

    @signals.beat_init.connect(weak=False)
    def pass_on(**_):
        traveller.move_to(five_past, tick=True)
"""
"""The example with a folder as its broker; beat's clock starts just before 00:05, and it sends the task twice."""


class Shift:
    """Celery processes at work on one store, and the lines that they log."""

    def __init__(self, folder: Path, store: str, server: Mee6Server) -> None:
        self._folder = folder
        (folder / "messages").mkdir()
        (folder / "with_a_folder.py").write_text(WITH_A_FOLDER)
        settings = {
            "TRC_ENGAGE_STORE": store,
            "TRC_ENGAGE_GUILD_ID": server.guild_id,
            "TRC_ENGAGE_MEE6_URL": server.url,
        }
        self.settings = Settings.from_mapping(settings)
        self._env = {name: value for name, value in os.environ.items() if not name.startswith(("CELERY", "TRC_ENGAGE"))}
        self._env |= {"PYTHONPATH": os.pathsep.join([str(ROOT / "examples"), *sys.path]), **settings}
        self._processes: list[subprocess.Popen[str]] = []
        self._listeners: list[Thread] = []
        self._lines: SimpleQueue[str] = SimpleQueue()
        self.told: list[str] = []

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a worker or beat."""
        command = [sys.executable, "-m", "celery", "--app", "with_a_folder", *words, "--loglevel", "INFO"]
        process = subprocess.Popen(
            command,
            cwd=self._folder,
            env=self._env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._processes.append(process)
        self._listeners.append(Thread(target=self._listen, args=[process]))
        self._listeners[-1].start()
        return process

    def until(self, text: str) -> None:
        """Return once a process has logged this."""
        while text not in self._lines.get(timeout=SECONDS_MAX):
            pass

    def end(self) -> None:
        """Kill the processes that still run."""
        for process in self._processes:
            # A pool's processes outlive a worker that is killed.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        for process, listener in zip(self._processes, self._listeners, strict=True):
            process.wait()
            listener.join()

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        with process.stderr or pytest.fail("nothing is heard of it") as heard:
            for line in heard:
                self.told.append(line)
                self._lines.put(line)


@pytest.fixture
def server() -> Iterator[Mee6Server]:
    """Serve a board with three members."""
    with Mee6Server.start() as server:
        for discord_id in IDS.values():
            server.board.join(discord_id, xp=1_000)
        yield server


@contextmanager
def held(server: Mee6Server) -> Iterator[Event]:
    """Hold back the server's answers until the end; the event is set by the first request."""
    reading, go_on = Event(), Event()

    def hold(_page: int) -> None:
        reading.set()
        assert go_on.wait(SECONDS_MAX)

    server.between_pages = hold
    try:
        yield reading
    finally:
        server.between_pages = None
        go_on.set()


@contextmanager
def shift_on(kind: str, folder: Path, server: Mee6Server) -> Iterator[Shift]:
    """Yield a shift on a store whose members were never synced, and check that no process logged a traceback."""
    with addressed(kind, folder) as store:
        shift = Shift(folder, store, server)
        try:
            made(shift.settings)
            with opened(shift.settings) as engage:
                for member_id, discord_id in IDS.items():
                    engage.enroll(member_id, discord_id=discord_id)
            yield shift
        finally:
            shift.end()
    assert "Traceback" not in "".join(shift.told)


@pytest.mark.parametrize(
    ("kind", "workers"),
    [("sqlite", [PREFORK]), ("postgres", [ALONE, OTHER])],
    ids=["a pool of two on SQLite", "two workers on PostgreSQL"],
)
def test_of_two_that_take_the_task_at_once_one_syncs(
    kind: str, workers: list[tuple[str, ...]], tmp_path: Path, server: Mee6Server
) -> None:
    """If beat sends the task twice, one worker process syncs, the other logs `busy`, and the board is read once."""
    with shift_on(kind, tmp_path, server) as shift:
        with held(server) as reading:
            for words in (*workers, BEAT):
                shift.start(*words)
            assert reading.wait(SECONDS_MAX), shift.told
            shift.until("'busy'")
        shift.until("'synced'")
        with opened(shift.settings) as engage:
            assert [entry.kind for entry in engage.feed()] == ["opening"] * len(IDS)
            status = engage.status()
        assert (status.lease, status.last_slot and status.last_slot.outcome) == (None, "synced")
        assert len(server.requests) == 1
        assert server.guild_id not in "".join(shift.told)


def test_a_worker_that_is_told_to_end_gives_its_read_up(tmp_path: Path, server: Mee6Server) -> None:
    """A worker that gets SIGTERM during a read ends within 30 s, releases its lease, and leaves the slot open."""
    with shift_on("sqlite", tmp_path, server) as shift:
        with held(server) as reading:
            worker = shift.start(*ALONE)
            shift.start(*BEAT)
            assert reading.wait(SECONDS_MAX), shift.told
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(GRACE_SECONDS) == 0
            shift.until("'stopped'")
            with opened_ledger(shift.settings) as ledger:
                state = ledger.run_state(slot_of(now()))
                assert (state.lease_of(TASK), state.slot_end(slot_of(now()))) == (None, None)
        with opened_runner(shift.settings) as runner:
            assert runner.engage.run_due().outcome == "synced"
