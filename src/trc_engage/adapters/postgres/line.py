"""A connection that does not wait for ever: `statement_timeout` is the server's own, and a server may fall silent."""

from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

from .opening import STATEMENT_SECONDS

GRACE_SECONDS = 10
"""How much later than the server we give up: its own answer is the better one."""
LOOK_SECONDS = 0.1
"""How late we may be."""

Answer = TypeVar("Answer")


class Silent(psycopg.OperationalError):
    """The server owes an answer."""


class Line(psycopg.Connection[Any]):
    """A connection on which every answer has a deadline; one that missed it is closed."""

    statement_seconds: float = STATEMENT_SECONDS

    @property
    def seconds_max(self) -> float:
        """How long an answer is waited for."""
        return self.statement_seconds + GRACE_SECONDS

    def wait(self, gen: PQGen[Answer], *_: Any, **__: Any) -> Answer:
        """Wait for an answer; raises `Silent`."""
        try:
            return super().wait(_limited(gen, self.seconds_max), LOOK_SECONDS)
        except Silent:
            self.pgconn.finish()
            raise


def _limited(gen: PQGen[Answer], seconds: float) -> PQGen[Answer]:
    """Pass on what is waited for, and give up when it is late."""
    until = monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if monotonic() > until:
                message = f"the server has not answered for {seconds:.0f} s"
                raise Silent(message)
            wanted = gen.send(ready)
    except StopIteration as end:
        answer: Answer = end.value
        return answer
