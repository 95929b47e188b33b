"""Many daemons on one store, killed in turn, run each slot once and settle each day once (R15, R18, R19)."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event

import pytest
import time_machine

from support.attended import IDS
from support.command import Operator
from support.community import QUARTER
from support.stores import SHARED, addressed, made
from support.timed import SECONDS_MAX, TimedDaemon
from trc_engage import Engage
from trc_engage.core.slots import SETTLES_AFTER, slot_of
from trc_engage.entrypoints.settings import Settings
from trc_engage.entrypoints.wiring import opened_ledger
from trc_engage.testing.mee6 import Mee6Server
from trc_engage.usecases.leases import LEASED_FOR, TASK

BEGINS_AT = datetime(2026, 3, 3, 20, 0, tzinfo=UTC)
SLOTS = [BEGINS_AT + QUARTER * number for number in range(30)]
RUNNERS = 4
AGAIN = timedelta(seconds=61)
"""A daemon that found another one at work has retried after this long."""
MOMENT_SECONDS_MAX = 0.05
"""A little longer than a run takes."""


class World:
    """A board on which every member earns a point in each slot, and daemons whose clock the test sets."""

    def __init__(self, kind: str, folder: Path, store: str) -> None:
        self.at = BEGINS_AT - QUARTER
        self.server = Mee6Server.start(clock=lambda: self.at)
        self.operator = Operator(folder, self.server)
        self.operator.env["TRC_ENGAGE_STORE"] = store
        settings = Settings.from_mapping(self.operator.env)
        made(settings)
        self.ledger = opened_ledger(settings)
        self.engage = Engage(ledger=self.ledger, clock=lambda: self.at)
        for member_id, discord_id in IDS.items():
            self.server.board.join(discord_id, xp=1_000)
            self.engage.enroll(member_id, discord_id=discord_id)
        # Daemons that share a file share a host, on which a dead process is noticed at once.
        alone = kind == "sqlite"
        hosts = [socket.gethostname() if alone else f"host-{number}" for number in range(RUNNERS)]
        self.replaced_within = AGAIN if alone else LEASED_FOR + AGAIN
        self.runners: list[TimedDaemon] = []
        for host in hosts:
            self.start(host)

    def start(self, host: str) -> None:
        """Start a daemon on a host; it does what is due and then waits."""
        runner = TimedDaemon.start(self.operator.env, self.operator.folder / "log", self.at, host)
        self.runners.append(runner)
        runner.rest()

    def end(self) -> None:
        """End every process and close the store."""
        for runner in self.runners:
            runner.kill()
        self.ledger.close()
        self.server.stop()

    def pass_to(self, at: datetime) -> None:
        """Move everyone's clock forward and wait until each daemon has done what is due."""
        self.at = max(self.at, at)
        for runner in self.runners:
            runner.tell(self.at)
        for runner in self.runners:
            runner.rest()

    def kill_at_work(self, slot: datetime) -> str:
        """Kill the first daemon in the middle of its read, once the others have seen its lease; return its host."""
        reading, go_on = Event(), Event()

        def hold(_page: int) -> None:
            reading.set()
            assert go_on.wait(SECONDS_MAX)

        victim = self.runners.pop(0)
        self.at, self.server.between_pages = slot, hold
        victim.tell(slot)
        assert reading.wait(SECONDS_MAX)
        self.pass_to(slot)
        assert self.at_work().startswith(f"{victim.host}:{victim.process.pid}:")
        victim.kill()
        self.server.between_pages = None
        go_on.set()
        return victim.host

    def kill_at_any_moment(self, slot: datetime, seconds: float) -> str:
        """Kill the first daemon this many seconds after all have started on a slot; return its host."""
        victim = self.runners.pop(0)
        self.at = slot
        for runner in (victim, *self.runners):
            runner.tell(slot)
        time.sleep(seconds)
        victim.kill()
        for runner in self.runners:
            runner.rest()
        return victim.host

    def at_work(self) -> str:
        """Return the owner of the lease that the status names."""
        with time_machine.travel(self.at, tick=False):
            owner: str = self.operator.call("status", "--json").json["lease"]["owner"]
        return owner


@pytest.fixture(params=SHARED)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Yield a world on a new store."""
    with addressed(request.param, tmp_path) as store:
        world = World(request.param, tmp_path, store)
        try:
            yield world
        finally:
            world.end()


def test_killed_in_turn_they_run_each_slot_once_and_leave_none_out(world: World) -> None:
    """When a daemon dies, another finishes its slot once the lease has expired at the latest; no slot is left out."""
    chance = Random(6)
    for slot in SLOTS:
        for discord_id in IDS.values():
            world.server.board.give(discord_id, 100)
        if chance.random() < 0.5:
            host = world.kill_at_work(slot)
        else:
            host = world.kill_at_any_moment(slot, chance.uniform(0, MOMENT_SECONDS_MAX))
        while world.ledger.run_state(slot).slot_end(slot) is None:
            assert world.at < slot + world.replaced_within
            world.pass_to(world.at + AGAIN)
        world.pass_to(slot + SETTLES_AFTER)
        world.start(host)

    ends = [world.ledger.run_state(slot).slot_end(slot) for slot in SLOTS]
    assert [end and end.outcome for end in ends] == ["synced"] * len(SLOTS)
    with world.ledger._database.connection() as session:
        ran = [at for (at,) in session.execute("SELECT at FROM runs WHERE outcome = 'synced' ORDER BY run_id")]
    # Once by the daemon that was killed, and once by the one that took over.
    assert max(Counter(slot_of(request.at) for request in world.server.requests).values()) == 2
    assert [slot_of(datetime.fromisoformat(at)) for at in ran] == [BEGINS_AT - QUARTER, *SLOTS]
    for member_id in IDS:
        points = [entry.points for entry in world.engage.history(member_id, limit=100)]
        assert points == [1] * len(SLOTS) + [0]
    assert world.ledger.calendar().settled_through == date(2026, 3, 3)
    # A daemon killed between the end of a slot and the return of its lease leaves a lease that has expired by now.
    left = world.ledger.run_state().lease_of(TASK)
    assert left is None or left.is_free(world.at)
    assert world.engage.audit().breaches == []
