"""What an input may do: end in time, with a result or a documented error."""

import logging
import time
from collections.abc import Callable
from functools import cache
from importlib import metadata
from unittest.mock import patch
from zlib import crc32

from attrs import field, frozen

SECONDS_MAX = 5.0
"""Processor time for one input, including the cost of tracing; most take a thousandth of it."""
MEMORY_MAX = 512
"""MiB that a process may hold while it hunts, all inputs so far included; 90 of them are Python and the libraries."""
BYTES_MAX = 8 * 1024
"""The maximum length of an input."""
SWOLLEN_TO = 64 * 1024
SWOLLEN_SHARE = 64
"""One of this many inputs is tried again with a slice of it repeated, so that slow code exceeds its limits."""
MESSAGE_MAX = 2_000


VERSION = cache(metadata.version)
"""Reading it again for each User-Agent would take half of the time."""


class Finding(Exception):
    """An input did something no input may do."""


@frozen
class Target:
    """A place where bytes come in."""

    what: str
    ask: Callable[[bytes], object]
    reads: tuple[str, ...]
    """The modules that read such bytes; the summary shows the share of their lines that is reached."""
    words: tuple[bytes, ...] = ()
    """What such bytes are made of."""
    swollen_to: int = field(default=SWOLLEN_TO, kw_only=True)

    def tried(self, given: bytes) -> None:
        """Try an input, and now and then a swollen one; raise `Finding`, or whatever a bug raises."""
        self._timed(given)
        mark = crc32(given)
        if given and mark % SWOLLEN_SHARE == 0:
            self._timed(swollen(given, mark, self.swollen_to))

    def asked(self, given: bytes) -> None:
        """Try an input without logging; raise `Finding`, or whatever a bug raises."""
        logging.disable()
        try:
            with patch("importlib.metadata.version", VERSION):
                self.ask(given)
        finally:
            logging.disable(logging.NOTSET)

    def _timed(self, given: bytes) -> None:
        began = time.process_time()
        self.asked(given)
        if (seconds := time.process_time() - began) > SECONDS_MAX:
            raise Finding(f"{len(given):,} bytes took {seconds:.1f} s")


def swollen(given: bytes, mark: int, length: int) -> bytes:
    """Return an input with a short slice repeated until it adds this length; the mark selects the slice."""
    start = mark // SWOLLEN_SHARE % len(given)
    piece = given[start : start + 1 + mark // 7 % 24]
    return given[:start] + piece * (length // len(piece)) + given[start:]


def claim(holds: object, what: str) -> None:
    """Raise `Finding` unless a condition holds."""
    if not holds:
        raise Finding(what)


def check_message(text: str) -> None:
    """Check that a text can be shown to people: one printable line of limited length."""
    claim(text.isprintable(), f"the message cannot be printed: {text!a:.300}")
    claim(0 < len(text) <= MESSAGE_MAX, f"the message has {len(text):,} characters")
