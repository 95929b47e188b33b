"""The commands that run with nobody there: daemon and run-due."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from attrs import frozen

from ..core.reports import RunReport
from .arguments import Json, examples
from .exits import code_of
from .logs import Level, logged
from .sentry import Watch, watched
from .settings import Settings
from .stopping import Stop, heeding_signals
from .wiring import Unattended, now, opened_unattended

logger = logging.getLogger(__name__)

app = typer.Typer(rich_markup_mode=None)

LogJson = Annotated[bool, typer.Option("--log-json", help="Log one JSON object a line.")]
LogLevel = Annotated[Level, typer.Option(help="How much to log, on stderr.")]


@frozen
class Post:
    """All that whoever runs unattended holds: what to run, who watches, and how it is told to end."""

    unattended: Unattended
    watch: Watch
    stop: Stop

    def run(self) -> RunReport:
        """Do what is due once; raises what a run raises."""
        report = self.unattended.engage.run_due()
        self.watch.check_in(report)
        return report

    def live(self) -> None:
        """Do what is due until a stop is asked for."""
        from .attending import Attendant  # noqa: PLC0415
        from .daemon import Daemon  # noqa: PLC0415
        from .systemd import Systemd  # noqa: PLC0415

        attendant = Attendant(self.unattended.engage, self.watch, self.unattended.alerts, now)
        Daemon(attendant, self.stop.wait, Systemd.from_environ(os.environ)).live()
        logger.info("stopped by %s", self.stop.reason)


@contextmanager
def at_post(level: Level, *, log_json: bool) -> Iterator[Post]:
    """Open everything, with signals heeded from before the first file to after the last."""
    settings = Settings.from_mapping(os.environ)
    secrets = settings.mee6_token, settings.alert_webhook, settings.sentry_dsn
    with (
        heeding_signals() as stop,
        logged(level, as_json=log_json, secrets=secrets),
        watched(settings) as watch,
        opened_unattended(settings) as unattended,
    ):
        stop.gives_up(unattended.stop)
        yield Post(unattended, watch, stop)


def end_as(report: RunReport) -> None:
    """End with the code of a run that failed; busy, waiting or stopped it has not."""
    if report.outcome == "failed" and report.error is not None:
        raise typer.Exit(code_of(report.error))


@app.command(
    epilog=examples(
        "Examples:",
        "trc-engage daemon             until Ctrl-C or SIGTERM",
        "trc-engage daemon --log-json  for a collector of logs",
    )
)
def daemon(
    *,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end.")] = False,
    log_json: LogJson = False,
    log_level: LogLevel = "info",
) -> None:
    """Sync and settle by itself, until it is told to end.

    It syncs at :00, :15, :30 and :45 UTC, settles the day before at 00:05 UTC, and tells the admins what
    needs them. What is due is decided from the store: nothing is done twice, whoever else runs, and what
    was missed is made up by the next sync. SIGTERM and Ctrl-C end it within 5 seconds, wherever it is.
    """
    with at_post(log_level, log_json=log_json) as post:
        if once:
            end_as(post.run())
        else:
            post.live()


@app.command("run-due", epilog=examples("Example, for cron:", "*/5 * * * *  trc-engage run-due >/dev/null"))
def run_due(*, as_json: Json = False, log_json: LogJson = False, log_level: LogLevel = "error") -> None:
    """Do what is due now, once: for cron, a timer, a job queue.

    It prints a line if it did anything, and nothing if nothing was due; with --json always one line. On
    stderr stands only what an admin must know, so cron mails an outage when it begins to last, each day
    and when it is over, not each failure. If another run is at work it says so and ends with 0: that one
    does it all. A sync that failed ends with 69, a store that failed with 74.
    """
    from .jsonable import say_json  # noqa: PLC0415
    from .runs import line, of_run  # noqa: PLC0415

    with at_post(log_level, log_json=log_json) as post:
        report = post.run()
    if as_json:
        say_json(of_run(report))
    elif done := line(report):
        typer.echo(done)
    end_as(report)
