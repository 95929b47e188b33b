"""MEE6's leaderboard as an `XpSource`: the facts of the service; `boards` does the reading."""

from typing import ClassVar

from .boards import BoardSource, Service

__all__ = ["Mee6Source"]

SERVICE = Service(
    "MEE6",
    "https://mee6.xyz",
    "/api/plugins/levels/leaderboard/{guild}",
    rows="players",
    id="id",
    xp="xp",
    guild="guild.id",
    speaks=lambda document: isinstance(document.get("error"), dict),
    private="Make the leaderboard public in MEE6's dashboard, or give a valid token",
    unknown_guild="check the guild's id, whether MEE6 is on the server, and whether its levels plugin is switched on",
)


class Mee6Source(BoardSource):
    """A guild's leaderboard on mee6.xyz; close it, or use it as a context manager."""

    service: ClassVar[Service] = SERVICE
