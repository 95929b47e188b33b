"""Sentry as the monitor of a process: crashes, incidents, and check-ins that show it still runs.

Imported only if a DSN is set: the library takes longer to load than most commands take to run.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import sentry_sdk
import typer
from sentry_sdk.crons import capture_checkin
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.transport import HttpTransport
from sentry_sdk.types import Event, Hint, MonitorConfig

from ...core.errors import EngageError
from ...core.reports import RunReport
from ..settings import Settings, installed_version
from .loop import Monitor

SYNC_MONITOR = "trc-engage-sync"
SETTLEMENT_MONITOR = "trc-engage-settlement"
SLOTS: MonitorConfig = {
    "schedule": {"type": "crontab", "value": "*/15 * * * *"},
    "timezone": "Etc/UTC",
    "checkin_margin": 10,
    "failure_issue_threshold": 3,
    "recovery_threshold": 1,
}
"""A long read ends within ten minutes. Three slots without a check-in, or three failures, open an issue, just as they
raise an alert (R20)."""
DAYS: MonitorConfig = {
    "schedule": {"type": "crontab", "value": "5 0 * * *"},
    "timezone": "Etc/UTC",
    "checkin_margin": 12 * 60,
    "failure_issue_threshold": 1,
    "recovery_threshold": 1,
}
"""A day waits for a good sync (R15), and an alert says if none comes; half a day late, Sentry opens an issue too."""
FLUSH_SECONDS_MAX = 1.0
REMOVED = "[removed]"
VALUE_WITHHELD = "withheld, since it may name a member; the traceback shows where"
URL_SECRET_LENGTH_MIN = 16
"""Shorter parts of a secret URL's path are taken for ordinary words."""


class CountingTransport(HttpTransport):
    """Sentry's own transport, counting what it could not deliver: the client gives no receipt."""

    lost: int = 0
    """How many envelopes Sentry has not taken since the client started."""

    def on_dropped_event(self, _reason: str) -> None:
        """Count an envelope that was dropped, for any reason."""
        self.lost += 1


class SentryMonitor(Monitor):
    """Reports to Sentry, without waiting for it."""

    def check_in(self, report: RunReport, /) -> None:
        """Check in for a slot that ended and for days that were settled; a slot that waited is no failure (R20)."""
        if report.outcome in {"synced", "waiting", "failed"}:
            status = "error" if report.outcome == "failed" else "ok"
            capture_checkin(SYNC_MONITOR, status=status, monitor_config=SLOTS)
        if report.settled:
            capture_checkin(SETTLEMENT_MONITOR, status="ok", monitor_config=DAYS)

    def capture(self, error: BaseException, /) -> None:
        """Report an error with its traceback."""
        sentry_sdk.capture_exception(error)


@contextmanager
def opened_sentry(settings: Settings, transport: Any) -> Iterator[SentryMonitor]:
    """Open Sentry, capture bugs that escape from the block, and flush for at most a second."""
    _init(settings, transport)
    monitor = SentryMonitor()
    try:
        yield monitor
    except Exception as error:
        if not isinstance(error, EngageError | typer.Exit | typer.Abort):
            monitor.capture(error)
        raise
    finally:
        sentry_sdk.get_client().close(timeout=FLUSH_SECONDS_MAX)


def _init(settings: Settings, transport: Any) -> None:
    """Start the client with everything off that could send more than this package intends."""
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        release=f"trc-engage@{installed_version()}",
        environment=settings.sentry_environment,
        transport=transport or CountingTransport,
        # The defaults would send every logged error, the arguments and the list of packages.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[DedupeIntegration()],
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        trace_propagation_targets=[],
        auto_session_tracking=False,
        send_client_reports=False,
        server_name="trc-engage",
        shutdown_timeout=FLUSH_SECONDS_MAX,
        spotlight=False,
        debug=False,
        before_send=scrubber(settings),
    )


def scrubber(settings: Settings) -> Callable[[Event, Hint], Event]:
    """Return a hook that removes secrets from every event, and messages from errors."""
    secrets = _secrets(settings)

    def scrubbed(value: Any) -> Any:
        if isinstance(value, str):
            for secret in secrets:
                value = value.replace(secret, REMOVED)
            return value
        if isinstance(value, dict):
            return {scrubbed(key): scrubbed(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [scrubbed(item) for item in value]
        return value

    def before_send(event: Event, hint: Hint) -> Event:  # noqa: ARG001
        for exception in event.get("exception", {}).get("values", []):
            exception["value"] = VALUE_WITHHELD
        scrubbed_event: Event = scrubbed(event)
        return scrubbed_event

    return before_send


def _secrets(settings: Settings) -> Sequence[str]:
    """Return all secrets, longest first, also in the forms that URLs and headers use."""
    plain: set[str | None] = {*settings.secrets}
    if settings.sentry_dsn is not None:
        dsn = urlsplit(settings.sentry_dsn)
        plain |= {dsn.username, dsn.password}
    for address in map(urlsplit, filter(None, (settings.alert_webhook, settings.heartbeat_url))):
        plain |= {part for part in (*address.path.split("/"), address.query) if len(part) >= URL_SECRET_LENGTH_MIN}
    known = {secret for secret in plain if secret}
    forms = (
        known | {quote(secret, safe="") for secret in known} | {b64encode(secret.encode()).decode() for secret in known}
    )
    return sorted(forms, key=len, reverse=True)
