"""A read keeps its lease for as long as pages come, and all processes keep their requests apart (R21, R30)."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field

from support.command import Operator
from support.community import IDS, LEDGERS, QUARTER, Community, opened
from support.noticeboard import Noticeboard
from trc_engage import Board, Engage, LedgerBusy, RunReport, SourceError
from trc_engage.adapters.boards.client import JITTER_SHARE
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.core.errors import LedgerFailed
from trc_engage.testing.mee6 import Mee6Server
from trc_engage.usecases.audit import audit
from trc_engage.usecases.leases import TASK

GAP = 2.0
MINUTE = timedelta(minutes=1)
PAGES = 12
ROWS_A_PAGE = 5
STRANGER = 900_000_000_000_000_000


@define
class Scene:
    """A community on a board of many pages, whose time passes only while a source pauses."""

    community: Community
    server: Mee6Server = field(init=False)
    pauses: list[float] = field(factory=list)
    asked_at: list[datetime] = field(factory=list)
    on_pause: Callable[[], object] | None = None
    sources: list[Mee6Source] = field(factory=list)

    def opened(self, server: Mee6Server) -> None:
        """Enroll ada, and record the account's baseline by a sync of this board, a day ago."""
        self.server = server
        with Mee6Source.open(server.guild_id, base_url=server.url) as source:
            self.community.board_id = source.board_id
        self.community.enroll("ada")
        self.community.sync(ada=100)
        self.community.now += timedelta(days=1)

    def engage(self, ledger: Any = None, board: Noticeboard | None = None) -> Engage:
        """Return the `Engage` of another process on the same store."""
        source = Mee6Source.open(
            self.server.guild_id, base_url=self.server.url, page_gap=GAP, pause=self.pause, monotonic=self.monotonic
        )
        self.sources.append(source)
        return Engage(
            ledger=ledger or self.community.ledger,
            source=source,
            clock=lambda: self.community.now,
            alerts=[board] if board else [],
        )

    def monotonic(self) -> float:
        """Return the clock's time, in seconds."""
        return self.community.now.timestamp()

    def pause(self, seconds: float) -> None:
        """Let time pass, and do what the test wants meanwhile."""
        self.pauses.append(seconds)
        self.community.now += timedelta(seconds=seconds)
        if self.on_pause is not None:
            self.on_pause()

    def clock(self) -> datetime:
        """Record when the server is asked, and return the time."""
        self.asked_at.append(self.community.now)
        return self.community.now


@pytest.fixture(params=LEDGERS)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """Yield a scene with a board of twelve pages; its last row is Ada's, whose baseline is a day old."""
    with opened(request.param, tmp_path) as ledger:
        scene = Scene(Community(ledger))
        with Mee6Server.start(clock=scene.clock) as server:
            scene.opened(server)
            server.limit_max = ROWS_A_PAGE
            for number in range(PAGES * ROWS_A_PAGE - 1):
                server.board.join(str(STRANGER + number), xp=100_000 - number)
            server.board.join(IDS["ada"], xp=400)
            try:
                yield scene
            finally:
                for source in scene.sources:
                    source.close()


def slowly(scene: Scene, passes: timedelta, also: Callable[[], object] | None = None) -> None:
    """Let each pause take longer than was asked for, and then call `also`."""

    def on_pause() -> None:
        scene.community.now += passes
        if also is not None:
            # What runs meanwhile is not interrupted itself.
            scene.on_pause = None
            also()
            scene.on_pause = on_pause

    scene.on_pause = on_pause


def test_a_read_of_many_minutes_is_posted_though_another_runner_looks_in_at_every_page(scene: Scene) -> None:
    """A read of over 15 minutes keeps its lease and is posted, and a second runner at each page is busy."""
    reports: list[RunReport] = []
    began = scene.community.now
    other = scene.engage()
    slowly(scene, 1.5 * MINUTE, lambda: reports.append(other.run_due()))
    report = scene.engage().run_due()
    assert scene.community.now - began > 15 * MINUTE
    assert (report.outcome, report.sync and report.sync.points) == ("synced", 3)
    assert {one.outcome for one in reports} == {"busy"}
    assert scene.community.ledger.run_state().lease_of(TASK) is None


class Renewing:
    """A store that counts renewals, which fail when told to."""

    def __init__(self, store: Any, *errors: Exception) -> None:
        self._store = store
        self.errors = list(errors)
        self.renewed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def renew(self, lease: Any, until: datetime, /) -> None:
        """Renew the lease, or fail."""
        self.renewed += 1
        if self.errors:
            raise self.errors.pop(0)
        self._store.renew(lease, until)


def test_pages_that_come_quickly_cost_no_renewal_each(scene: Scene) -> None:
    """A dozen pages in half a minute cost no renewal at all."""
    store = Renewing(scene.community.ledger)
    assert scene.engage(store).sync().points == 3
    assert store.renewed == 0


@pytest.mark.parametrize("error", [LedgerBusy("locked"), LedgerFailed("the disk hiccuped")])
def test_a_renewal_that_fails_once_does_not_end_the_read(scene: Scene, error: Exception) -> None:
    """A renewal that fails is tried again with the next request, and the read is posted."""
    store = Renewing(scene.community.ledger, error)
    slowly(scene, 1.1 * MINUTE)
    assert scene.engage(store).sync().points == 3
    assert store.renewed > 5


def test_whoever_stood_still_and_was_replaced_asks_for_no_further_page(scene: Scene) -> None:
    """A read that slept and lost its lease to a good sync asks for no further page, and is no failure."""
    asked: list[int] = []

    def sleeps() -> None:
        scene.on_pause = None
        scene.community.now += 10 * MINUTE
        scene.engage().sync()
        asked.append(len(scene.asked_at))

    scene.on_pause = sleeps
    with pytest.raises(LedgerBusy, match="another took over"):
        scene.engage().sync()
    assert [len(scene.asked_at)] == asked
    assert scene.community.ledger.run_state().sync.failures == 0


def test_a_lease_that_was_lost_to_nobodys_good_is_a_failure_and_ends_no_slot(scene: Scene) -> None:
    """A read that lost its lease to a run that died is a failure, leaves its slot open, and counts toward an alert."""
    board = Noticeboard()
    ledger = scene.community.ledger
    slots = []

    def replaced() -> None:
        scene.on_pause = None
        scene.community.now += 10 * MINUTE
        ledger.lease(TASK, scene.community.now, scene.community.now + MINUTE)

    for _ in range(3):
        scene.on_pause = replaced
        report = scene.engage(board=board).run_due()
        assert (report.outcome, report.slot) == ("failed", None)
        assert isinstance(report.error, SourceError)
        assert report.error.kind == "overtaken"
        slots.append(ledger.run_state().last_slot)
        scene.community.now += QUARTER
    assert slots == [None, None, None]
    assert ledger.run_state().sync.failures == 3
    scene.server.trouble("private")
    scene.engage(board=board).run_due()
    assert board.kinds == ["alert"]
    assert audit(ledger).is_healthy


class Plain:
    """A source that reports no pages, and takes its time."""

    def __init__(self, community: Community, takes: timedelta, meanwhile: Callable[[], object]) -> None:
        self._community = community
        self._takes = takes
        self.board_id = community.board_id
        self._meanwhile = meanwhile

    def read(self, sought: frozenset[str], /) -> Board:
        """Let time pass, and return the board with the server's time of the first answer."""
        began = self._community.now
        self._community.now += self._takes
        self._meanwhile()
        return evolve(self._community.read(sought), server_at=began)


def test_a_source_that_tells_no_pages_keeps_its_lease_for_half_an_hour(scene: Scene) -> None:
    """A source that reports no pages keeps its lease for 29 minutes; after 31 another run takes over and counts."""
    community = scene.community
    other = Engage(ledger=community.ledger, source=community, clock=lambda: community.now)
    reports: list[RunReport] = []
    for minutes, outcomes in ((29, ("synced", "busy")), (31, ("busy", "synced"))):
        community.chat("ada", 100)
        slow = Plain(community, minutes * MINUTE, lambda: reports.append(other.run_due()))
        report = Engage(ledger=community.ledger, source=slow, clock=lambda: community.now).run_due()
        assert (report.outcome, reports[-1].outcome) == outcomes
        community.now += timedelta(hours=1)
    assert community.ledger.run_state().sync.failures == 0


def takes_over(scene: Scene) -> Callable[[], object]:
    """Return a call that takes over the lease and does nothing with it."""
    return lambda: scene.community.ledger.lease(TASK, scene.community.now, scene.community.now + MINUTE)


def test_a_wait_that_was_asked_for_is_kept_though_the_lease_was_lost(scene: Scene) -> None:
    """A wait that the server asks for holds for all processes, even if the one it told has lost its lease (R21)."""
    community = scene.community
    community.trouble = SourceError("rate_limited", "slow down", timedelta(hours=1))
    slow = Plain(community, 31 * MINUTE, takes_over(scene))
    report = Engage(ledger=community.ledger, source=slow, clock=lambda: community.now).run_due()
    assert (report.outcome, report.slot, community.ledger.run_state().last_slot) == ("failed", None, None)
    assert community.ledger.run_state().sync.failures == 1
    community.now += 2 * MINUTE
    waiting = Engage(ledger=community.ledger, source=community, clock=lambda: community.now).run_due()
    assert waiting.outcome == "waiting"


def test_a_wait_that_was_asked_for_is_kept_though_a_good_sync_made_up_for_the_read(scene: Scene) -> None:
    """A wait that the server asks for holds, even if another's good sync keeps the read from being a failure (R21)."""
    community = scene.community
    other = Engage(ledger=community.ledger, source=community, clock=lambda: community.now)

    def meanwhile() -> None:
        other.run_due()
        community.trouble = SourceError("rate_limited", "slow down", timedelta(hours=1))

    slow = Plain(community, 31 * MINUTE, meanwhile)
    report = Engage(ledger=community.ledger, source=slow, clock=lambda: community.now).run_due()
    assert (report.outcome, community.ledger.run_state().sync.failures) == ("failed", 0)
    community.now += QUARTER
    assert other.run_due().outcome == "waiting"


def test_a_read_that_lost_its_lease_ends_no_wait_that_another_was_asked_for(scene: Scene) -> None:
    """A read that lost its lease ends no wait that another process was asked for, because it asked earlier (R21)."""
    community = scene.community
    other = Engage(ledger=community.ledger, source=community, clock=lambda: community.now)

    def sleeps() -> None:
        scene.on_pause = None
        community.now += 10 * MINUTE
        community.trouble = SourceError("rate_limited", "slow down", timedelta(hours=1))
        other.run_due()

    scene.on_pause = sleeps
    report = scene.engage().run_due()
    assert isinstance(report.error, SourceError)
    assert report.error.kind == "overtaken"
    community.now += QUARTER
    assert other.run_due().outcome == "waiting"


def test_a_dry_run_that_was_overtaken_does_not_count(scene: Scene) -> None:
    """A dry run that lost its lease is no failure and returns its plan; a sync that lost its lease is one."""
    community = scene.community
    slow = Plain(community, 31 * MINUTE, takes_over(scene))
    engage = Engage(ledger=community.ledger, source=slow, clock=lambda: community.now)
    engage.sync(dry_run=True, fresh=True)
    assert community.ledger.run_state().sync.failures == 0
    community.now += 10 * MINUTE
    with pytest.raises(SourceError, match="another run took over"):
        engage.sync(fresh=True)
    assert community.ledger.run_state().sync.failures == 1


def test_the_first_request_of_a_process_keeps_its_distance_from_the_last_of_another(scene: Scene) -> None:
    """Six fresh syncs by six processes make no two requests closer than two seconds."""
    for _ in range(6):
        scene.engage().sync(fresh=True)
    gaps = [(b - a).total_seconds() for a, b in pairwise(scene.asked_at)]
    assert len(gaps) > 6 * PAGES
    assert min(gaps) >= GAP
    assert max(scene.pauses) <= GAP * (1 + JITTER_SHARE)


def test_a_process_of_old_that_still_knows_its_own_last_request_keeps_the_longer_of_both(scene: Scene) -> None:
    """Two long-lived processes that take turns keep all requests two seconds apart."""
    first, second = scene.engage(), scene.engage()
    for engage in (first, second, first, second):
        engage.sync(fresh=True)
    assert min((b - a).total_seconds() for a, b in pairwise(scene.asked_at)) >= GAP


def test_who_takes_over_from_a_dead_one_waits_for_the_whole_gap(scene: Scene) -> None:
    """A run that takes over from a dead one first waits the whole gap, because the last request's time is unknown."""
    community = scene.community
    community.ledger.lease(TASK, community.now - 10 * MINUTE, community.now)
    began = community.now
    scene.engage().sync(fresh=True)
    assert (scene.asked_at[0] - began).total_seconds() >= GAP


def test_a_failed_read_keeps_others_at_a_distance_too(scene: Scene) -> None:
    """Requests stay two seconds apart even if every read fails."""
    scene.server.trouble("private")
    for _ in range(3):
        with pytest.raises(SourceError):
            scene.engage().sync(fresh=True)
    assert min((b - a).total_seconds() for a, b in pairwise(scene.asked_at)) >= GAP


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365)])
def test_a_request_under_a_clock_that_ran_ahead_puts_off_nobody_for_longer(scene: Scene, ahead: timedelta) -> None:
    """A recorded request that lies in the future delays the next one by no more than the gap."""
    scene.community.ledger.keep_request(TASK, scene.community.now + ahead)
    scene.engage().sync(fresh=True)
    assert max(scene.pauses) <= GAP * (1 + JITTER_SHARE)


def test_a_record_that_cannot_be_kept_spoils_no_sync(scene: Scene) -> None:
    """A sync pays even if the time of its last request cannot be recorded."""

    class Full(Renewing):
        def keep_request(self, _task: str, _next_at: datetime, /) -> None:
            raise LedgerBusy("locked")

    assert scene.engage(Full(scene.community.ledger)).sync(fresh=True).points == 3


def test_commands_in_a_row_ask_two_seconds_apart(tmp_path: Path) -> None:
    """Six `sync` processes at once, each started again while the store is busy, keep requests two seconds apart."""
    asked: list[float] = []

    def clock() -> datetime:
        asked.append(time.monotonic())
        return datetime.now(UTC)

    with Mee6Server.start(clock=clock) as server:
        operator = Operator(tmp_path, server)
        server.board.join(IDS["ada"], xp=1_000)
        assert operator.call("members", "enroll", "ada", "--discord-id", IDS["ada"]).code == 0
        left = [operator.start("sync", "--fresh") for _ in range(6)]
        ended = []
        while left:
            process = left.pop()
            process.communicate()
            if process.returncode == 75:
                left.append(operator.start("sync", "--fresh"))
            else:
                ended.append(process.returncode)
    assert ended == [0] * 6
    gaps = [b - a for a, b in pairwise(asked)]
    assert len(gaps) >= 5
    assert min(gaps) >= GAP
