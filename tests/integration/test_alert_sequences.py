"""Which messages failures in various orders send to an admin's Discord, over real HTTP, with a store on disk (R20)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

import trc_engage
from support.community import MONDAY, QUARTER
from support.deployment import Deployment
from support.receiver import Receiver, received
from trc_engage import Engage
from trc_engage.adapters.alerts import WebhookAlerts

HOUR = 4
"""Slots in an hour."""
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Serve the webhook, in place of Discord."""
    with received() as receiver:
        yield receiver


@pytest.fixture
def deployment(receiver: Receiver, tmp_path: Path) -> Iterator[Deployment]:
    """Yield a deployment with two linked members, after a first successful run."""
    with Deployment(tmp_path / "engage.db", receiver) as deployment:
        deployment.community.enroll("ada", "bo")
        deployment.community.xp = {"ada": 1_000, "bo": 1_000}
        deployment.run()
        yield deployment


SEQUENCES: dict[str, tuple[Sequence[tuple[str, int]], Sequence[tuple[str, int]]]] = {
    "two-and-good": ([("fail", 2), ("good", 2)], []),
    "three": ([("fail", 3)], [("alert", 3)]),
    "three-and-more": ([("fail", 20)], [("alert", 3)]),
    "three-and-good": ([("fail", 3), ("good", 3)], [("alert", 3), ("all_clear", 4)]),
    "two-good-two": ([("fail", 2), ("good", 1), ("fail", 2), ("good", 1)], []),
    "three-good-three": (
        [("fail", 3), ("good", 1), ("fail", 3)],
        [("alert", 3), ("all_clear", 4), ("alert", 7)],
    ),
    "75-hours": (
        [("fail", 75 * HOUR), ("good", 2)],
        [("alert", 3), ("reminder", 99), ("reminder", 195), ("reminder", 291), ("all_clear", 301)],
    ),
    "one-wait-of-an-hour": ([("wait", 4), ("good", 1)], []),
    "three-waits-of-an-hour": ([("wait", 12), ("good", 1)], [("alert", 9), ("all_clear", 13)]),
    "waits-between-failures": ([("fail", 2), ("wait", 4), ("good", 1)], [("alert", 3), ("all_clear", 7)]),
}
"""What the sync of each slot meets, and which slot sends which message."""


def told_by_slot(deployment: Deployment, receiver: Receiver, slots: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Run these slots, and return the kind of each message with the number of its slot."""
    told: list[tuple[str, int]] = []
    for number, what in enumerate((what for what, times in slots for _ in range(times)), 1):
        deployment.run(what)
        told += [(kind, number) for kind in receiver.taken[len(told) :]]
    return told


@pytest.mark.parametrize(("slots", "expected"), SEQUENCES.values(), ids=SEQUENCES)
def test_each_sequence_brings_exactly_these_messages(
    deployment: Deployment,
    receiver: Receiver,
    slots: Sequence[tuple[str, int]],
    expected: Sequence[tuple[str, int]],
) -> None:
    """A third failure in a row sends an alert, each further day a reminder, and the recovery an all-clear."""
    assert told_by_slot(deployment, receiver, slots) == expected
    assert receiver.taken == [kind for kind, _ in expected]


def test_restarts_in_between_change_nothing(deployment: Deployment, receiver: Receiver) -> None:
    """A restart before every run changes no message, because failures and sent notices are in the store."""
    for what in ["fail"] * 5 + ["good"] * 2 + ["fail"] * 4:
        deployment.restart()
        deployment.run(what)
    assert receiver.taken == ["alert", "all_clear", "alert"]


def test_a_run_every_minute_tells_no_more_than_one_a_slot(deployment: Deployment, receiver: Receiver) -> None:
    """However often cron runs, failures are counted once per slot: 59 failed runs send one alert."""
    for what, minutes in (("fail", 59), ("good", 16), ("fail", 14)):
        for _ in range(minutes):
            deployment.run(what, MINUTE)
    assert receiver.taken == ["alert", "all_clear"]


def test_an_alert_that_was_not_taken_comes_with_the_next_run(deployment: Deployment, receiver: Receiver) -> None:
    """An alert that the webhook did not take is sent once, by the first run that reaches it, within the same slot."""
    deployment.run("fail")
    deployment.run("fail")
    receiver.trouble = "500"
    report = deployment.run("fail")
    assert [notice.kind for notice in report.undelivered] == ["alert"]
    receiver.trouble = "hangs"
    deployment.run("fail", MINUTE)
    assert receiver.taken == []
    receiver.trouble = ""
    assert [notice.kind for notice in deployment.run("fail", MINUTE).delivered] == ["alert"]
    deployment.run("fail", MINUTE)
    assert receiver.taken == ["alert"]


def test_an_all_clear_that_was_not_taken_comes_later(deployment: Deployment, receiver: Receiver) -> None:
    """An all-clear that the webhook did not take is sent once, by the next run that reaches it."""
    told_by_slot(deployment, receiver, [("fail", 3)])
    receiver.trouble = "refuses"
    deployment.run("good")
    assert receiver.taken == ["alert"]
    receiver.trouble = ""
    deployment.run("good")
    deployment.run("good")
    assert receiver.taken == ["alert", "all_clear"]


def test_a_channel_that_comes_back_after_the_incident_hears_nothing_of_it(
    deployment: Deployment, receiver: Receiver
) -> None:
    """A channel that was down for a whole incident is sent neither its alert nor its all-clear afterwards."""
    receiver.trouble = "500"
    told_by_slot(deployment, receiver, [("fail", 5)])
    receiver.trouble = ""
    told_by_slot(deployment, receiver, [("good", 3)])
    assert receiver.taken == []


def test_channels_are_told_each_for_itself(receiver: Receiver, tmp_path: Path) -> None:
    """A channel that is down delays nothing on the other one, and gets its own alert when it is up again."""
    with received() as other, Deployment(tmp_path / "engage.db", receiver, other) as deployment:
        name_channels(deployment)
        deployment.community.enroll("ada")
        deployment.run()
        receiver.trouble = "500"
        told_by_slot(deployment, receiver, [("fail", 4)])
        assert (receiver.taken, other.taken) == ([], ["alert"])
        receiver.trouble = ""
        told_by_slot(deployment, receiver, [("fail", 2)])
        assert (receiver.taken, other.taken) == (["alert"], ["alert"])
        told_by_slot(deployment, receiver, [("good", 2)])
        assert receiver.taken == other.taken == ["alert", "all_clear"]


def name_channels(deployment: Deployment) -> None:
    """Give the two webhooks different channel names, such as Sentry and a webhook have."""

    class Other(WebhookAlerts):
        channel = "other"

    community, (first, second) = deployment.community, deployment.urls
    alerts = [WebhookAlerts(first, 1.0), Other(second, 1.0)]
    community.engage = Engage(ledger=community.ledger, source=community, clock=lambda: community.now, alerts=alerts)


RUN_ONCE = """
import sys
from datetime import datetime
from trc_engage import Engage, SourceError
from trc_engage.adapters.alerts import WebhookAlerts
from trc_engage.adapters.sqlite import SqliteLedger

class Down:
    def read(self, sought, /):
        raise SourceError("down", "MEE6 is in trouble (status 502)")

path, url, now = sys.argv[1:]
with SqliteLedger.open(path) as ledger:
    alerts = [WebhookAlerts(url)]
    Engage(ledger=ledger, source=Down(), clock=lambda: datetime.fromisoformat(now), alerts=alerts).run_due()
"""


def run_killed(deployment: Deployment, receiver: Receiver, now: datetime) -> int:
    """Run in a process that is killed when its message arrives, and return its exit code."""
    arguments = [sys.executable, "-c", RUN_ONCE, str(deployment.path), receiver.url, now.isoformat()]
    folder = str(Path(trc_engage.__file__).parents[1])
    process = subprocess.Popen(arguments, env={"PYTHONPATH": folder, "PATH": os.environ["PATH"]})

    def kill() -> None:
        process.kill()
        process.wait()

    receiver.on_message = kill
    ended = process.wait(timeout=60)
    receiver.on_message = None
    return ended


def test_killed_between_sending_and_recording_one_message_is_sent_twice(
    deployment: Deployment, receiver: Receiver
) -> None:
    """An alert that was sent but not recorded is sent again: each kill adds one message, and none is lost."""
    deployment.run("fail")
    deployment.run("fail")
    assert run_killed(deployment, receiver, deployment.community.now + QUARTER) == -signal.SIGKILL
    assert receiver.taken == ["alert"]
    assert run_killed(deployment, receiver, deployment.community.now + QUARTER + MINUTE) == -signal.SIGKILL
    assert receiver.taken == ["alert"] * 2
    deployment.run("fail", QUARTER + 2 * MINUTE)
    assert receiver.taken == ["alert"] * 3
    deployment.run("fail")
    deployment.run("good")
    assert receiver.taken == ["alert"] * 3 + ["all_clear"]


def test_a_distrusted_board_is_told_at_once(deployment: Deployment, receiver: Receiver) -> None:
    """A distrusted board sends one alert with the members and points at stake and both commands that decide (R10)."""
    community = deployment.community
    community.enroll("cy", "dee", "eli", "fay")
    community.xp = dict.fromkeys(["ada", "bo", "cy", "dee", "eli", "fay"], 9_000)
    deployment.run()
    community.xp = dict.fromkeys(community.xp, 5_000)
    deployment.run()
    (message,) = receiver.messages
    assert "a board that is not trusted" in message.content
    assert "would lower 6 of 6 members found on it, taking 240 points" in message.content
    assert "`trc-engage sync --accept-drops`" in message.content
    assert "`trc-engage sync --rebase-drops`" in message.content
    deployment.run()
    deployment.engage.sync(accept_drops=True)
    deployment.run()
    assert receiver.taken == ["alert", "all_clear"]


def test_a_frozen_day_is_told_at_once(deployment: Deployment, receiver: Receiver) -> None:
    """A frozen day sends one alert with the commands to decide with, and an all-clear once it is excused (R15a)."""
    community = deployment.community
    community.enroll("cy", "dee", "eli")
    community.xp = dict.fromkeys(["ada", "bo", "cy", "dee", "eli"], 1_000)
    deployment.run()
    for name in community.xp:
        community.chat(name)
    deployment.run()
    deployment.run(after=DAY)
    assert receiver.taken == []
    deployment.run(after=DAY)
    (message,) = receiver.messages
    assert "Tue 2026-03-03 cannot be settled: nobody's XP rose on it" in message.content
    assert "`trc-engage excuse 2026-03-03 --reason … --by …`" in message.content
    assert "`trc-engage settle --accept-quiet 2026-03-03`" in message.content
    deployment.run()
    deployment.engage.excuse(date(2026, 3, 3), reason="MEE6 stood still", by="admin")
    deployment.run()
    assert receiver.taken == ["alert", "all_clear"]


def test_a_clock_that_went_back_is_told_at_once(deployment: Deployment, receiver: Receiver) -> None:
    """A clock that went back sends one alert, because nothing is synced or settled, and an all-clear later (R22)."""
    deployment.run(after=-QUARTER)
    deployment.run(after=MINUTE)
    (message,) = receiver.messages
    assert "The clock went back: nothing is synced or settled" in message.content
    assert "`date -u`" in message.content
    deployment.run(after=QUARTER)
    assert receiver.taken == ["alert", "all_clear"]


def test_an_alert_says_all_that_is_needed(deployment: Deployment, receiver: Receiver) -> None:
    """An alert says since when syncs fail, why, and which streaks wait, and it names no member."""
    deployment.community.now = MONDAY.replace(hour=23)
    told_by_slot(deployment, receiver, [("fail", 2)])
    deployment.run("fail", timedelta(hours=1))
    (message,) = receiver.messages
    assert "3 times in a row since Mon 2026-03-02 23:15 UTC: outage" in message.content
    assert "the streaks of Mon 2026-03-02 wait" in message.content
    assert "Ada" not in message.content
