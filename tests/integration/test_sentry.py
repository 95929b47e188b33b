"""What Sentry receives, as seen in its envelopes, and what happens if Sentry does not answer or is not used."""

import gzip
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk
import typer

import trc_engage
from support.command import Operator
from support.kept import Kept
from support.receiver import Receiver, received
from support.stores import made
from trc_engage import Notice, RunReport, SourceError
from trc_engage.adapters.alerts import SentryAlerts
from trc_engage.core.errors import AlertFailed, ClockWentBack, LedgerBusy
from trc_engage.core.incidents import Message
from trc_engage.entrypoints.cli.daemon import monitored
from trc_engage.entrypoints.daemon.loop import Monitor
from trc_engage.entrypoints.daemon.sentry import SETTLEMENT_MONITOR, SYNC_MONITOR
from trc_engage.entrypoints.settings import Settings
from trc_engage.testing.mee6 import Mee6Server

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DSN_KEY = "dSn-cAnArY"
TOKEN = "tOkEn-cAnArY/+="  # noqa: S105
WEBHOOK = "https://discord.example/api/webhooks/900000000000000009/wEbHoOk-cAnArY-0123456789"
SETTINGS = Settings(
    source_token=TOKEN,
    alert_webhook=WEBHOOK,
    sentry_dsn=f"https://{DSN_KEY}@sentry.example/42",
    sentry_environment="staging",
)


@pytest.fixture(autouse=True)
def _no_client_is_left() -> Iterator[None]:
    yield
    sentry_sdk.get_global_scope().set_client(None)


def notice(kind: str = "alert") -> Notice:
    """Return a notice."""
    return Notice(kind, "source", MONDAY, MONDAY)  # type: ignore[arg-type]


def alerts(text: str = "Why: it fell.") -> SentryAlerts:
    """Return a channel that describes every notice by this title and text."""
    return SentryAlerts(describe=lambda _: Message("MEE6's board could not be synced", text))


def run(outcome: str, **more: Any) -> RunReport:
    """Return a run's report."""
    return RunReport(MONDAY, outcome, **more)  # type: ignore[arg-type]


def test_an_incident_is_one_issue() -> None:
    """Alert, reminder and all-clear are messages with one fingerprint and no personal data, each at its own level."""
    kept = Kept()
    with monitored(SETTINGS, transport=kept):
        for kind in ("alert", "reminder", "all_clear"):
            alerts().send(notice(kind))
    assert [event["level"] for event in kept.payloads] == ["error", "warning", "info"]
    for event in kept.payloads:
        assert event["message"] == "MEE6's board could not be synced"
        assert event["fingerprint"] == ["trc-engage", "source"]
        assert event["contexts"]["notice"] == {"since": MONDAY.isoformat(), "text": "Why: it fell."}
        assert event["environment"] == "staging"
        assert event["release"].startswith("trc-engage@")
        assert event["server_name"] == "trc-engage"
        assert event["sdk"]["integrations"] == ["dedupe"]
        assert not {"extra", "user", "modules", "request"} & event.keys()
        assert event["breadcrumbs"] == {"values": []}


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (run("nothing"), []),
        (run("busy", error=LedgerBusy("busy")), []),
        (run("stopped"), []),
        (run("synced", slot=MONDAY), [(SYNC_MONITOR, "ok")]),
        (run("waiting", slot=MONDAY), [(SYNC_MONITOR, "ok")]),
        (run("failed", slot=MONDAY, error=SourceError("down", "down")), [(SYNC_MONITOR, "error")]),
        (run("failed", error=ClockWentBack(MONDAY, MONDAY)), [(SYNC_MONITOR, "error")]),
        (run("nothing", settled=(date(2026, 3, 2),)), [(SETTLEMENT_MONITOR, "ok")]),
        (
            run("synced", slot=MONDAY, settled=(date(2026, 3, 1), date(2026, 3, 2))),
            [(SYNC_MONITOR, "ok"), (SETTLEMENT_MONITOR, "ok")],
        ),
    ],
    ids=lambda value: value.outcome if isinstance(value, RunReport) else "",
)
def test_what_was_done_checks_in(report: RunReport, expected: list[tuple[str, str]]) -> None:
    """A slot that ended and days that were settled check in; a wait that MEE6 asked for counts as good."""
    kept = Kept()
    with monitored(SETTINGS, transport=kept) as monitor:
        monitor.check_in(report)
    assert [(told["monitor_slug"], told["status"]) for told in kept.payloads] == expected


def test_check_ins_say_when_the_next_is_expected() -> None:
    """The margins let Sentry notice a dead daemon, but allow for a long read and a day that waits for a sync."""
    kept = Kept()
    with monitored(SETTINGS, transport=kept) as monitor:
        monitor.check_in(run("synced", settled=(date(2026, 3, 2),)))
    sync, settlement = (told["monitor_config"] for told in kept.payloads)
    assert sync["schedule"] == {"type": "crontab", "value": "*/15 * * * *"}
    assert (sync["timezone"], sync["checkin_margin"], sync["failure_issue_threshold"]) == ("Etc/UTC", 10, 3)
    assert settlement["schedule"] == {"type": "crontab", "value": "5 0 * * *"}
    assert (settlement["timezone"], settlement["checkin_margin"]) == ("Etc/UTC", 12 * 60)


def crash(member: str) -> None:
    """Raise an error as a bug would, with a member in a variable."""
    raise KeyError(member)


def test_an_error_of_the_program_is_told_without_what_it_held() -> None:
    """A captured error has its type and place, but no message, variables or lines of source."""
    kept = Kept()
    with monitored(SETTINGS, transport=kept) as monitor:
        try:
            crash("Ada Canary")
        except KeyError as error:
            monitor.capture(error)
    (event,) = kept.payloads
    (exception,) = event["exception"]["values"]
    assert exception["type"] == "KeyError"
    assert [frame["function"] for frame in exception["stacktrace"]["frames"]][-1] == "crash"
    for frame in exception["stacktrace"]["frames"]:
        assert not {"vars", "context_line", "pre_context", "post_context"} & frame.keys()
    assert "Canary" not in kept.raw


def captured(monitor: Monitor) -> None:
    """Crash, and capture the error before it goes on."""
    try:
        crash("Ada")
    except KeyError as error:
        monitor.capture(error)
        raise


def test_what_escapes_is_told_once() -> None:
    """An error that escapes is sent once, even if it was captured on its way."""
    kept = Kept()
    with pytest.raises(KeyError), monitored(SETTINGS, transport=kept):
        crash("Ada")
    with pytest.raises(KeyError), monitored(SETTINGS, transport=kept) as monitor:
        captured(monitor)
    assert [event["exception"]["values"][0]["type"] for event in kept.payloads] == ["KeyError"] * 2


@pytest.mark.parametrize("error", [SourceError("down", "MEE6 is down"), LedgerBusy("busy"), typer.Exit(69)])
def test_what_is_no_bug_is_not_told(error: Exception) -> None:
    """Source errors, a busy store and exit codes are not sent, since they are not bugs."""
    kept = Kept()
    with pytest.raises(type(error)), monitored(SETTINGS, transport=kept):
        raise error
    assert kept.payloads == []


SECRETS = [TOKEN, WEBHOOK, "wEbHoOk-cAnArY", DSN_KEY, "tOkEn-cAnArY%2F%2B%3D", "dE9rRW4tY0FuQXJZLys9"]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_taken_out_of_whatever_is_told(secret: str) -> None:
    """Secrets are removed from messages, texts, tags and keys, also when they are URL-encoded or in base64."""
    kept = Kept()
    told = f"https://host/{TOKEN}/tOkEn-cAnArY%2F%2B%3D?dE9rRW4tY0FuQXJZLys9={SETTINGS.sentry_dsn} {WEBHOOK}"
    with monitored(SETTINGS, transport=kept):
        alerts(told).send(notice())
        with sentry_sdk.new_scope() as scope:
            scope.set_tag("told", told[:190])
            scope.set_extra(TOKEN, [told, {told: (told,)}])
            sentry_sdk.capture_message(told)
    assert len(kept.payloads) == 2
    assert "[removed]" in kept.raw
    assert secret not in kept.raw


def test_without_a_dsn_nothing_is_loaded_and_nobody_hears() -> None:
    """Without a DSN the Sentry SDK is not even imported."""
    program = (
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from trc_engage import RunReport\n"
        "from trc_engage.entrypoints.cli.daemon import monitored\n"
        "from trc_engage.entrypoints.settings import Settings\n"
        "with monitored(Settings()) as monitor:\n"
        "    monitor.check_in(RunReport(datetime.now(UTC), 'synced'))\n"
        "    monitor.capture(ValueError())\n"
        "print('sentry_sdk' in sys.modules)"
    )
    folder = str(Path(trc_engage.__file__).parents[1])
    ran = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": folder}, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "False"


def settings_of(receiver: Receiver) -> Settings:
    """Return settings whose DSN leads to the receiver."""
    return Settings(sentry_dsn=receiver.url.split("/api/")[0].replace("//", f"//{DSN_KEY}@") + "/42")


@pytest.mark.parametrize("trouble", ["500", "403", "429", "refuses"])
def test_a_notice_that_sentry_did_not_take_is_tried_again(trouble: str) -> None:
    """A notice that Sentry refused or did not take raises `AlertFailed`, so that it does not count as sent."""
    with received() as receiver:
        receiver.trouble = trouble
        with monitored(settings_of(receiver)), pytest.raises(AlertFailed, match="Sentry did not take it"):
            SentryAlerts().send(notice())
        receiver.trouble = ""
        with monitored(settings_of(receiver)):
            SentryAlerts().send(notice())
        assert receiver.messages[-1].path == "/api/42/envelope/"
        assert receiver.messages[-1].answered == ""


def test_a_sentry_that_hangs_holds_nobody() -> None:
    """If Sentry hangs, a notice fails at its time-out, and the monitor closes within a second and a half."""
    with received() as receiver:
        receiver.trouble = "hangs"
        with monitored(settings_of(receiver)) as monitor:
            with pytest.raises(AlertFailed, match=r"did not answer within 0\.3 s"):
                SentryAlerts(timeout=0.3).send(notice())
            monitor.check_in(run("synced"))
            began = time.monotonic()
        assert time.monotonic() - began < 1.5


CRASHING = """
import os, typer
from trc_engage.entrypoints.cli.daemon import monitored
from trc_engage.entrypoints.settings import Settings

def crash():
    with monitored(Settings.from_mapping(os.environ)):
        raise KeyError("Ada Canary")

{start}
"""


@pytest.mark.parametrize("start", ["typer.run(crash)", "crash()"])
def test_a_process_that_crashes_tells_once(start: str) -> None:
    """A process that crashes sends its error once, also within Typer, which catches it before the interpreter."""
    with received() as receiver:
        env = {"PYTHONPATH": str(Path(trc_engage.__file__).parents[1]), "SENTRY_DSN": dsn(receiver)}
        program = CRASHING.format(start=start)
        ran = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
        assert ran.returncode == 1
        (message,) = receiver.messages
        body = opened(message.body)
    assert '"type":"KeyError"' in body
    assert "Canary" not in body


def dsn(receiver: Receiver) -> str:
    """Return the DSN that leads to the receiver."""
    value = settings_of(receiver).sentry_dsn
    assert value is not None
    return value


def opened(body: bytes) -> str:
    """Return an envelope unpacked."""
    return gzip.decompress(body).decode()


def test_run_due_checks_in(tmp_path: Path) -> None:
    """The `run-due` command sends a check-in of the sync monitor."""
    with received() as receiver, Mee6Server.start() as server:
        operator = Operator(tmp_path, server)
        made(Settings.from_mapping(operator.env))
        ran = operator.run("run-due", env={"SENTRY_DSN": dsn(receiver)})
        assert ran.code == 0, ran.err
        (message,) = receiver.messages
    assert f'"monitor_slug":"{SYNC_MONITOR}"' in opened(message.body)
    assert '"status":"ok"' in opened(message.body)
