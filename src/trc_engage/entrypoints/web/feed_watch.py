"""A wait for the feed: whoever follows it need not ask again until there is an entry."""

import asyncio
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ...engage import Engage
from ..wire.problems import ProblemError

WAIT_SECONDS_MAX = 30
WAITING_MAX = 100
CHECK_SECONDS = 0.25


class FeedWatch:
    """Wakes those who wait; the store is asked four times a second at most, however many they are."""

    def __init__(self, engage: Engage) -> None:
        self._engage = engage
        self.waiting: list[int] = []
        """The position that each who waits has seen."""
        self._newest = 0
        """The highest position that was found here."""
        self._checked_at = -CHECK_SECONDS
        self._is_closed = False

    def close(self) -> None:
        """Let nobody wait any longer: the server is about to end."""
        self._is_closed = True

    async def wait(self, request: Request, after: int, seconds: int) -> None:
        """Return when there is an entry above a position, after so many seconds, or when the client goes."""
        if len(self.waiting) >= WAITING_MAX:
            raise ProblemError("too-many-waiting", "ask without `wait`, or later", headers={"Retry-After": "5"})
        ends = monotonic() + seconds
        self.waiting.append(after)
        try:
            while self._newest <= after and monotonic() < ends and not self._is_closed:
                if await request.is_disconnected():
                    return
                await self._check()
                if self._newest <= after:
                    await asyncio.sleep(min(CHECK_SECONDS, max(0, ends - monotonic())))
        finally:
            self.waiting.remove(after)

    async def _check(self) -> None:
        """Look for an entry above what the hindmost has seen, unless somebody just did."""
        if monotonic() - self._checked_at < CHECK_SECONDS:
            return
        self._checked_at = monotonic()
        for entry in await run_in_threadpool(self._engage.feed, after=min(self.waiting), limit=1):
            self._newest = max(self._newest, entry.position)
