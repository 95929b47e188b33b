"""A webhook that was deleted, or asks to be left alone, is; and whoever asks is told so (R20)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.command import Operator
from support.community import LEDGERS, MONDAY, QUARTER, Community, opened
from support.deployment import Deployment
from support.receiver import TOKEN, Receiver, received, status
from trc_engage import AlertFailed, Engage, InvalidValue, Notice, SourceError
from trc_engage.adapters.alerts import WebhookAlerts
from trc_engage.core.incidents import WAIT_MAX, ChannelState, after_failure
from trc_engage.core.ports import Store
from trc_engage.entrypoints.daemon.loop import StoreIncident
from trc_engage.entrypoints.settings import Settings, SettingsError

HOURS_6 = 24
"""In slots."""
NOTICE = Notice("all_clear", "source", MONDAY, MONDAY)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Let Discord be there."""
    with received() as receiver:
        yield receiver


@pytest.fixture
def deployment(receiver: Receiver, tmp_path: Path) -> Iterator[Deployment]:
    """Let a member be synced once."""
    with Deployment(tmp_path / "engage.db", receiver) as deployment:
        deployment.community.enroll("ada")
        deployment.community.xp = {"ada": 1_000}
        deployment.run()
        yield deployment


def fail(deployment: Deployment, slots: int) -> None:
    """Let so many syncs fail, each run by a process of its own."""
    for _ in range(slots):
        deployment.restart()
        deployment.run("fail")


@pytest.mark.parametrize("gone", ["404", "401", "410"])
def test_a_webhook_that_is_gone_gets_one_message(deployment: Deployment, receiver: Receiver, gone: str) -> None:
    """Hours of outage, each run with nothing known but what is in the store: one POST."""
    receiver.trouble = gone
    fail(deployment, HOURS_6)
    assert len(receiver.messages) == 1


@pytest.mark.parametrize(("trouble", "most"), [("403", 6), ("400", 6), ("redirects", 6), ("429", 6)])
def test_what_the_next_run_would_only_get_again_is_asked_for_once_an_hour(
    deployment: Deployment, receiver: Receiver, trouble: str, most: int
) -> None:
    """At most a message an hour, and not one each quarter of an hour."""
    receiver.trouble = trouble
    fail(deployment, HOURS_6)
    assert most // 2 <= len(receiver.messages) <= most


def test_another_address_is_used_at_once_and_the_dead_one_no_more(deployment: Deployment, receiver: Receiver) -> None:
    """As soon as the admin sets a new webhook the alert arrives there."""
    receiver.trouble = "404"
    fail(deployment, 4)
    with received() as other:
        deployment.urls[:] = [other.url]
        fail(deployment, 2)
        assert other.taken == ["alert"]
        deployment.restart()
        deployment.run("good")
        assert other.taken == ["alert", "all_clear"]
        assert deployment.community.ledger.run_state().channels == []
    assert len(receiver.messages) == 1


def test_the_store_never_holds_the_address(deployment: Deployment, receiver: Receiver) -> None:
    """What it keeps stands for the address and does not lead to it."""
    receiver.trouble = "404"
    fail(deployment, 3)
    (state,) = deployment.community.ledger.run_state().channels
    assert re.fullmatch(r"[0-9a-f]{32}", state.fingerprint)
    content = deployment.path.read_bytes()
    assert TOKEN.encode() not in content
    assert b"127.0.0.1" not in content


def test_the_status_says_that_no_alert_arrives(deployment: Deployment, receiver: Receiver, tmp_path: Path) -> None:
    """In words and as JSON, with what to do, until the address is another; the address itself is not told."""
    receiver.trouble = "404"
    fail(deployment, 3)
    operator = Operator(tmp_path)
    env = {"TRC_ENGAGE_ALERT_WEBHOOK": receiver.url}
    told = operator.run("status", env=env)
    assert told.code == 1
    assert "alerts no longer arrive by webhook, since " in told.out
    assert "make a new one (in Discord: channel settings, Integrations, Webhooks)" in told.out
    assert "Its address is set in TRC_ENGAGE_ALERT_WEBHOOK" in told.out
    found = operator.run("status", "--json", env=env).json
    (channel,) = found["channels"]
    assert (channel["channel"], channel["not_before"], found["healthy"]) == ("webhook", None, False)
    assert TOKEN not in told.out + f"{found}"
    other = operator.run("status", "--json", env={"TRC_ENGAGE_ALERT_WEBHOOK": f"{receiver.url}x"}).json
    assert other["channels"] == []
    assert operator.run("status", "--json").json["channels"] == []


@pytest.fixture(params=LEDGERS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Lend a ledger of each kind."""
    with opened(request.param, tmp_path) as ledger:
        yield ledger


class Asking:
    """A channel that asks to be left alone, or is gone."""

    channel = "asking"

    def __init__(self, fingerprint: str, error: AlertFailed | None) -> None:
        self.fingerprint = fingerprint
        self.error = error
        self.asked = 0

    def send(self, _notice: Notice, /) -> None:
        """Count, and refuse."""
        self.asked += 1
        if self.error:
            raise self.error


def failure_run(ledger: Store, *channels: Asking) -> Community:
    """Return a community at its third failure."""
    community = Community(ledger)
    ledger = community.ledger
    community.engage = Engage(ledger=ledger, source=community, clock=lambda: community.now, alerts=channels)
    community.enroll("ada")
    community.run()
    community.trouble = SourceError("down", "no answer")
    for _ in range(3):
        community.run()
    return community


def test_a_wait_is_honoured_by_every_process_and_then_it_is_sent(ledger: Store) -> None:
    """Half an hour asked for: the next run and one by another process stay silent, the third is heard."""
    channel = Asking("f", AlertFailed("slow down", retry_after=timedelta(minutes=29)))
    community = failure_run(ledger, channel)
    channel.error = None
    community.run()
    assert (channel.asked, community.engage.status().shut_channels[0].why) == (1, "slow down")
    community.run()
    assert (channel.asked, ledger.run_state().channels) == (2, [])


def test_a_limit_for_all_keeps_the_other_addresses_of_the_name_away(ledger: Store) -> None:
    """`X-RateLimit-Scope: global` is meant for whoever asks, by whatever webhook."""
    first = Asking("one", AlertFailed("slow down", retry_after=timedelta(hours=1), is_for_all=True))
    second = Asking("two", None)
    failure_run(ledger, first, second)
    assert (first.asked, second.asked) == (1, 0)


def test_of_two_addresses_one_that_is_gone_stays_so(ledger: Store) -> None:
    """What the other takes does not bring it back."""
    first, second = Asking("one", AlertFailed("gone", is_gone=True)), Asking("two", None)
    community = failure_run(ledger, first, second)
    community.trouble = None
    community.run()
    assert (first.asked, second.asked) == (1, 2)


def test_a_wait_from_a_clock_that_ran_ahead_keeps_nobody(ledger: Store) -> None:
    """What ends later than any wait can is none."""
    channel = Asking("f", AlertFailed("slow down", retry_after=timedelta(hours=1)))
    community = failure_run(ledger, channel)
    community.now -= timedelta(days=60)
    community.engage.run_due()
    assert channel.asked == 2


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        (["Retry-After: 3600"], b"", 3_600),
        (["Retry-After: 7"], b'{"message": "x", "retry_after": 64.57, "global": false}', 64.57),
        ([], b'{"retry_after": 0.3}', 0.3),
        (["Retry-After: soon"], b"<html>", 900),
        (["Retry-After: -5"], b'{"retry_after": NaN}', 900),
        (["Retry-After: 1e400"], b"", 1e6),
        (["Retry-After: 99999999999999999999"], b'{"retry_after": 1e12}', 1e6),
        ([], b"[" * 4_000, 900),
        ([], b'{"retry_after": true}', 900),
    ],
)
def test_a_wait_is_taken_as_it_may_come(headers: list[str], body: bytes, expected: float) -> None:
    """In the header or the body, whole or not, the longer of the two; what makes no sense is a quarter of an hour."""
    with received() as receiver:
        answer = status(429, *headers).replace(b"Content-Length: 0", b"Content-Length: %d" % len(body)) + body
        receiver.answers = answer
        alerts = WebhookAlerts(receiver.url)
        with pytest.raises(AlertFailed) as caught:
            alerts.send(NOTICE)
    assert caught.value.retry_after == timedelta(seconds=expected)
    state = after_failure("webhook", "f", caught.value, MONDAY)
    assert state is not None
    assert state.not_before is not None
    assert timedelta(seconds=1) <= state.not_before - MONDAY <= WAIT_MAX


@pytest.mark.parametrize(("scope", "for_all"), [("global", True), ("user", False), ("shared", False)])
def test_the_scope_of_a_limit_is_read(scope: str, *, for_all: bool) -> None:
    """Only one that is global is meant for all."""
    with received() as receiver:
        receiver.answers = status(429, "Retry-After: 5", f"X-RateLimit-Scope: {scope}")
        alerts = WebhookAlerts(receiver.url)
        with pytest.raises(AlertFailed) as caught:
            alerts.send(NOTICE)
    assert caught.value.is_for_all is for_all


def test_a_store_that_fails_does_not_ask_a_dead_webhook_again(receiver: Receiver) -> None:
    """The daemon tells of it from memory, and keeps there what it learnt."""
    receiver.trouble = "404"
    incident = StoreIncident([WebhookAlerts(receiver.url)])
    for number in range(200):
        incident.failed(OSError("disk"), MONDAY + number * QUARTER)
    assert len(receiver.messages) == 1


def test_discord_is_told_who_sends(receiver: Receiver) -> None:
    """In the form it asks for, with the address that the admin set and none that was made up."""
    WebhookAlerts(receiver.url, contact="https://trc.example/engage").send(NOTICE)
    WebhookAlerts(receiver.url).send(NOTICE)
    told = [message.headers["User-Agent"] for message in receiver.messages]
    assert re.fullmatch(r"DiscordBot \(https://trc\.example/engage, \d[^ ]*\)", told[0])
    assert re.fullmatch(r"DiscordBot \(trc-engage, \d[^ ]*\)", told[1])


@pytest.mark.parametrize("contact", ["trc.example", "https://a b", "https://a\r\nX: 1", "https://a,b", "https://a(b)"])
def test_a_contact_that_would_break_the_form_is_refused(contact: str) -> None:
    """As a setting and as an argument."""
    with pytest.raises(SettingsError, match="TRC_ENGAGE_CONTACT_URL"):
        Settings.from_mapping({"TRC_ENGAGE_CONTACT_URL": contact})
    with pytest.raises(InvalidValue):
        WebhookAlerts("https://discord.com/x", contact=contact)


@pytest.mark.parametrize(
    "contact", ["https://ada:kAnArY@trc.example/", "https://kAnArY@trc.example", "https://t.https://a:kAnArY@b/1"]
)
def test_a_contact_with_a_password_is_refused_unseen(contact: str) -> None:
    """It would be sent to Discord with each alert; an @ in a path is none."""
    with pytest.raises(
        SettingsError, match=r"TRC_ENGAGE_CONTACT_URL: 'https://…': .*without user name, password"
    ) as caught:
        Settings.from_mapping({"TRC_ENGAGE_CONTACT_URL": contact})
    with pytest.raises(InvalidValue) as refused:
        WebhookAlerts("https://discord.com/x", contact=contact)
    assert "kAnArY" not in f"{caught.value!r} {caught.value} {refused.value!r} {refused.value}"
    page = "https://social.example/@trc"
    assert Settings.from_mapping({"TRC_ENGAGE_CONTACT_URL": page}).contact_url == page
    WebhookAlerts("https://discord.com/x", contact=page)


def test_a_channel_without_an_address_of_its_own_is_never_given_up() -> None:
    """Nobody could tell when it is another."""
    assert after_failure("log", "", AlertFailed("gone", is_gone=True), MONDAY) is None
    assert after_failure("log", "", AlertFailed("no"), MONDAY) is None
    assert ChannelState("log", "").is_plain
