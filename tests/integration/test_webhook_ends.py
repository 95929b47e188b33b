"""A webhook that is gone or asks for a wait is not called again too soon, and the status says so (R20)."""

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
    """Start a server that stands for Discord."""
    with received() as receiver:
        yield receiver


@pytest.fixture
def deployment(receiver: Receiver, tmp_path: Path) -> Iterator[Deployment]:
    """Yield a deployment in which a member was synced once."""
    with Deployment(tmp_path / "engage.db", receiver) as deployment:
        deployment.community.enroll("ada")
        deployment.community.xp = {"ada": 1_000}
        deployment.run()
        yield deployment


def fail(deployment: Deployment, slots: int) -> None:
    """Fail this many syncs, each in a process of its own."""
    for _ in range(slots):
        deployment.restart()
        deployment.run("fail")


@pytest.mark.parametrize("gone", ["404", "401", "410"])
def test_a_webhook_that_is_gone_gets_one_message(deployment: Deployment, receiver: Receiver, gone: str) -> None:
    """Hours of outage make a single request to a webhook that is gone, though each run knows only what is stored."""
    receiver.trouble = gone
    fail(deployment, HOURS_6)
    assert len(receiver.messages) == 1


@pytest.mark.parametrize(("trouble", "most"), [("403", 6), ("400", 6), ("redirects", 6), ("429", 6)])
def test_what_the_next_run_would_only_get_again_is_asked_for_once_an_hour(
    deployment: Deployment, receiver: Receiver, trouble: str, most: int
) -> None:
    """A webhook that refuses or limits is tried at most once an hour instead of in each slot."""
    receiver.trouble = trouble
    fail(deployment, HOURS_6)
    assert most // 2 <= len(receiver.messages) <= most


def test_another_address_is_used_at_once_and_the_dead_one_no_more(deployment: Deployment, receiver: Receiver) -> None:
    """A new webhook gets the alert and the all-clear at once, and the dead one gets no further message."""
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
    """The store keeps a fingerprint of the webhook's address, and neither its token nor its host."""
    receiver.trouble = "404"
    fail(deployment, 3)
    (state,) = deployment.community.ledger.run_state().channels
    assert re.fullmatch(r"[0-9a-f]{32}", state.fingerprint)
    content = deployment.path.read_bytes()
    assert TOKEN.encode() not in content
    assert b"127.0.0.1" not in content


def test_the_status_says_that_no_alert_arrives(deployment: Deployment, receiver: Receiver, tmp_path: Path) -> None:
    """The status says in text and JSON that alerts fail and what to do, until the address changes; it is not shown."""
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
    """Yield an empty ledger of each kind."""
    with opened(request.param, tmp_path) as ledger:
        yield ledger


class Asking:
    """A channel that raises a given error."""

    channel = "asking"

    def __init__(self, fingerprint: str, error: AlertFailed | None) -> None:
        self.fingerprint = fingerprint
        self.error = error
        self.asked = 0

    def send(self, _notice: Notice, /) -> None:
        """Count the call, and raise the error if there is one."""
        self.asked += 1
        if self.error:
            raise self.error


def failure_run(ledger: Store, *channels: Asking) -> Community:
    """Return a community after its third failed sync."""
    community = Community(ledger)
    ledger = community.ledger
    community.engage = Engage(ledger=ledger, source=community, clock=lambda: community.now, alerts=channels)
    community.enroll("ada")
    community.run()
    community.trouble = SourceError("down", "no answer")
    for _ in range(3):
        community.run()
    return community


def test_no_run_sends_within_a_wait_and_the_first_one_after_it_does(ledger: Store) -> None:
    """No run sends to a channel within the wait that it asked for; the first run after it does."""
    channel = Asking("f", AlertFailed("slow down", retry_after=timedelta(minutes=29)))
    community = failure_run(ledger, channel)
    channel.error = None
    community.run()
    assert (channel.asked, community.engage.status().shut_channels[0].why) == (1, "slow down")
    community.run()
    assert (channel.asked, ledger.run_state().channels) == (2, [])


def test_a_limit_for_all_keeps_the_other_addresses_of_the_name_away(ledger: Store) -> None:
    """A limit with the scope `global` applies to all webhooks, since it is meant for the sender."""
    first = Asking("one", AlertFailed("slow down", retry_after=timedelta(hours=1), is_for_all=True))
    second = Asking("two", None)
    failure_run(ledger, first, second)
    assert (first.asked, second.asked) == (1, 0)


def test_of_two_addresses_one_that_is_gone_stays_so(ledger: Store) -> None:
    """A notice that one address takes does not make the other, which is gone, count as there again."""
    first, second = Asking("one", AlertFailed("gone", is_gone=True)), Asking("two", None)
    community = failure_run(ledger, first, second)
    community.trouble = None
    community.run()
    assert (first.asked, second.asked) == (1, 2)


def test_a_wait_from_a_clock_that_ran_ahead_keeps_nobody(ledger: Store) -> None:
    """A wait that would end later than any wait can, after a clock ran ahead, does not count."""
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
    """The longer wait of header and body counts, fractions included; an unusable one is a quarter of an hour."""
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
    """Only a limit with the scope `global` applies to all webhooks."""
    with received() as receiver:
        receiver.answers = status(429, "Retry-After: 5", f"X-RateLimit-Scope: {scope}")
        alerts = WebhookAlerts(receiver.url)
        with pytest.raises(AlertFailed) as caught:
            alerts.send(NOTICE)
    assert caught.value.is_for_all is for_all


def test_a_store_that_fails_does_not_ask_a_dead_webhook_again(receiver: Receiver) -> None:
    """While the store fails, the daemon remembers in memory that a webhook is gone, and calls it once only."""
    receiver.trouble = "404"
    incident = StoreIncident([WebhookAlerts(receiver.url)])
    for number in range(200):
        incident.failed(OSError("disk"), MONDAY + number * QUARTER)
    assert len(receiver.messages) == 1


def test_discord_is_told_who_sends(receiver: Receiver) -> None:
    """The User-Agent has the form that Discord asks for, with the configured contact or none."""
    WebhookAlerts(receiver.url, contact="https://trc.example/engage").send(NOTICE)
    WebhookAlerts(receiver.url).send(NOTICE)
    told = [message.headers["User-Agent"] for message in receiver.messages]
    assert re.fullmatch(r"DiscordBot \(https://trc\.example/engage, \d[^ ]*\)", told[0])
    assert re.fullmatch(r"DiscordBot \(trc-engage, \d[^ ]*\)", told[1])


@pytest.mark.parametrize("contact", ["trc.example", "https://a b", "https://a\r\nX: 1", "https://a,b", "https://a(b)"])
def test_a_contact_that_would_break_the_form_is_refused(contact: str) -> None:
    """A contact that would break the User-Agent's form is refused, as a setting and as an argument."""
    with pytest.raises(SettingsError, match="TRC_ENGAGE_CONTACT_URL"):
        Settings.from_mapping({"TRC_ENGAGE_CONTACT_URL": contact})
    with pytest.raises(InvalidValue):
        WebhookAlerts("https://discord.com/x", contact=contact)


@pytest.mark.parametrize(
    "contact", ["https://ada:kAnArY@trc.example/", "https://kAnArY@trc.example", "https://t.https://a:kAnArY@b/1"]
)
def test_a_contact_with_a_password_is_refused_unseen(contact: str) -> None:
    """A contact with a user name or password is refused without being shown; an @ in its path is allowed."""
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
    """A channel without an address is never given up, because a new address could not be noticed."""
    assert after_failure("log", "", AlertFailed("gone", is_gone=True), MONDAY) is None
    assert after_failure("log", "", AlertFailed("no"), MONDAY) is None
    assert ChannelState("log", "").is_plain
