"""A Lurkr on loopback, as far as its public documentation goes; its faults are those of any board."""

from collections.abc import Sequence
from typing import Any, ClassVar

from attrs import define

from .boards import TROUBLES, BoardServer, Dialect, Trouble
from .leaderboard import Row, level_at

__all__ = ["TROUBLES", "LurkrServer", "Trouble"]


@define(eq=False, repr=False)
class LurkrServer(BoardServer):
    """A Lurkr for one guild; see `BoardServer`."""

    dialect: ClassVar[Dialect] = Dialect(
        "/v2/levels/{guild}",
        rows="levels",
        id="userId",
        page_first=1,
        limit=None,
        page_size=100,
        token_header="X-API-Key",  # noqa: S106  the header's name
        limits="X-RateLimit",
    )

    def payload(self, page: int, rows: Sequence[Row]) -> dict[str, Any]:  # noqa: ARG002
        """Return a page of levels, which does not say whose they are."""
        return {"levels": [_level(row) for row in rows]}


def _level(row: Row) -> dict[str, Any]:
    user = {"id": row.discord_id, "username": row.username, "avatar": row.avatar}
    told = {"userId": row.discord_id, "xp": row.xp, "level": level_at(row.xp)}
    return {**told, "messageCount": row.message_count, "user": user}
