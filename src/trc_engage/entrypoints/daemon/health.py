"""HTTP endpoints for monitors: liveness, readiness of the store, and metrics."""

import logging
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import monotonic
from types import SimpleNamespace
from typing import Any, get_args

from ...core.errors import EngageError
from ...core.incidents import Topic
from ...core.reports import RunReport
from ...core.slots import SlotOutcome
from ...usecases.runs import Status
from ..wire.problems import problem_of
from ..wording.alerts import describe_error
from .loop import Monitor

METRICS = "/metrics"
PATHS = frozenset({"/healthz", "/readyz", METRICS})
PLAIN = "text/plain; charset=utf-8"
NO_METRICS = "metrics need another package: pip install 'trc-engage[metrics]'\n"
CHECKED_SECONDS = 1.0
"""How long a check's answer is cached, so that frequent probes do not load the store."""
REQUEST_SECONDS = 10

Answer = tuple[int, str, bytes]
"""A status, a media type and a body."""
Figure = tuple[str, str, float | tuple[str, Mapping[Any, float]]]
"""A name, a meaning, and the number, or a label with a number for each of its values."""

logger: logging.Logger = logging.getLogger(__name__)


class Health(Monitor):
    """Answers probes of a process, and counts how its slots ended; no answer names a member, a store or a secret."""

    def __init__(self, status: Callable[[], Status], check_store: Callable[[], None]) -> None:
        self._status = status
        self._check_store = check_store
        self.is_alive: Callable[[], bool] = lambda: True
        self._slots: Counter[str] = Counter(dict.fromkeys(get_args(SlotOutcome), 0))
        self._days = 0
        self._lock = Lock()
        self._checked_at = -CHECKED_SECONDS
        self._failed = ""

    def check_in(self, report: RunReport, /) -> None:
        """Count how a slot ended, and the days that were settled."""
        if report.outcome in self._slots:
            self._slots[report.outcome] += 1
        self._days += len(report.settled)

    def answer(self, path: str) -> Answer:
        """Return the answer for one of the paths."""
        if path == METRICS:
            return self._metrics()
        failed = self._not_ready() if path == "/readyz" else "" if self.is_alive() else "it hangs"
        return (503, PLAIN, f"{failed}\n".encode()) if failed else (200, PLAIN, b"ok\n")

    def _not_ready(self) -> str:
        """Return why the store cannot be used, or an empty text; details are logged once per outage."""
        with self._lock:
            if monotonic() - self._checked_at >= CHECKED_SECONDS:
                before, self._failed = self._failed, ""
                try:
                    self._check_store()
                except EngageError as error:
                    self._failed = problem_of(error).title
                    if not before:
                        logger.warning("not ready: %s", describe_error(error))
                self._checked_at = monotonic()
            return self._failed

    def _metrics(self) -> Answer:
        try:
            from prometheus_client import core, exposition  # noqa: PLC0415  the extra may be missing
        except ImportError:
            return 501, PLAIN, NO_METRICS.encode()
        families = []
        for name, meaning, figure in self._figures():
            label, values = figure if isinstance(figure, tuple) else (None, {"": figure})
            kind = core.CounterMetricFamily if name.endswith("_total") else core.GaugeMetricFamily
            family = kind(f"trc_engage_{name}", meaning, labels=[label] if label else [])
            for value, number in values.items():
                family.add_metric([value] if label else [], number)
            families.append(family)
        collector: Any = SimpleNamespace(collect=lambda: families)
        return 200, exposition.CONTENT_TYPE_LATEST, exposition.generate_latest(collector)

    def _figures(self) -> Iterator[Figure]:
        yield "slots_total", "Slots that this process ended; synced is good", ("outcome", self._slots)
        yield "settled_days_total", "Days that this process settled", self._days
        try:
            status = None if self._not_ready() else self._status()
        except EngageError:
            status = None
        yield "store_up", "Whether the store can be used", status is not None
        if status is not None:
            yield from figures(status)


def figures(status: Status) -> Iterator[Figure]:
    """Yield the figures of the store, whichever process did the work."""
    tally, last_slot, wait = status.tally, status.last_slot, status.wait
    yield "healthy", "Whether nothing needs an admin", status.is_healthy
    if status.good_at is not None:
        age = (status.at - status.good_at).total_seconds()
        yield "good_sync_age_seconds", "Since the last good sync began to read", age
    runs = {"source": status.failure_run, "roster": status.roster.failure_run}
    counts = {topic: run.count if run else 0 for topic, run in runs.items()}
    yield "failures_in_a_row", "Failures since the last success", ("topic", counts)
    lasting = {trouble.topic for trouble in status.troubles}
    yield "troubles", "What lasts and needs an admin", ("topic", {one: one in lasting for one in get_args(Topic)})
    until = 0 if wait is None else (wait.until - status.at).total_seconds()
    yield "wait_seconds", "Until the source may be asked again, as it wished", until
    yield "pending_days", "Days that are over but not settled yet", len(status.pending)
    outcomes = {one: bool(last_slot and last_slot.outcome == one) for one in get_args(SlotOutcome)}
    yield "last_slot", "How the last slot ended, in any process", ("outcome", outcomes)
    yield "lease_held", "Whether a process is at work", status.lease is not None
    undelivered = {one.channel: len(one.undelivered) for one in status.last_sent}
    yield "undelivered_notices", "Notices that a channel has not taken yet", ("channel", undelivered)
    yield "members", "Enrolled members", tally.members
    yield "accounts", "Discord accounts; all but the unlinked are linked", ("status", {**tally.accounts})
    yield "entries", "Entries of the ledger", tally.entries
    if tally.size_bytes is not None:
        yield "store_bytes", "Size of the store", tally.size_bytes


class _Handler(BaseHTTPRequestHandler):
    timeout = REQUEST_SECONDS
    answer: Callable[[str], Answer]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        status, media_type, body = self.answer(path) if path in PATHS else (404, PLAIN, b"not found\n")
        self.send_response_only(status)
        for name, value in (("Content-Type", media_type), ("Content-Length", str(len(body))), ("Connection", "close")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: monitors ask every few seconds."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Log a bug, but not a client that hung up."""
        if not isinstance(sys.exc_info()[1], OSError):
            logger.exception("a monitor was not answered, which is a bug")


@contextmanager
def answering(health: Health, listener: socket.socket) -> Iterator[None]:
    """Answer probes from a thread until the block ends."""
    handler = type("Handler", (_Handler,), {"answer": staticmethod(health.answer)})
    server = _Server(listener.getsockname()[:2], handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    thread = Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
