"""Daemons and commands, as processes, under a clock that leapt or ran ahead, and the doctor on many such stores."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.attended import IDS
from support.clocked import breaches
from support.command import Operator
from support.community import QUARTER
from support.stores import SHARED, addressed, made
from support.timed import TimedDaemon
from trc_engage.core.slots import slot_of
from trc_engage.entrypoints.settings import Settings
from trc_engage.testing.mee6 import Mee6Server

DAY = timedelta(days=1)
WHO = ("--by", "admin-7", "--reason", "it was wrong")


class World:
    """A board whose clock the test sets, and a daemon whose clock may differ from it."""

    def __init__(self, folder: Path, store: str) -> None:
        self.at = slot_of(datetime.now(UTC)) - 2 * QUARTER
        self.server = Mee6Server.start(clock=lambda: self.at)
        self.operator = Operator(folder, self.server)
        self.operator.env["TRC_ENGAGE_STORE"] = store
        made(Settings.from_mapping(self.operator.env))
        for member_id, discord_id in IDS.items():
            self.server.board.join(discord_id, xp=1_000)
            assert self.operator.run("members", "enroll", member_id, "--discord-id", discord_id).code == 0
        self.daemon = TimedDaemon.start(self.operator.env, folder / "log", self.at)
        self.daemon.rest()

    def tell(self, at: datetime) -> None:
        """Set the daemon's clock, let each member earn a point, and wait until the daemon rests."""
        for discord_id in IDS.values():
            self.server.board.give(discord_id, 100)
        self.daemon.tell(at)
        self.daemon.rest()

    def points(self) -> list[int]:
        """Return the points of each member."""
        return [self.operator.run("show", member_id, "--json").json["points"] for member_id in IDS]

    def status(self) -> list[str]:
        """Return the topics of the troubles in `status`."""
        told = self.operator.run("status", "--json").json
        return [trouble["topic"] for trouble in told["troubles"]]


@pytest.fixture(params=SHARED)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Yield a world on a store of each kind."""
    with addressed(request.param, tmp_path) as store:
        world = World(tmp_path, store)
        try:
            yield world
        finally:
            world.daemon.kill()
            world.server.stop()


def test_a_daemon_holds_a_leap_back_and_goes_on_when_the_server_agrees(world: World) -> None:
    """A clock two years ahead books nothing until the server agrees; weeks of sleep, which it confirms, do no harm."""
    before = world.points()
    begun_at = world.at
    world.tell(begun_at + 730 * DAY)
    assert world.points() == before
    assert any("leapt ahead" in line for line in world.daemon.told())
    # A clock that was set back is noticed, and the next tick is on time.
    for number in (1, 2):
        world.at = begun_at + number * QUARTER
        world.tell(world.at)
    assert world.points() == [points + 3 for points in before]
    world.at += 21 * DAY
    world.tell(world.at)
    assert world.points() == [points + 4 for points in before]
    assert world.operator.run("doctor").code == 0


def test_two_years_ahead_are_undone_at_three_in_the_morning(world: World) -> None:
    """The manual's commands undo a clock that ran two years ahead: points stay, the doctor agrees, and syncs go on."""
    begun_at = world.at
    world.at += 730 * DAY
    world.tell(world.at)
    world.at += QUARTER
    world.tell(world.at)
    before = world.points()
    world.at = datetime.now(UTC)
    refused = world.operator.run("sync")
    assert (refused.code, "trc-engage clock repair" in refused.err) == (69, True)
    assert world.status() == ["clock"]
    planned = world.operator.run("clock", "repair", "--dry-run")
    assert (planned.code, "nothing written" in planned.out, "2 syncs" in planned.out) == (0, True, True)
    assert world.operator.run("clock", "repair", *WHO).code == 2
    world.at = begun_at + 730 * DAY
    denied = world.operator.run("clock", "repair", *WHO, "--yes")
    assert (denied.code, "one of the clocks is wrong" in denied.err) == (69, True)
    world.at = datetime.now(UTC)
    repaired = world.operator.run("clock", "repair", *WHO, "--yes", "--json").json
    assert (repaired["outcome"], repaired["syncs"], repaired["accounts"]) == ("repaired", 2, len(IDS))
    assert world.points() == before
    assert world.operator.run("doctor").code == 0
    for discord_id in IDS.values():
        world.server.board.give(discord_id, 300)
    world.at = datetime.now(UTC)
    assert world.operator.run("sync", "--fresh").code == 0
    assert world.points() == [points + 3 for points in before]
    assert world.status() == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_doctor_finds_nothing(kind: str, tmp_path: Path) -> None:
    """The doctor finds nothing in stores that were repaired or whose clocks stepped; `tox -e clocks` tries 1,000."""
    logging.disable()
    try:
        for seed in range(150 if kind == "sqlite" else 9):
            folder = tmp_path / str(seed)
            folder.mkdir()
            assert breaches(kind, folder, seed) == [], seed
    finally:
        logging.disable(logging.NOTSET)
