"""Lurkr's leaderboard as an `XpSource`: the facts of the service; `boards` does the reading."""

from typing import ClassVar

from .boards import BoardSource, Service

__all__ = ["LurkrSource"]

SERVICE = Service(
    "Lurkr",
    "https://api.lurkr.gg",
    "/v2/levels/{guild}",
    rows="levels",
    id="userId",
    xp="xp",
    page_first=1,
    limit=None,
    page_size=100,
    token_header="X-API-Key",  # noqa: S106  the header's name
    limits="X-RateLimit",
    private="Make the leaderboard public in Lurkr's dashboard, or give a valid token",
    unknown_guild="check the guild's id, whether Lurkr is on the server, and whether its leveling is switched on",
)


class LurkrSource(BoardSource):
    """A guild's leaderboard on lurkr.gg; close it, or use it as a context manager."""

    service: ClassVar[Service] = SERVICE
