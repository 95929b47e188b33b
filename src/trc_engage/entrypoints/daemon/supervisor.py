"""Runs in an unattended process: no failure ends it, and one that lasts raises an alert."""

import logging
from collections.abc import Sequence
from datetime import datetime

from ...adapters.alerts import Heartbeat
from ...core.errors import EngageError
from ...core.incidents import (
    FAILURES_MIN,
    UNNAMED,
    ChannelState,
    Notice,
    SentNotice,
    Trouble,
    after_failure,
    notices_due,
    state_of,
)
from ...core.ports import Alerts, Clock
from ...core.reports import RunReport
from ...core.slots import slot_of
from ...engage import Engage
from ...usecases.notices import failure_of, fingerprint_of
from ..wording.alerts import describe_error

logger: logging.Logger = logging.getLogger(__name__)


class StoreIncident:
    """Counts slots in a row whose run ended in an error, which a failing store cannot count itself (R20).

    Kept in memory: another process begins at zero.
    """

    def __init__(self, channels: Sequence[Alerts], source_name: str = UNNAMED) -> None:
        self._channels = channels
        self._source_name = source_name
        self._count = 0
        self._since: datetime | None = None
        self._slot: datetime | None = None
        self._trouble: Trouble | None = None
        self._sent: dict[str, SentNotice] = {}
        self._states: dict[str, ChannelState] = {}

    def failed(self, error: Exception, now: datetime) -> None:
        """Count a failure, one a slot; the third in a row raises an alert."""
        slot = slot_of(now)
        self._count += slot != self._slot
        self._slot = slot
        self._since = self._since or now
        if self._count >= FAILURES_MIN:
            self._trouble = Trouble("store", self._since, error=error, count=self._count, source_name=self._source_name)
        self._notify(now)

    def ended(self, now: datetime) -> None:
        """Note a run that worked."""
        self._count, self._since, self._slot, self._trouble = 0, None, None, None
        self._notify(now)

    def _notify(self, now: datetime) -> None:
        lasting = [] if self._trouble is None else [self._trouble]
        for alerts in self._channels:
            sent = self._sent.get(alerts.channel)
            for notice in notices_due(lasting, [] if sent is None else [sent], now, self._source_name):
                self._send(alerts, notice, now)

    def _send(self, alerts: Alerts, notice: Notice, now: datetime) -> None:
        fingerprint = fingerprint_of(alerts)
        if state_of(self._states.values(), alerts.channel, fingerprint, now):
            return
        self._states.pop(alerts.channel, None)
        if error := failure_of(alerts, notice):
            if state := after_failure(alerts.channel, fingerprint, error, now):
                self._states[alerts.channel] = state
        else:
            self._sent[alerts.channel] = SentNotice(alerts.channel, notice.topic, notice.kind, notice.since, now)


class Monitor:
    """Follows runs and errors from outside, as Sentry does; this one does nothing."""

    def check_in(self, report: RunReport, /) -> None:
        """Report how a run ended."""

    def capture(self, error: BaseException, /) -> None:
        """Report an error that nobody expected."""


class HeartbeatMonitor(Monitor):
    """Sends a heartbeat after each slot that was synced: one that waited or failed is not good."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat

    def check_in(self, report: RunReport, /) -> None:
        """Send one if the run was good."""
        if report.outcome == "synced":
            self._heartbeat.beat()


class Supervisor:
    """Does what is due; `run` logs every failure and raises none."""

    def __init__(self, engage: Engage, channels: Sequence[Alerts], clock: Clock, *monitors: Monitor) -> None:
        self._engage = engage
        self._incident = StoreIncident(channels, engage.source_name)
        self._clock = clock
        self._monitors = monitors

    def run_once(self) -> RunReport:
        """Do what is due; raises what `Engage.run_due` raises."""
        report = self._engage.run_due()
        for monitor in self._monitors:
            monitor.check_in(report)
        return report

    def run(self) -> RunReport | None:
        """Do what is due; None if that ended in an error."""
        try:
            report = self.run_once()
        except Exception as error:
            self._log(error)
            self._incident.failed(error, self._clock())
            return None
        if report.outcome != "busy":
            self._incident.ended(self._clock())
        elif report.error is not None and report.error.__cause__ is not None:
            # The store itself is busy and not another run, as while a server starts; it passes, or lasts.
            logger.warning("the run was put off: %s", report.error)
            self._incident.failed(report.error, self._clock())
        return report

    def _log(self, error: Exception) -> None:
        """Log one line; an error that this package does not raise on purpose is a bug, and needs its traceback."""
        if isinstance(error, EngageError):
            logger.error("the run failed: %s", describe_error(error))
            return
        logger.error("the run broke off, which is a bug: %s", type(error).__name__, exc_info=error)
        for monitor in self._monitors:
            monitor.capture(error)
