"""`alerts test` tries every channel before it is needed, and `status` says what each took last."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import Operator
from support.receiver import TOKEN, Receiver, received


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Serve a webhook."""
    with received() as receiver:
        yield receiver


@pytest.fixture
def operator(tmp_path: Path, receiver: Receiver) -> Operator:
    """Return an operator who set a webhook, and has no store yet."""
    operator = Operator(tmp_path)
    operator.env["TRC_ENGAGE_ALERT_WEBHOOK"] = receiver.url
    return operator


def test_a_test_notice_arrives_by_every_channel(operator: Operator, receiver: Receiver) -> None:
    """In the log on stderr and at the webhook; it says that nothing is wrong, and no store is needed for it."""
    tried = operator.run("alerts", "test")
    assert (tried.code, tried.out) == (0, "log: took it\nwebhook: took it\n")
    (message,) = receiver.messages
    assert message.content.splitlines()[0] == "**Test: trc-engage can reach you here**"
    assert "Nothing is wrong" in message.content
    assert "Test: trc-engage can reach you here" in tried.err
    assert list(operator.folder.iterdir()) == []


@pytest.mark.parametrize(("trouble", "why"), [("404", "the webhook was deleted"), ("refuses", "cannot be reached")])
def test_a_channel_that_takes_nothing_is_named(operator: Operator, receiver: Receiver, trouble: str, why: str) -> None:
    """With the reason, and code 1; the secret of the webhook shows nowhere."""
    receiver.trouble = trouble
    tried = operator.run("alerts", "test", "--json")
    log, webhook = tried.json["channels"]
    assert (tried.code, log, webhook["taken"]) == (1, {"channel": "log", "taken": True, "why": None}, False)
    assert why in webhook["why"]
    assert TOKEN not in tried.out + tried.err


def test_without_further_channels_the_settings_are_named(operator: Operator) -> None:
    """Whoever only has a log may not know that there is more."""
    operator.env["TRC_ENGAGE_ALERT_WEBHOOK"] = ""
    tried = operator.run("alerts", "test")
    assert (tried.code, tried.out.splitlines()[0]) == (0, "log: took it")
    assert "TRC_ENGAGE_ALERT_WEBHOOK" in tried.out
    assert "SENTRY_DSN" in tried.out


def test_status_says_what_each_channel_took_last(operator: Operator) -> None:
    """Each channel has a line; one that took nothing yet says so."""
    assert operator.run("members", "enroll", "m-1", "--discord-id", "80351110224678912").code == 0
    assert operator.run("status", "--json").json["alert_channels"] == [
        {"channel": "log", "sent_at": None, "topic": None},
        {"channel": "webhook", "sent_at": None, "topic": None},
    ]
    assert "alerts by webhook  nothing sent yet" in operator.run("status").out
