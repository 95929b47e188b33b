"""Runs in an unattended process: no failure ends it, and one that lasts raises an alert."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import evolve

from ...adapters.memory import MemoryLedger
from ...core.errors import EngageError
from ...core.incidents import FAILURES_MIN, UNNAMED, Trouble
from ...core.ports import Alerts, Clock
from ...core.reports import RunReport
from ...core.slots import slot_of
from ...engage import Engage
from ...usecases.leases import Run
from ...usecases.notices import deliver
from ..wording.alerts import describe_error

logger: logging.Logger = logging.getLogger(__name__)


class StoreIncident:
    """Counts slots in a row whose run ended in an error, which a failing store cannot count itself (R20).

    Kept in memory: another process begins at zero.
    """

    def __init__(self, channels: Sequence[Alerts], source_name: str = UNNAMED) -> None:
        self._channels = channels
        self._source_name = source_name
        self._slot: datetime | None = None
        self._trouble: Trouble | None = None
        """What fails, from the first failure on."""
        self._run = Run(MemoryLedger())
        """What was sent, in the books of a store of its own."""

    def failed(self, error: Exception, now: datetime) -> None:
        """Count a failure, one a slot; the third in a row raises an alert."""
        trouble = self._trouble or Trouble("store", now, source_name=self._source_name)
        self._trouble = evolve(trouble, error=error, count=trouble.count + (slot_of(now) != self._slot))
        self._slot = slot_of(now)
        self._notify(now)

    def ended(self, now: datetime) -> None:
        """Note a run that worked."""
        self._slot = self._trouble = None
        self._notify(now)

    def _notify(self, now: datetime) -> None:
        lasting = [self._trouble] if self._trouble and self._trouble.count >= FAILURES_MIN else []
        deliver(self._run, self._channels, lasting, lambda: now, self._source_name)


class Monitor:
    """Follows runs and errors from outside, as Sentry does; this one does nothing."""

    def check_in(self, report: RunReport, /) -> None:
        """Report how a run ended."""

    def capture(self, error: BaseException, /) -> None:
        """Report an error that nobody expected."""


class Supervisor:
    """Does what is due; `run` logs every failure and raises none.

    `on_good` is called after each slot that was synced: one that waited or failed is not good.
    """

    def __init__(
        self,
        engage: Engage,
        channels: Sequence[Alerts],
        clock: Clock,
        *monitors: Monitor,
        on_good: Callable[[], None] = lambda: None,
    ) -> None:
        self._engage = engage
        self._incident = StoreIncident(channels, engage.source_name)
        self._clock = clock
        self._monitors = monitors
        self._on_good = on_good

    def run_once(self) -> RunReport:
        """Do what is due; raises what `Engage.run_due` raises."""
        report = self._engage.run_due()
        for monitor in self._monitors:
            monitor.check_in(report)
        if report.outcome == "synced":
            self._on_good()
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
