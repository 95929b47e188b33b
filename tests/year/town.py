"""The people's board: a MEE6 on loopback that records in the books what it answered."""

import socket
from collections.abc import Mapping
from datetime import datetime

from attrs import define, field

from trc_engage.testing.answers import Answer
from trc_engage.testing.mee6 import Mee6Server, Request

from .books import Books
from .people import People, discord_id

OK = 200


@define(eq=False, repr=False)
class Town(Mee6Server):
    """A MEE6 whose people write while time passes."""

    people: People = field(kw_only=True)
    books: Books = field(kw_only=True)
    _asked_at: datetime | None = field(default=None, init=False)
    _is_read: bool = field(default=False, init=False)

    def settle_in(self) -> None:
        """Put everyone on the board."""
        for number, xp in enumerate(self.people.xp):
            self.board.join(discord_id(number), username=f"user {number}", xp=xp)

    def good(self, request: Request) -> Answer:
        """Answer with the present board, which does not change while it is read, so that the books are exact."""
        if request.page == 0:
            self.requests.clear()
            self._asked_at = request.at
            for number, xp in self.people.live_until(request.at).items():
                self.board.give(discord_id(number), xp)
        answer = super().good(request)
        self._is_read = answer.status == OK and self._ends(request)
        if not self._is_read or self._asked_at is None:
            return answer
        self.books.read(self._asked_at, self.people.xp)
        # Any server would hang up within a quarter of an hour.
        return answer.having(("Connection", "close"))

    def _ends(self, request: Request) -> bool:
        return ((request.page or 0) + 1) * (request.limit or 1) >= len(self.people.xp)

    def _answer(self, target: str, headers: Mapping[str, str], connection: socket.socket) -> bool:
        """Answer, and hang up after the last page."""
        return super()._answer(target, headers, connection) or self._is_read
