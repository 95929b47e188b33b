"""One request on the wire, as a trouble sees it."""

import socket
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from .answers import Answer
from .board import Row, Snapshot
from .shapes import encoded


@frozen(eq=False)
class Exchange:
    """A connection that waits for an answer, and all that an answer may draw on."""

    connection: socket.socket
    at: datetime
    page: int
    limit: int
    board: Snapshot
    """The board as it is now …"""
    stale_board: Snapshot
    """… and as it was when it was frozen, or else when the trouble began."""
    to_payload: Callable[[int, Sequence[Row]], dict[str, Any]]
    """Page number and rows to a page in the shape of the server's year."""
    slow_seconds: float
    drip_seconds: float

    def payload(self) -> dict[str, Any]:
        """Return the page that was asked for, as it should be."""
        return self.to_payload(self.page, self.board.page(self.page, self.limit))

    def answer(self) -> Answer:
        """Return the answer as it should be."""
        return Answer(200, encoded(self.payload()))

    def send(self, answer: Answer) -> None:
        """Send a whole answer."""
        self.connection.sendall(answer.raw(self.at))

    def is_gone(self, seconds: float | None) -> bool:
        """Wait; tell whether the client went away, or the server stopped, before the time was over."""
        self.connection.settimeout(seconds)
        try:
            self.connection.recv(1, socket.MSG_PEEK)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            return True
        else:
            return True
        finally:
            self.connection.settimeout(None)

    def drip(self, raw: bytes) -> None:
        """Send one byte at a time, with a pause before each, while anybody listens."""
        for position in range(len(raw)):
            if self.is_gone(self.drip_seconds):
                return
            self.connection.sendall(raw[position : position + 1])
