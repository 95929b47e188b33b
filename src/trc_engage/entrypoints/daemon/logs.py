"""The log of an unattended process: one event, one line, on stderr."""

import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from ..wording import safe

Level = Literal["debug", "info", "warning", "error"]

LOGGER = "trc_engage"
NOTICES = "trc_engage.alerts"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
HIDDEN = "…"
OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}
"""The attributes of every record; any others came as `extra`."""


@contextmanager
def logged(level: Level, *, as_json: bool, secrets: Sequence[str | None] = ()) -> Iterator[None]:
    """Write only this package's log to stderr, without secrets; notices to admins are written at every level."""
    logger, notices = logging.getLogger(LOGGER), logging.getLogger(NOTICES)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((JsonLines if as_json else Lines)(secrets))
    before = logger.level, logger.propagate, notices.level
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False
    notices.setLevel(min(logger.level, logging.WARNING))
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
        notices.setLevel(before[2])


class Lines(logging.Formatter):
    """Lines for people: time, level, message; a traceback follows on further lines."""

    converter = staticmethod(time.gmtime)

    def __init__(self, secrets: Sequence[str | None]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", TIME_FORMAT)
        # Both plain and escaped for JSON.
        self._secrets = [form for secret in secrets if secret for form in (secret, json.dumps(secret)[1:-1])]

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the library's name
        """Return the line without the traceback."""
        return safe(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return everything written for one event."""
        return self._without_secrets(super().format(record))

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


class JsonLines(Lines):
    """One JSON object per line, with the `extra` fields of the event."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of ASCII."""
        value = {name: field for name, field in vars(record).items() if name not in OWN_FIELDS}
        value |= {
            "time": self.formatTime(record, self.datefmt),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            value["exception"] = self.formatException(record.exc_info)
        return self._without_secrets(json.dumps(value, default=str))
