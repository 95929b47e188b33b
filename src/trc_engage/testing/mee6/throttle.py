"""How many requests the edge lets through."""

from collections import deque
from datetime import datetime, timedelta

from attrs import field, frozen

from .answers import Answer


@frozen
class Throttle:
    """Lets so many requests through in any span of this length, and refuses the others."""

    requests: int
    span: timedelta
    answer: Answer
    _passed: deque[datetime] = field(factory=deque, init=False)

    def refusal(self, at: datetime) -> Answer | None:
        """Return the answer to one request too many; those refused do not count."""
        while self._passed and at - self._passed[0] >= self.span:
            self._passed.popleft()
        if len(self._passed) >= self.requests:
            return self.answer
        self._passed.append(at)
        return None
