"""What thousands of schedules would log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silenced() -> Iterator[None]:
    """Silence the loggers in this context."""
    loggers = {logger: logger.level for logger in map(logging.getLogger, ("trc_engage", "psycopg"))}
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in loggers.items():
            logger.setLevel(level)
