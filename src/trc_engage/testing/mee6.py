"""A local MEE6 server: its page formats by year and its errors; other faults are those of any board."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import define, field
from attrs.validators import in_

from .boards import TROUBLES, BoardServer, Dialect, Leaderboard, Request, Trouble
from .leaderboard import XP_PER_MESSAGE, Row, level_at, xp_needed, xp_to_reach

__all__ = ["TROUBLES", "Leaderboard", "Mee6Server", "Request", "Trouble"]

DIALECT = Dialect("/api/plugins/levels/leaderboard/{guild}", rows="players", guild="guild.id")
YEARS = range(2019, 2025)


def page_payload(year: int, guild_id: str, page: int, rows: Sequence[Row], rate: float) -> dict[str, Any]:
    """Return a page as MEE6 sent it in a year; late 2019 counts as 2020."""
    payload: dict[str, Any] = {
        "admin": False,
        "banner_url": None,
        "guild": _guild(year, guild_id),
        "page": page,
        "player": None,
        "players": [_player(year, guild_id, row) for row in rows],
        "role_rewards": [_role_reward(rank=5), _role_reward(rank=20)],
        "user_guild_settings": None,
    }
    added: Mapping[int, dict[str, Any]] = {
        2020: {
            "xp_per_message": list(XP_PER_MESSAGE),
            "xp_rate": int(rate) if year < 2023 and rate == int(rate) else float(rate),
        },
        2021: {"is_member": False},
        2023: {"country": None},
        2024: {"monetize_options": {"display_plans": False, "showcase_subscribers": False}},
    }
    return payload | _since(year, added)


def _since(year: int, added: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """Return those of the fields, keyed by the year that added them, that exist in a year."""
    return {key: value for since, fields in added.items() if since <= year for key, value in fields.items()}


def _player(year: int, guild_id: str, row: Row) -> dict[str, Any]:
    level = level_at(row.xp)
    player = {
        "avatar": row.avatar,
        "detailed_xp": [row.xp - xp_to_reach(level), xp_needed(level), row.xp],
        "discriminator": row.discriminator if year < 2023 else "0",
        "guild_id": guild_id,
        "id": row.discord_id,
        "level": level,
        "username": row.username,
        "xp": row.xp,
    }
    monetized = {"is_monetize_subscriber": False, "monetize_xp_boost": 0}
    return player | _since(year, {2020: {"message_count": row.message_count}, 2024: monetized})


def _guild(year: int, guild_id: str) -> dict[str, Any]:
    guild = {"icon": "b2f5ff47436671b6e533d8dc3614845d", "id": guild_id, "name": "Example Server", "premium": False}
    joining = {"allow_join": False, "invite_leaderboard": False}
    url = {"leaderboard_url": f"https://mee6.xyz/leaderboard/{guild_id}"}
    return guild | _since(
        year, {2021: joining | url, 2022: {"application_commands_enabled": True, "commands_prefix": "!"}}
    )


def _role_reward(rank: int) -> dict[str, Any]:
    looks = {"color": 3447003, "hoist": True, "managed": False, "mentionable": False, "permissions": 104188992}
    role = {"id": str(429462860721341343 + rank), "name": f"Level {rank}", "position": rank}
    return {"rank": rank, "role": looks | role}


def mee6_error(status: int, message: str) -> dict[str, Any]:
    """Return MEE6's own error document."""
    return {"error": {"message": message}, "status_code": status}


@define(eq=False, repr=False)
class Mee6Server(BoardServer):
    """A MEE6 for one guild; see `BoardServer`."""

    dialect: ClassVar[Dialect] = DIALECT
    shape: int = field(default=YEARS[-1], validator=in_(YEARS), init=False)
    """The year whose payload is served; set it at any time."""

    @property
    def form(self) -> Hashable:
        """What a page depends on besides its rows."""
        return self.shape, self.board.rate

    def payload(self, page: int, rows: Sequence[Row]) -> dict[str, Any]:
        """Return a page as MEE6 sent it in the year of `shape`."""
        return page_payload(self.shape, self.guild_id, page, rows, self.board.rate)

    def error(self, status: int, message: str) -> object:
        """Return MEE6's own error document."""
        return mee6_error(status, message)
