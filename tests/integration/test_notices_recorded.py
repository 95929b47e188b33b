"""What is about to be sent is on record before it is, so a kill costs a repeat at most and no end goes untold (R20)."""

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
    """The process is gone."""


class Killing(Noticeboard):
    """A channel whose process is killed once a notice of one kind is out, before or after it came to be known."""

    kills: str = ""

    def send(self, notice: Notice, /) -> None:
        """Keep a notice, and be killed."""
        super().send(notice)
        if notice.kind == self.kills:
            self.kills = ""
            raise Killed


class Deaf(Noticeboard):
    """A channel that may have taken what it was sent, and cannot tell."""

    def send(self, notice: Notice, /) -> None:
        """Keep it, and answer too late."""
        late = self.torn_down
        self.torn_down = False
        super().send(notice)
        if late:
            self.torn_down = True
            raise AlertFailed("no answer in time", may_have_arrived=True)


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Let two members be linked, and a first run be good."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.xp = {"ada": 1_000, "bo": 1_000}
        community.run()
        yield community


def hang_up(community: Community, *channels: Noticeboard) -> None:
    """Let the admins be told by these."""
    ledger = community.ledger
    community.engage = Engage(ledger=ledger, source=community, clock=lambda: community.now, alerts=channels)


def run(community: Community, what: str, slots: int = 1, after: timedelta = QUARTER) -> None:
    """Run in so many slots; a run that is killed leaves its lease behind, which expires."""
    community.trouble = DOWN if what == "fail" else None
    for _ in range(slots):
        try:
            community.run(after)
        except Killed:
            community.now += timedelta(minutes=6)


def test_killed_after_an_alert_went_out_the_end_is_told(community: Community) -> None:
    """The run that alerts is killed before anything more is recorded, and the next sync is good."""
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
    """At least once, and one more for each kill; then a reminder a day later, and one end."""
    board = Killing()
    hang_up(community, board)
    board.kills = "alert"
    run(community, "fail", 3 + 97)
    run(community, "good", 2)
    assert board.kinds == ["alert", "alert", "reminder", "all_clear"]


def test_killed_after_a_reminder_the_end_is_told(community: Community) -> None:
    """A reminder comes once more at most."""
    board = Killing()
    hang_up(community, board)
    board.kills = "reminder"
    run(community, "fail", 3 + 96)
    run(community, "good", 2)
    assert board.kinds == ["alert", "reminder", "all_clear"]


def test_killed_after_an_all_clear_it_is_told_once_more(community: Community) -> None:
    """And then never again."""
    board = Killing()
    hang_up(community, board)
    board.kills = "all_clear"
    run(community, "fail", 3)
    run(community, "good", 3)
    assert board.kinds == ["alert", "all_clear", "all_clear"]


def test_killed_after_an_all_clear_what_comes_back_is_told(community: Community) -> None:
    """A clock that goes back behind the same instant is the same trouble, of which an end may have been told."""
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
    """Killed at the first of two, the second hears of it with the next run, and both of the end."""
    first, second = Killing("first"), Noticeboard("second")
    hang_up(community, first, second)
    first.kills = "alert"
    run(community, "fail", 4)
    run(community, "good")
    assert (first.kinds, second.kinds) == (["alert", "alert", "all_clear"], ["alert", "all_clear"])


def test_killed_at_the_second_channel_the_first_hears_nothing_twice(community: Community) -> None:
    """What was recorded stays so."""
    first, second = Noticeboard("first"), Killing("second")
    hang_up(community, first, second)
    second.kills = "alert"
    run(community, "fail", 4)
    run(community, "good")
    assert (first.kinds, second.kinds) == (["alert", "all_clear"], ["alert", "alert", "all_clear"])


def test_what_was_certainly_not_taken_needs_no_end(community: Community) -> None:
    """A channel that refused an alert is not told that it is over; one that was perhaps told before is."""
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
    """It is sent again while it lasts, and cleared when it is over."""
    board = Deaf()
    hang_up(community, board)
    board.torn_down = True
    run(community, "fail", 4)
    board.torn_down = False
    run(community, "good", 2)
    assert board.kinds == ["alert", "alert", "all_clear"]


def test_a_run_that_lost_its_lease_sends_nothing(community: Community) -> None:
    """What is recorded first is recorded under the lease: another that took over is left to tell it."""
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
    """Neither a status nor a run without troubles leaves a notice begun."""
    hang_up(community, Noticeboard())
    act(community)
    assert (
        community.ledger.run_state().notices_sent,
        community.ledger.run_state().notices_begun,
        community.ledger.run_state().channels,
    ) == ([], [], [])
