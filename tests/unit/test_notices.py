"""Runs send notices about lasting troubles to every channel, once (R20)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.community import LEDGERS, Community, opened
from support.noticeboard import Broken, Noticeboard
from trc_engage import AlertFailed, Engage, Notice, SourceError
from trc_engage.entrypoints.wording.alerts import describe_notice
from trc_engage.usecases.leases import TASK

DOWN = SourceError("down", "MEE6 did not answer in time")


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community of two linked members on the board, before anything has run, on each ledger."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.xp = {"ada": 1_000, "bo": 1_000}
        yield community


@pytest.fixture
def noticeboard(community: Community) -> Noticeboard:
    """Give the community a noticeboard as its only channel, and return it."""
    board = Noticeboard()
    community.engage = Engage(ledger=community.ledger, source=community, clock=lambda: community.now, alerts=[board])
    return board


def test_the_third_failure_alerts_once_and_the_recovery_clears(community: Community, noticeboard: Noticeboard) -> None:
    """Failures cause one alert at the third, a reminder a day later, and one all-clear once they end (R20)."""
    community.run()
    community.trouble = DOWN
    for _ in range(2 + 4 * 25):
        community.run()
    assert noticeboard.kinds == ["alert", "reminder"]
    community.trouble = None
    community.run()
    community.run()
    assert noticeboard.kinds == ["alert", "reminder", "all_clear"]


def test_a_channel_that_is_down_is_tried_again(community: Community, noticeboard: Noticeboard) -> None:
    """A notice that a channel did not take is sent by the next run, and then no more."""
    community.run()
    community.trouble = DOWN
    community.run()
    community.run()
    noticeboard.torn_down = True
    report = community.run()
    assert ([notice.kind for notice in report.undelivered], report.delivered) == (["alert"], ())
    noticeboard.torn_down = False
    assert [notice.kind for notice in community.run(timedelta(minutes=1)).delivered] == ["alert"]
    assert community.run(timedelta(minutes=1)).delivered == ()


def test_a_channel_that_breaks_its_promise_silences_no_other(community: Community, noticeboard: Noticeboard) -> None:
    """An unexpected error of a channel ends neither the run nor the notices to other channels."""
    community.engage = Engage(
        ledger=community.ledger, source=community, clock=lambda: community.now, alerts=[Broken(), noticeboard]
    )
    community.run()
    community.trouble = DOWN
    reports = [community.run() for _ in range(3)]
    assert noticeboard.kinds == ["alert"]
    assert [len(report.undelivered) for report in reports] == [0, 0, 1]


def test_what_an_admin_must_decide_is_told_during_an_outage(community: Community, noticeboard: Noticeboard) -> None:
    """A distrusted board is alerted at once, even if an outage was alerted before it (R10)."""
    community.enroll("cy", "dee", "eli")
    community.xp = dict.fromkeys(("ada", "bo", "cy", "dee", "eli"), 1_000)
    community.run()
    community.trouble = DOWN
    for _ in range(3):
        community.run()
    community.trouble, community.xp = None, dict.fromkeys(community.xp, 500)
    community.run()
    assert noticeboard.kinds == ["alert", "alert"]
    assert "5 of 5 members" in noticeboard.notices[-1].text


def test_what_an_admin_must_decide_is_told_at_once(community: Community, noticeboard: Noticeboard) -> None:
    """A distrusted board is alerted at its first failure, with the numbers and the commands that help (R10)."""
    community.enroll("cy", "dee", "eli")
    community.xp = dict.fromkeys(("ada", "bo", "cy", "dee", "eli"), 1_000)
    community.run()
    community.xp = dict.fromkeys(community.xp, 500)
    community.run()
    (notice,) = noticeboard.notices
    assert (notice.kind, notice.topic) == ("alert", "source")
    for word in ("5 of 5 members", "25 points", "--accept-drops", "--rebase-drops"):
        assert word in describe_notice(notice).text
    community.engage.sync(rebase_drops=True)
    community.run(timedelta(minutes=1))
    assert noticeboard.kinds == ["alert", "all_clear"]


def test_a_clock_that_went_back_is_told_at_once(community: Community, noticeboard: Noticeboard) -> None:
    """A clock that went back is alerted at once, and the slot of the wrong time is not ended (R22)."""
    community.run()
    community.now -= timedelta(days=30)
    report = community.engage.run_due()
    assert (report.outcome, report.slot, noticeboard.kinds) == ("failed", None, ["alert"])
    assert "`date -u`" in describe_notice(noticeboard.notices[0]).text
    community.run(timedelta(days=31))
    assert noticeboard.kinds == ["alert", "all_clear"]


def test_slow_channels_keep_the_lease(community: Community) -> None:
    """A run renews its lease while channels are slow, so that no other run sends the same notices meanwhile."""
    third = Noticeboard("third")
    ledger, clock = community.ledger, lambda: community.now
    other = Engage(ledger=ledger, source=community, clock=clock, alerts=[third])
    met: list[str] = []

    class Slow(Noticeboard):
        def send(self, notice: Notice, /) -> None:
            super().send(notice)
            community.now += timedelta(minutes=4)
            met.append(other.run_due().outcome)

    slow = [Slow("first", torn_down=True), Slow("second", torn_down=True)]
    community.engage = Engage(ledger=ledger, source=community, clock=clock, alerts=slow)
    community.run()
    community.trouble = DOWN
    for _ in range(3):
        community.run()
    for board in slow:
        board.torn_down = False
    community.run(timedelta(minutes=1))
    assert (met, third.kinds) == (["busy", "busy"], [])


def test_a_notice_that_was_refused_leaves_those_of_other_troubles_alone(
    community: Community, noticeboard: Noticeboard
) -> None:
    """An alert that was refused and is no longer due is never sent, nor is its all-clear; other topics go on."""
    community.run()
    community.trouble = DOWN
    for _ in range(3):
        community.run()
    noticeboard.torn_down = True
    assert [notice.topic for notice in community.run(-timedelta(hours=1)).undelivered] == ["clock"]
    community.now += timedelta(hours=1)
    noticeboard.torn_down = False
    community.run()
    community.trouble = None
    community.run()
    assert [(one.kind, one.topic) for one in noticeboard.notices] == [("alert", "source"), ("all_clear", "source")]


@pytest.mark.parametrize("asks_for_patience", [True, False])
def test_with_nothing_to_send_a_run_does_not_even_take_the_lease(
    community: Community, *, asks_for_patience: bool
) -> None:
    """With nothing to send, or a channel that has asked for a wait, a run takes no lease."""

    class Impatient(Noticeboard):
        def send(self, notice: Notice, /) -> None:
            if asks_for_patience:
                raise AlertFailed("slow down", retry_after=timedelta(minutes=30))
            super().send(notice)

    community.engage = Engage(
        ledger=community.ledger, source=community, clock=lambda: community.now, alerts=[Impatient()]
    )
    community.run()
    community.trouble = DOWN
    for _ in range(3):
        community.run()
    community.ledger.lease(TASK, community.now, community.now + timedelta(hours=1))
    assert community.run(timedelta(minutes=1)).outcome == "nothing"
