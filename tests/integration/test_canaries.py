"""Planted secrets, names and ids appear in no log at any level, no alert, no error and no Sentry report (R9)."""

import json
import logging
import traceback
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
import sentry_sdk
from attrs import define, field

from support.command import Operator
from support.community import MONDAY, QUARTER
from support.kept import Kept
from support.receiver import TOKEN as WEBHOOK_TOKEN, Receiver, received
from support.stores import made
from trc_engage import EngageError
from trc_engage.entrypoints.cli.daemon import monitored
from trc_engage.entrypoints.daemon.loop import Monitor
from trc_engage.entrypoints.settings import Settings
from trc_engage.entrypoints.wiring import opened_runner
from trc_engage.testing.mee6 import TROUBLES, Mee6Server, Trouble

TOKEN = "tOkEn+cAnArY/0123456789="  # noqa: S105
DSN_KEY = "dSn0cAnArY0123456789"
MEMBERS = {f"cAnArY-member-{number}": str(80351110224678900 + number) for number in range(6)}
NAME = "NaMe cAnArY 雪"
STRANGER = "stranger cAnArY"
CANARIES = [
    TOKEN,
    quote(TOKEN, safe=""),
    b64encode(TOKEN.encode()).decode(),
    DSN_KEY,
    WEBHOOK_TOKEN,
    "cAnArY",
    *MEMBERS.values(),
]


def raw(answer: bytes) -> Trouble:
    """Return a trouble that answers with exactly these bytes."""
    return Trouble.raw("telltale", answer)


def page(*players: object, guild: str = "200000000000000001", **more: object) -> Trouble:
    """Return a trouble that answers with a page of these players."""
    body = json.dumps({"guild": {"id": guild}, "players": list(players), **more}).encode()
    return raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + body)


ADA = "80351110224678900"
TELLTALES = {
    "row-with-name-for-xp": page({"id": ADA, "xp": NAME}),
    "row-with-number-for-id": page({"id": int(ADA), "xp": 1, "username": NAME}),
    "rows-that-are-names": page(*[NAME] * 9),
    "players-by-id": page(players={ADA: {"xp": 1, "username": NAME}}),
    "players-as-text": page(players=f"{ADA} {NAME}"),
    "guild-as-name": page(guild=f"{NAME} {ADA}"),
    "status-line": raw(f"{TOKEN} {ADA}\r\n\r\n".encode()),
    "header": raw(f"HTTP/1.1 200 OK\r\n{TOKEN} {ADA}\r\n\r\n".encode()),
    "json-cut-in-a-name": raw(b'HTTP/1.1 200 OK\r\n\r\n{"players": [{"username": "' + NAME.encode()),
    "echoed-token": raw(f"HTTP/1.1 401 {TOKEN}\r\nX-Echo: {TOKEN}\r\n\r\n{TOKEN} {NAME}".encode()),
    "redirect": raw(f"HTTP/1.1 302 Found\r\nLocation: https://host/?{TOKEN}\r\n\r\n".encode()),
    "retry-after": raw(f"HTTP/1.1 429 No\r\nRetry-After: {TOKEN}\r\n\r\n".encode()),
}
"""Answers with names, ids or the token where an error might quote them."""


@define
class Ears:
    """Everything that a run shows to anyone: logs, alerts, errors and Sentry reports."""

    caplog: pytest.LogCaptureFixture
    receiver: Receiver
    kept: Kept = field(factory=Kept)
    errors: list[str] = field(factory=list)
    traces: list[str] = field(factory=list)
    """Tracebacks, in which httpx may quote a server that does not answer in HTTP."""

    def hear(self, monitor: Monitor, error: Exception) -> None:
        """Record an error in every form in which it may be shown, and report it as a bug."""
        self.errors += [str(error), repr(error)]
        self.traces += traceback.format_exception(error)
        monitor.capture(error)

    def leaked(self, loggers: str = "") -> list[str]:
        """Return the canaries found in the records of these loggers, in alerts, in errors and in Sentry reports."""
        records = [record for record in self.caplog.records if record.name.startswith(loggers)]
        logs = [f"{logging.Formatter().format(record)} {vars(record)!r}" for record in records]
        alerts = [message.content for message in self.receiver.messages]
        heard = "\n".join([*logs, *alerts, *self.errors, self.kept.raw])
        return [canary for canary in CANARIES if canary in heard]


@pytest.fixture
def ears(caplog: pytest.LogCaptureFixture) -> Iterator[Ears]:
    """Capture the logs of every library at every level, and serve a webhook."""
    caplog.set_level(logging.DEBUG)
    with received() as receiver:
        yield Ears(caplog, receiver)
    sentry_sdk.get_global_scope().set_client(None)


class Time:
    """A clock that stands still until it is moved."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        """Return what time it is."""
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def server(time: Time) -> Iterator[Mee6Server]:
    """Serve a private board on which every name holds a canary."""
    with Mee6Server.start(clock=time) as server:
        server.token, server.slow_seconds, server.drip_seconds = TOKEN, 0.5, 0.05
        for number in range(20):
            server.board.join(str(80351110224678900 + number), username=f"{STRANGER} {number}", xp=5_000)
        yield server


def live(folder: Path, ears: Ears, server: Mee6Server, time: Time, trouble: str | Trouble) -> None:
    """Sync successfully, run in trouble three times, sync by hand, and recover."""
    settings = Settings(
        store=folder / "engage.db",
        guild_id=server.guild_id,
        source_url=server.url,
        source_token=TOKEN,
        alert_webhook=ears.receiver.url,
        sentry_dsn=f"https://{DSN_KEY}@sentry.example/42",
    )
    options = {"page_gap": 0.0, "deadline_seconds": 0.4, "pages_max": 5, "pause": float}
    made(settings)
    with (
        monitored(settings, transport=ears.kept) as monitor,
        opened_runner(settings, clock=time, **options) as runner,
    ):
        engage = runner.engage
        for member_id, discord_id in MEMBERS.items():
            engage.enroll(member_id, discord_id=discord_id, name=f"{NAME} {member_id}")
        monitor.check_in(engage.run_due())
        server.trouble(trouble)
        for _ in range(3):
            time.now += 5 * QUARTER
            report = engage.run_due()
            monitor.check_in(report)
            if report.error is not None:
                ears.hear(monitor, report.error)
        try:
            engage.sync(fresh=True)
        except EngageError as error:
            ears.hear(monitor, error)
        ears.errors += [repr(settings), repr(engage.status()), repr(runner)]
        server.recover()
        time.now += 5 * QUARTER
        monitor.check_in(engage.run_due())


@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_trouble_makes_a_canary_sing(
    trouble: str, ears: Ears, server: Mee6Server, time: Time, tmp_path: Path
) -> None:
    """In every trouble, no secret, name or id appears in any log, alert, error, traceback or Sentry report."""
    live(tmp_path, ears, server, time, trouble)
    assert ears.caplog.records
    assert ears.kept.payloads
    assert ears.leaked() == []
    assert not any(canary in trace for canary in CANARIES for trace in ears.traces)


@pytest.mark.parametrize("trouble", TELLTALES.values(), ids=TELLTALES)
def test_no_answer_that_holds_a_canary_is_quoted(
    trouble: Trouble, ears: Ears, server: Mee6Server, time: Time, tmp_path: Path
) -> None:
    """If an answer has names or ids in unexpected places, or our own token, this package repeats none of them."""
    live(tmp_path, ears, server, time, trouble)
    assert ears.errors
    assert ears.leaked("trc_engage") == []


@pytest.mark.parametrize("trouble", ["", "refuses", "500", "404", "429", "redirects", "nonsense", "drips"])
def test_no_webhook_makes_a_canary_sing(
    trouble: str, ears: Ears, server: Mee6Server, time: Time, tmp_path: Path
) -> None:
    """However the webhook fails, no secret, name or id appears, not even the webhook's own address."""
    ears.receiver.trouble = trouble
    live(tmp_path, ears, server, time, "private")
    assert ears.receiver.messages
    assert ears.leaked() == []


@pytest.mark.parametrize(
    "command",
    [
        ("sync", "--fresh"),
        ("sync", "--json"),
        ("run-due", "--json", "--log-level", "debug"),
        ("daemon", "--once", "--log-level", "debug", "--log-json"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("trouble", ["", "private", "rows_not_list"])
def test_no_command_prints_a_canary(command: tuple[str, ...], trouble: str, tmp_path: Path) -> None:
    """No command prints a secret, name or id, even if the webhook, the heartbeat and Sentry fail as well."""
    with received() as receiver, Mee6Server.start() as server:
        server.token, receiver.trouble = TOKEN, "500"
        for member_id, discord_id in MEMBERS.items():
            server.board.join(discord_id, username=f"{STRANGER} {member_id}", xp=5_000)
        operator = Operator(tmp_path, server)
        operator.env |= {
            "TRC_ENGAGE_MEE6_TOKEN": TOKEN,
            "TRC_ENGAGE_ALERT_WEBHOOK": receiver.url,
            "TRC_ENGAGE_HEARTBEAT_URL": receiver.url,
            "SENTRY_DSN": receiver.url.split("/api/")[0].replace("//", f"//{DSN_KEY}@") + "/42",
        }
        for member_id, discord_id in MEMBERS.items():
            assert operator.call("members", "enroll", member_id, "--discord-id", discord_id, "--name", NAME).code == 0
        if trouble:
            server.trouble(trouble)
        ran = operator.run(*command)
    assert bool(ran.code) == bool(trouble), ran.err
    assert [canary for canary in CANARIES if canary in ran.out + ran.err] == []


def test_a_setting_that_is_wrong_is_not_printed(tmp_path: Path) -> None:
    """A malformed setting is reported by its variable with exit code 78, without its value, which may be a secret."""
    for variable in (
        "TRC_ENGAGE_MEE6_TOKEN",
        "TRC_ENGAGE_ALERT_WEBHOOK",
        "TRC_ENGAGE_HEARTBEAT_URL",
        "SENTRY_DSN",
    ):
        ran = Operator(tmp_path).call("run-due", env={variable: f"wrong {TOKEN}"})
        assert ran.code == 78
        assert variable in ran.err
        assert TOKEN not in ran.out + ran.err
