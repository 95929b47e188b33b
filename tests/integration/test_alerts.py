"""Each alert channel: what it sends, that it fails in time, and that it never shows the webhook's address."""

import logging
import re
import time
import traceback
from datetime import UTC, datetime

import pytest
import sentry_sdk
from attrs import evolve
from syrupy.assertion import SnapshotAssertion

from support.receiver import PATH, TOKEN, received
from trc_engage import InvalidValue
from trc_engage.adapters.alerts import LENGTH_MAX, LogAlerts, SentryAlerts, WebhookAlerts, content
from trc_engage.core.errors import AlertFailed
from trc_engage.core.incidents import Message, Notice

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEXT = "Why: it fell.\nWhat helps: `trc-engage sync --accept-drops`, or `date -u`."


NOTICE = Notice("alert", "source", MONDAY, MONDAY)
MESSAGE = Message("MEE6's board could not be synced", TEXT)


def test_a_webhook_gets_what_discord_expects() -> None:
    """A webhook gets JSON with a bold title, commands as code, and no mention allowed."""
    with received() as receiver:
        alerts = WebhookAlerts(receiver.url, describe=lambda _: MESSAGE)
        alerts.send(NOTICE)
    (message,) = receiver.messages
    assert message.path == PATH
    assert message.headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"DiscordBot \(trc-engage, [^ ]+\)", message.headers["User-Agent"])
    assert message.document == {
        "content": f"**MEE6's board could not be synced**\n{TEXT}",
        "allowed_mentions": {"parse": []},
    }


def test_what_is_foreign_in_a_message_is_inert(snapshot: SnapshotAssertion) -> None:
    """Mentions, links, spoilers and headings in foreign text are escaped, so that Discord shows what was written."""
    hostile = (
        "@everyone <@80351110224678900> [free](https://evil.example) ||x|| **b** _i_ ~~s~~ ``` `rm -rf /` \\* "
        "\u202e\x1b[31m\ud800 <:a:1> `trc-engage status`"
    )
    text = content(Message("# **title** @here", f"{hostile}\n# heading\n> quote"))
    assert text.encode().decode() == text
    assert text == snapshot


@pytest.mark.parametrize("filler", ["x", "*", "👍", "@", "`"])
def test_a_message_is_cut_to_what_discord_takes_and_keeps_its_commands(filler: str) -> None:
    """A message that is too long loses the middle of its longest line, so the command at the end of that line stays."""
    text = content(
        evolve(MESSAGE, text=f"Why: {filler * 9_000} `trc-engage sync --accept-drops`\nWhat it means: wait.")
    )
    assert len(text.encode("utf-16-le")) // 2 <= LENGTH_MAX
    assert len(text.encode("utf-16-le")) // 2 > LENGTH_MAX - 50
    assert "…" in text
    assert "`trc-engage sync --accept-drops`\nWhat it means: wait." in text


def test_a_message_of_many_lines_is_cut_too() -> None:
    """A message with a long title and many long lines still fits."""
    assert len(content(Message("t" * 5_000, "\n".join(["line" * 40] * 500)))) <= LENGTH_MAX


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ("404", "status 404: the webhook was deleted, so it is not used again: make a new one (in Discord"),
        ("401", "status 401: the webhook's token is wrong"),
        ("403", "status 403: Discord refuses it"),
        ("400", "status 400: Discord cannot use the message"),
        ("429", "status 429: Discord asks for fewer messages: the next try comes after the wait that it asked for"),
        ("410", "status 410: the webhook is gone, so it is not used again"),
        ("500", "status 500: the next run tries again"),
        ("redirects", "status 302: a redirect, which is not followed"),
        ("refuses", "cannot be reached (RemoteDisconnected"),
        ("nonsense", "cannot be reached (BadStatusLine)"),
        ("drips", "did not answer within 0.3 s"),
        ("hangs", "did not answer within 0.3 s"),
    ],
)
def test_a_webhook_in_trouble_fails_in_time_and_keeps_the_secret(
    trouble: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A webhook in trouble fails within 1.5 s with an error that says why and does not show its token."""
    caplog.set_level(logging.DEBUG)
    with received() as receiver:
        receiver.trouble = trouble
        began = time.monotonic()
        alerts = WebhookAlerts(receiver.url, timeout=0.3)
        with pytest.raises(AlertFailed) as caught:
            alerts.send(NOTICE)
        assert time.monotonic() - began < 1.5
        shown = "".join(traceback.format_exception(caught.value)) + repr(alerts) + caplog.text
    assert len(receiver.messages) == 1
    assert says in str(caught.value)
    assert TOKEN not in shown
    assert PATH not in shown


@pytest.mark.parametrize(
    ("host", "says"),
    [("127.0.0.1:1", "ConnectionRefusedError: Connection refused"), ("nowhere.invalid", "cannot be reached (gaierror")],
)
def test_a_webhook_that_cannot_be_reached_is_told(host: str, says: str) -> None:
    """The error names what kind of trouble it is, such as a refused connection, and not the webhook's address."""
    alerts = WebhookAlerts(f"http://{host}{PATH}")
    with pytest.raises(AlertFailed) as caught:
        alerts.send(NOTICE)
    assert says in str(caught.value)
    assert caught.value.__cause__ is None
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy set in the environment is not used, so that none sees the webhook's address."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with received() as receiver:
        alerts = WebhookAlerts(receiver.url, describe=lambda _: MESSAGE)
        alerts.send(NOTICE)
        assert receiver.taken == ["alert"]


@pytest.mark.parametrize("url", ["", "discord.com/x", "ftp://discord.com/x", "https://discord.com", "https:///x"])
def test_what_is_no_address_is_refused_unseen(url: str) -> None:
    """A text that is not a webhook's address is refused when the channel is made, and is not shown."""
    with pytest.raises(InvalidValue, match="give the address of a Discord webhook") as caught:
        WebhookAlerts(url)
    assert not url or url not in str(caught.value)


@pytest.mark.parametrize("tail", [" ", "\r\nX-Evil: 1", "ü", "\x00"])
def test_an_address_that_would_break_the_request_is_refused_unseen(tail: str) -> None:
    """An address with a space, line break, control or non-ASCII character is refused, and its token is not shown."""
    with pytest.raises(InvalidValue) as caught:
        WebhookAlerts(f"https://discord.com{PATH}{tail}")
    assert TOKEN not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize(
    ("kind", "level"), [("alert", logging.ERROR), ("reminder", logging.ERROR), ("all_clear", logging.WARNING)]
)
def test_the_log_gets_one_line(kind: str, level: int, caplog: pytest.LogCaptureFixture) -> None:
    """Each notice is one log record with its topic and kind as fields: a warning for an all-clear, else an error."""
    alerts = LogAlerts(lambda _: Message("A title", "Why: it fell.\nWait."))
    alerts.send(Notice(kind, "source", MONDAY, MONDAY))  # type: ignore[arg-type]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("trc_engage.alerts", level)
    assert record.getMessage() == "A title — Why: it fell. Wait."
    assert (vars(record)["topic"], vars(record)["notice"]) == ("source", kind)


def test_sentry_needs_a_client_of_whoever_runs_this() -> None:
    """Without a Sentry client, which the host sets up, sending fails instead of passing for a delivery."""
    sentry_sdk.get_global_scope().set_client(None)
    with pytest.raises(AlertFailed, match="no Sentry client is set up"):
        SentryAlerts().send(NOTICE)


def test_channels_have_names_of_their_own() -> None:
    """Each kind of channel has its own name, under which the store records what was sent."""
    assert {LogAlerts().channel, SentryAlerts().channel, WebhookAlerts.channel} == {"log", "sentry", "webhook"}
