"""The commands that run unattended: daemon and run-due."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Annotated, Any

import typer

from ...adapters.alerts import Heartbeat
from ...core.reports import RunReport
from ..daemon.health import Health, answering
from ..daemon.logs import Level, logged
from ..daemon.loop import MINUTES, MINUTES_OF_ROSTER, Daemon, Monitor, Supervisor, Systemd
from ..daemon.signals import Stop, stop_on_signals
from ..settings import Settings
from ..stores import now
from ..wire.runs import Run
from ..wiring import check_ready, opened_runner
from ..wording import counted, points, safe, tally
from ..wording.alerts import describe_error
from .options import Json, code_of, command, flag, settings_in_force
from .output import print_json
from .web import listening

logger: logging.Logger = logging.getLogger(__name__)

LogJson = Annotated[bool, flag("--log-json", "Log one JSON object per line.")]
LogLevel = Annotated[Level, typer.Option(help="How much to log to stderr.")]


@contextmanager
def monitored(settings: Settings, *, transport: Any = None) -> Iterator[Monitor]:
    """Yield a monitor: Sentry if a DSN is set; `transport` replaces the network in tests."""
    if settings.sentry_dsn is None:
        yield Monitor()
        return
    from ..daemon.sentry import opened_sentry  # noqa: PLC0415  the library is slow to load, and most use none

    with opened_sentry(settings, transport) as monitor:
        yield monitor


@contextmanager
def supervised(level: Level, *, log_json: bool) -> Iterator[tuple[Supervisor, Stop, Health]]:
    """Open everything a supervisor needs; signals are handled before the first file opens until the last closes."""
    settings = settings_in_force()
    with (
        stop_on_signals() as stop,
        logged(level, as_json=log_json, secrets=settings.secrets),
        monitored(settings) as monitor,
        opened_runner(settings) as runner,
        closing(Heartbeat(settings.heartbeat_url)) as heartbeat,
    ):
        stop.on_signal(runner.stop)
        stop.on_signal(heartbeat.stop)
        health = Health(runner.engage.status, partial(check_ready, settings))
        monitors = (monitor, health)
        yield Supervisor(runner.engage, runner.alerts, now, *monitors, on_good=heartbeat.beat), stop, health


def _listener(address: str) -> socket.socket:
    """Listen on the health address."""
    host, _, port = address.rpartition(":")
    return listening(host.strip("[]"), int(port), "choose another with TRC_ENGAGE_HEALTH_ADDRESS")


def exit_with(report: RunReport) -> None:
    """Exit with the code of a run that failed; a run that was busy, waiting or stopped did not."""
    if report.outcome == "failed" and report.error is not None:
        raise typer.Exit(code_of(report.error))


@command("trc-engage daemon             until Ctrl-C or SIGTERM", "trc-engage daemon --log-json  for a log collector")
def daemon(
    *,
    once: Annotated[bool, flag("--once", "Do what is due now, then exit.")] = False,
    log_json: LogJson = False,
    log_level: LogLevel = "info",
) -> None:
    """Sync and settle on schedule until stopped.

    It syncs at :00, :15, :30 and :45 UTC, settles the day before at 00:05 UTC, and alerts the admins when
    something needs them. The store decides what is due, so you can run several daemons: nothing is done
    twice, and the next sync catches up on missed ones. SIGTERM and Ctrl-C stop it within 5 seconds.
    """
    settings = settings_in_force()
    address = None if once else settings.health_address
    with ExitStack() as stack:
        listener = None if address is None else stack.enter_context(closing(_listener(address)))
        supervisor, stop, health = stack.enter_context(supervised(log_level, log_json=log_json))
        if once:
            exit_with(supervisor.run_once())
            return
        minutes = MINUTES_OF_ROSTER if settings.discord_token else MINUTES
        loop = Daemon(supervisor.run, stop.wait, Systemd.from_environ(os.environ), minutes=minutes)
        if listener is not None:
            health.is_alive = loop.is_alive
            stack.enter_context(answering(health, listener))
        loop.run()
        logger.info("stopped by %s", stop.reason)


@command("*/5 * * * *  trc-engage run-due >/dev/null", title="Example, for cron:")
def run_due(*, as_json: Json = False, log_json: LogJson = False, log_level: LogLevel = "error") -> None:
    """Do what is due now, once; for cron, a timer or a job queue.

    It prints one line if it did anything, and nothing if nothing was due; with --json it always prints one
    line. stderr gets only what an admin must know, so cron mails you when an outage lasts, once a day while
    it does and when it is over, not at every failure. If another run is at work, this one exits with 0.
    A failed sync exits with 69, a failed store with 74.
    """
    with supervised(log_level, log_json=log_json) as (supervisor, *_):
        report = supervisor.run_once()
    if as_json:
        print_json(Run.of(report))
    elif done := line(report):
        typer.echo(done)
    exit_with(report)


def line(report: RunReport) -> str | None:
    """Return what the run did in one line; None if nothing was due."""
    parts = [_slot(report)] if report.outcome != "nothing" else []
    if report.settled:
        days = f"{report.settled[0]}" if len(report.settled) == 1 else f"{report.settled[0]} to {report.settled[-1]}"
        parts.append(f"settled {days}")
    if report.delivered:
        parts.append(f"{counted(len(report.delivered), 'notice')} delivered")
    if report.undelivered:
        parts.append(f"{counted(len(report.undelivered), 'notice')} not delivered")
    if report.roster is not None and report.roster.asked:
        parts.append(f"{counted(report.roster.asked, 'member')} asked for")
    return safe("; ".join(parts)) if parts else None


def _slot(report: RunReport) -> str:
    if report.sync is not None:
        return (
            f"{report.sync.outcome}: {points(report.sync.points)}; {tally(report.sync.counts) or 'no accounts to sync'}"
        )
    if report.error is not None:
        return f"{report.outcome}: {describe_error(report.error)}"
    return f"{report.outcome}: the read was cut short; the next run does it"
