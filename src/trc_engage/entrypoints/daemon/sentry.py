"""What Sentry hears of a door: crashes, incidents, and that it still runs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

import typer

from ...core.errors import EngageError
from ...core.reports import RunReport
from ..settings import Settings, installed_version

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint, MonitorConfig

SYNC_MONITOR = "trc-engage-sync"
SETTLEMENT_MONITOR = "trc-engage-settlement"
FLUSH_SECONDS_MAX = 1.0
REMOVED = "[removed]"
VALUE_WITHHELD = "withheld, since it may name a member; the traceback tells where"
WEBHOOK_SECRET_LENGTH_MIN = 16
"""A shorter part of a webhook's path is a word."""


class Watch(Protocol):
    """Who hears of runs, and of the program's own errors."""

    def check_in(self, report: RunReport, /) -> None:
        """Tell how a run ended, if it did anything."""
        ...

    def capture(self, error: BaseException, /) -> None:
        """Tell of an error that nobody expected."""
        ...


class Unwatched:
    """Nobody hears."""

    def check_in(self, report: RunReport, /) -> None:
        """Tell nobody."""

    def capture(self, error: BaseException, /) -> None:
        """Tell nobody."""


class Watched:
    """Sentry hears; nothing waits for it."""

    def check_in(self, report: RunReport, /) -> None:
        """Check in with the monitor of whatever the run did: a slot that waited is no failure (R20)."""
        from sentry_sdk.crons import capture_checkin  # noqa: PLC0415

        if report.outcome in {"synced", "waiting", "failed"}:
            status = "error" if report.outcome == "failed" else "ok"
            capture_checkin(SYNC_MONITOR, status=status, monitor_config=_sync_monitor())
        if report.settled:
            capture_checkin(SETTLEMENT_MONITOR, status="ok", monitor_config=_settlement_monitor())

    def capture(self, error: BaseException, /) -> None:
        """Report an error with its traceback."""
        from sentry_sdk import capture_exception  # noqa: PLC0415

        capture_exception(error)


@contextmanager
def watched(settings: Settings, *, transport: Any = None) -> Iterator[Watch]:
    """Let Sentry watch what is done within, if there is a DSN; what escapes and is no `EngageError` is captured.

    At the end at most a second is spent on what is still to be sent. `transport` stands in for the network.
    """
    if settings.sentry_dsn is None:
        yield Unwatched()
        return
    import sentry_sdk  # noqa: PLC0415

    _init(settings, transport)
    watch = Watched()
    try:
        yield watch
    except Exception as error:
        if not _is_expected(error):
            watch.capture(error)
        raise
    finally:
        sentry_sdk.get_client().close(timeout=FLUSH_SECONDS_MAX)


def _init(settings: Settings, transport: Any) -> None:
    """Begin, with everything switched off that could carry more than what is told here."""
    import sentry_sdk  # noqa: PLC0415
    from sentry_sdk.integrations.dedupe import DedupeIntegration  # noqa: PLC0415

    from .transport import CountingTransport  # noqa: PLC0415

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        release=f"trc-engage@{installed_version()}",
        environment=settings.sentry_environment,
        transport=transport or CountingTransport,
        # The default ones would send every logged error, the arguments and the list of packages.
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
    """Return what takes the secrets out of all that is sent, and out of errors what they say."""
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
    """Return all that must not leave, the longest first, also as it may stand in an address or a header."""
    plain = {settings.mee6_token, settings.sentry_dsn, settings.alert_webhook}
    if settings.sentry_dsn is not None:
        dsn = urlsplit(settings.sentry_dsn)
        plain |= {dsn.username, dsn.password}
    if settings.alert_webhook is not None:
        webhook = urlsplit(settings.alert_webhook)
        plain |= {part for part in (*webhook.path.split("/"), webhook.query) if len(part) >= WEBHOOK_SECRET_LENGTH_MIN}
    told = {secret for secret in plain if secret}
    forms = (
        told | {quote(secret, safe="") for secret in told} | {b64encode(secret.encode()).decode() for secret in told}
    )
    return sorted(forms, key=len, reverse=True)


def _sync_monitor() -> MonitorConfig:
    """Return when Sentry expects a slot to have ended: a long read ends well within ten minutes of its beginning.

    Three slots without one, or three failures, are an issue, as they are an alert (R20).
    """
    return {
        "schedule": {"type": "crontab", "value": "*/15 * * * *"},
        "timezone": "Etc/UTC",
        "checkin_margin": 10,
        "failure_issue_threshold": 3,
        "recovery_threshold": 1,
    }


def _settlement_monitor() -> MonitorConfig:
    """Return when Sentry expects a day to be settled.

    A day waits for a good sync (R15), of whose absence the alert tells; half a day late, it is worth an issue too.
    """
    return {
        "schedule": {"type": "crontab", "value": "5 0 * * *"},
        "timezone": "Etc/UTC",
        "checkin_margin": 12 * 60,
        "failure_issue_threshold": 1,
        "recovery_threshold": 1,
    }


def _is_expected(error: Exception) -> bool:
    """Tell whether an error is one of the world, or a command that ends on purpose."""
    return isinstance(error, EngageError | typer.Exit | typer.Abort)
