"""What an input may do: end in time, with a result or an error that is documented."""

import logging
import time
from collections.abc import Callable
from functools import cache
from importlib import metadata
from unittest.mock import patch
from zlib import crc32

from attrs import field, frozen

SECONDS_MAX = 5.0
"""Of the processor, for one input, though counting the paths slows it down; most take a thousandth of that."""
MEMORY_MAX = 512
"""MiB that a process may hold while it hunts, all inputs so far included; 90 of them are Python and the libraries."""
BYTES_MAX = 8 * 1024
"""How long an input is at most."""
SWOLLEN_TO = 64 * 1024
SWOLLEN_SHARE = 64
"""One input of so many is tried a second time, a slice of it repeated: what takes too long grows out of its bounds."""
MESSAGE_MAX = 2_000


VERSION = cache(metadata.version)
"""Reading it anew for each User-Agent would take half of the time."""


class Finding(Exception):
    """An input did what none may."""


@frozen
class Target:
    """Where bytes come in."""

    what: str
    ask: Callable[[bytes], object]
    reads: tuple[str, ...]
    """The modules that are there to read such bytes, of whose lines the share that is reached is told."""
    words: tuple[bytes, ...] = ()
    """What such bytes are made of."""
    swollen_to: int = field(default=SWOLLEN_TO, kw_only=True)

    def tried(self, given: bytes) -> None:
        """Hand an input in, and now and then a swollen one; raises `Finding`, or what a bug raises."""
        self._timed(given)
        mark = crc32(given)
        if given and mark % SWOLLEN_SHARE == 0:
            self._timed(swollen(given, mark, self.swollen_to))

    def asked(self, given: bytes) -> None:
        """Hand an input in, and let nothing be logged; raises `Finding`, or what a bug raises."""
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
    """Return an input in which a short slice stands so often that it is of a length; the mark says which one."""
    start = mark // SWOLLEN_SHARE % len(given)
    piece = given[start : start + 1 + mark // 7 % 24]
    return given[:start] + piece * (length // len(piece)) + given[start:]


def claim(holds: object, what: str) -> None:
    """Raise `Finding` unless something holds."""
    if not holds:
        raise Finding(what)


def check_message(text: str) -> None:
    """Check that a text is one that people can be shown: one line of no endless length."""
    claim(text.isprintable(), f"the message cannot be printed: {text!a:.300}")
    claim(0 < len(text) <= MESSAGE_MAX, f"the message has {len(text):,} characters")
