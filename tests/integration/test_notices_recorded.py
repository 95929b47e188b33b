"""A notice is recorded before it is sent, so a kill repeats it at most once and no end goes unreported (R20)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from support.community import LEDGERS, QUARTER, Community, opened
from support.noticeboard import Noticeboard
from trc_engage import AlertFailed, Engage, Notice, SourceError
from trc_engage.usecases.audit import audit

DOWN = SourceError("down", "MEE6 did not answer in time")
DAY = timedelta(days=1)


class Killed(BaseException):
    """The end of the process, which no handler catches."""


class Killing(Noticeboard):
    """A channel whose process is killed once, right after a notice of one kind went out."""

    kills: str = ""

    def send(self, notice: Notice, /) -> None:
        """Keep a notice, and be killed if it is of that kind."""
        super().send(notice)
        if notice.kind == self.kills:
            self.kills = ""
            raise Killed


class Deaf(Noticeboard):
    """A channel that takes notices but answers too late to say so."""

    def send(self, notice: Notice, /) -> None:
        """Keep a notice, and fail as if no answer had come if the channel is torn down."""
        late = self.torn_down
        self.torn_down = False
        super().send(notice)
        if late:
            self.torn_down = True
            raise AlertFailed("no answer in time", may_have_arrived=True)


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community of two linked members after a good first run."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.xp = {"ada": 1_000, "bo": 1_000}
        community.run()
        yield community


def hang_up(community: Community, *channels: Noticeboard) -> None:
    """Send notices to these channels."""
    ledger = community.ledger
    community.engage = Engage(ledger=ledger, source=community, clock=lambda: community.now, alerts=channels)


def run(community: Community, what: str, slots: int = 1, after: timedelta = QUARTER) -> None:
    """Run this many slots in a row; a killed run leaves its lease behind, which then expires."""
    community.trouble = DOWN if what == "fail" else None
    for _ in range(slots):
        try:
            community.run(after)
        except Killed:
            community.now += timedelta(minutes=6)


def test_killed_after_an_alert_went_out_the_end_is_told(community: Community) -> None:
    """If the run that alerts is killed before it records more, the next good sync still sends the all-clear, once."""
    board = Killing()
    hang_up(community, board)
    board.kills = "alert"
    run(community, "fail", 3)
    run(community, "good")
    assert board.kinds == ["alert", "all_clear"]
    run(community, "good", 3)
    assert board.kinds == ["alert", "all_clear"]
    assert (community.ledger.run_state().notices_begun, audit(community.ledger).is_healthy) == ([], True)


def test_killed_after_an_alert_went_out_a_trouble_that_lasts_is_told_once_more(community: Community) -> None:
    """If the run that alerts is killed, the alert is sent once more, then a reminder a day later and one all-clear."""
    board = Killing()
    hang_up(community, board)
    board.kills = "alert"
    run(community, "fail", 3 + 97)
    run(community, "good", 2)
    assert board.kinds == ["alert", "alert", "reminder", "all_clear"]


def test_killed_after_a_reminder_the_end_is_told(community: Community) -> None:
    """A run killed after a reminder does not repeat it, and the all-clear is still sent."""
    board = Killing()
    hang_up(community, board)
    board.kills = "reminder"
    run(community, "fail", 3 + 96)
    run(community, "good", 2)
    assert board.kinds == ["alert", "reminder", "all_clear"]


def test_killed_after_an_all_clear_it_is_told_once_more(community: Community) -> None:
    """A run killed after an all-clear repeats it once, and never again."""
    board = Killing()
    hang_up(community, board)
    board.kills = "all_clear"
    run(community, "fail", 3)
    run(community, "good", 3)
    assert board.kinds == ["alert", "all_clear", "all_clear"]


def test_killed_after_an_all_clear_what_comes_back_is_told(community: Community) -> None:
    """If the run is killed after an all-clear and the same trouble (a clock set back) returns, it is alerted again."""
    board = Killing()
    hang_up(community, board)
    before = community.now - timedelta(hours=3)
    after, community.now = community.now + QUARTER, before
    community.engage.run_due()
    assert board.kinds == ["alert"]
    board.kills, community.now = "all_clear", after
    with pytest.raises(Killed):
        community.engage.run_due()
    assert board.kinds == ["alert", "all_clear"]
    community.now = before
    community.engage.run_due()
    assert board.kinds == ["alert", "all_clear", "alert"]


def test_each_channel_has_its_own_record(community: Community) -> None:
    """If the run is killed at the first of two channels, the next run alerts both, and both get the all-clear."""
    first, second = Killing("first"), Noticeboard("second")
    hang_up(community, first, second)
    first.kills = "alert"
    run(community, "fail", 4)
    run(community, "good")
    assert (first.kinds, second.kinds) == (["alert", "alert", "all_clear"], ["alert", "all_clear"])


def test_killed_at_the_second_channel_the_first_hears_nothing_twice(community: Community) -> None:
    """If the run is killed at the second of two channels, the first does not get its notice again."""
    first, second = Noticeboard("first"), Killing("second")
    hang_up(community, first, second)
    second.kills = "alert"
    run(community, "fail", 4)
    run(community, "good")
    assert (first.kinds, second.kinds) == (["alert", "all_clear"], ["alert", "alert", "all_clear"])


def test_what_was_certainly_not_taken_needs_no_end(community: Community) -> None:
    """A channel that refused every alert gets no all-clear; one that may have received an alert before does."""
    board = Killing()
    hang_up(community, board)
    board.torn_down = True
    run(community, "fail", 5)
    board.torn_down = False
    run(community, "good")
    assert board.kinds == []
    board.kills = "alert"
    run(community, "fail", 3)
    board.torn_down = True
    run(community, "fail", 2)
    board.torn_down = False
    run(community, "good")
    assert board.kinds == ["alert", "all_clear"]


def test_an_answer_that_came_too_late_counts_as_perhaps_taken(community: Community) -> None:
    """An alert that timed out is sent again while the trouble lasts, and cleared when it is over."""
    board = Deaf()
    hang_up(community, board)
    board.torn_down = True
    run(community, "fail", 4)
    board.torn_down = False
    run(community, "good", 2)
    assert board.kinds == ["alert", "alert", "all_clear"]


def test_a_run_that_lost_its_lease_sends_nothing(community: Community) -> None:
    """A run that lost its lease sends nothing, because recording a notice needs the lease; its successor will alert."""
    board = Noticeboard()
    hang_up(community, board)
    run(community, "fail", 2)
    ledger = community.ledger
    lease = ledger.lease

    def lost(task: str, at, until, /):  # type: ignore[no-untyped-def]
        mine = lease(task, at, until)
        return evolve(mine, owner=f"{mine.owner}0")

    ledger.lease = lost  # type: ignore[method-assign]
    run(community, "fail")
    assert board.kinds == []


@pytest.mark.parametrize("act", [lambda it: it.engage.status(), lambda it: it.engage.run_due()])
def test_looking_on_changes_nothing(community: Community, act: Callable[[Community], object]) -> None:
    """Neither a status nor a run without troubles records a notice as begun or sent."""
    hang_up(community, Noticeboard())
    act(community)
    assert (
        community.ledger.run_state().notices_sent,
        community.ledger.run_state().notices_begun,
        community.ledger.run_state().channels,
    ) == ([], [], [])
