"""Notices in the log, for whoever has no other channel."""

import logging
from typing import ClassVar

from attrs import frozen

from ...core.incidents import Notice

logger = logging.getLogger("trc_engage.alerts")


@frozen
class LogAlerts:
    """Writes each notice as one line: an error, or a warning when all is clear."""

    channel: ClassVar[str] = "log"

    def send(self, notice: Notice, /) -> None:
        """Log a notice; this never fails."""
        level = logging.WARNING if notice.kind == "all_clear" else logging.ERROR
        text = " ".join(notice.text.split())
        logger.log(level, "%s — %s", notice.title, text, extra={"topic": notice.topic, "notice": notice.kind})
