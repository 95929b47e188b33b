"""`alerts test` tries every channel before it is needed, and `status` says what each took last."""

from collections.abc import Iterator
from pathlib import Path
from socket import gethostname

import pytest

from support.command import Operator
from support.deployment import Deployment
from support.receiver import TOKEN, Receiver, received
from trc_engage.entrypoints.wording.status import running

GUILD_ID = "429462860721341342"


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
    operator.env["TRC_ENGAGE_GUILD_ID"] = GUILD_ID
    return operator


def marked(text: str) -> str:
    """Return a text as it is escaped for Discord's Markdown."""
    return text.replace("_", "\\_")


def test_a_test_notice_arrives_by_every_channel(operator: Operator, receiver: Receiver) -> None:
    """The test notice reaches the log and the webhook, says that nothing is wrong, and needs no store."""
    tried = operator.run("alerts", "test")
    assert (tried.code, tried.out) == (0, "log: delivered\nwebhook: delivered\n")
    (message,) = receiver.messages
    assert message.content.splitlines()[0] == "**Test: trc-engage can reach you here**"
    assert "This is only a test" in message.content
    assert message.content.splitlines()[-1] == f"From {marked(gethostname())}, about mee6, server {GUILD_ID}."
    assert "Test: trc-engage can reach you here" in tried.err
    assert list(operator.folder.iterdir()) == []


@pytest.mark.parametrize(("trouble", "why"), [("404", "the webhook was deleted"), ("refuses", "cannot be reached")])
def test_a_channel_that_takes_nothing_is_named(operator: Operator, receiver: Receiver, trouble: str, why: str) -> None:
    """A channel that fails is reported with the reason and exit code 1, and the webhook's token is not shown."""
    receiver.trouble = trouble
    tried = operator.run("alerts", "test", "--json")
    log, webhook = tried.json["channels"]
    assert (tried.code, log, webhook["taken"]) == (1, {"channel": "log", "taken": True, "why": None}, False)
    assert why in webhook["why"]
    assert TOKEN not in tried.out + tried.err


def test_without_further_channels_the_settings_are_named(operator: Operator) -> None:
    """If the log is the only channel, `alerts test` names the settings that add others."""
    operator.env["TRC_ENGAGE_ALERT_WEBHOOK"] = ""
    tried = operator.run("alerts", "test")
    assert (tried.code, tried.out.splitlines()[0]) == (0, "log: delivered")
    assert "TRC_ENGAGE_ALERT_WEBHOOK" in tried.out
    assert "SENTRY_DSN" in tried.out


def test_status_has_a_line_for_each_channel(operator: Operator) -> None:
    """`status` has a line for each channel, and says so if a channel was never sent a notice."""
    assert operator.run("members", "enroll", "m-1", "--discord-id", "80351110224678912").code == 0
    assert operator.run("status", "--json").json["alert_channels"] == [
        {"channel": "log", "sent_at": None, "topic": None, "undelivered": []},
        {"channel": "webhook", "sent_at": None, "topic": None, "undelivered": []},
    ]
    assert "alerts by webhook  nothing sent yet" in operator.run("status").out


def test_status_says_what_was_not_delivered(tmp_path: Path, receiver: Receiver) -> None:
    """`status` names an alert that a webhook did not take until it is delivered."""
    with Deployment(tmp_path / "outage.db", receiver) as deployment:
        deployment.community.enroll("ada")
        deployment.run()
        receiver.trouble = "500"
        for _ in range(3):
            deployment.run("fail")
        status = deployment.engage.status()
        (webhook,) = status.last_sent
        assert ([(one.kind, one.topic) for one in webhook.undelivered], webhook.sent_at) == (
            [("alert", "source")],
            None,
        )
        assert dict(running(status))["alerts by webhook"] == "nothing sent yet; not delivered: alert of source"
        receiver.trouble = ""
        deployment.run("fail")
        (webhook,) = deployment.engage.status().last_sent
        assert (webhook.undelivered, webhook.topic) == ((), "source")
