"""A trouble: an answer that is not what was asked for."""

import re
from collections.abc import Callable

from attrs import field, frozen

from .answers import Answer
from .exchange import Exchange

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r\n]")


@frozen
class Trouble:
    """One way in which the answer goes wrong."""

    name: str
    imitates: str
    """What of the real world this is."""
    status: int | None
    """The status that the client is told, if it is told one."""
    write: Callable[[Exchange], None] = field(repr=False)
    """Writes the whole answer, head and all, so that anything about it can be broken."""
    closes: bool = False
    """Whether the connection is closed after it."""

    @classmethod
    def answering(cls, name: str, imitates: str, answer: Answer) -> "Trouble":
        """Return a trouble that is a whole and fixed answer."""
        return cls(name, imitates, answer.status, lambda exchange: exchange.send(answer))

    @classmethod
    def raw(cls, name: str, raw: bytes) -> "Trouble":
        """Return a trouble that sends exactly these bytes, head and body, and closes the connection."""
        told = _STATUS_LINE.match(raw)
        status = int(told[1]) if told else None
        return cls(name, "bytes of your own", status, lambda exchange: exchange.connection.sendall(raw), closes=True)
