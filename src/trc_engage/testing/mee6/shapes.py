"""How a page of the leaderboard looked from 2019 to 2024: fields come, few go.

From what public clients of those years read and print; only `players`, their `id` and `xp` are eternal.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from .board import XP_PER_MESSAGE, Row

YEARS = range(2019, 2025)


def page_payload(year: int, guild_id: str, page: int, rows: Sequence[Row], rate: float) -> dict[str, Any]:
    """Return a page as a year's MEE6 sent it; late 2019 counts as 2020."""
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
    if year >= 2020:
        payload["xp_per_message"] = list(XP_PER_MESSAGE)
        payload["xp_rate"] = int(rate) if year < 2023 and rate == int(rate) else float(rate)
    if year >= 2021:
        payload["is_member"] = False
    if year >= 2023:
        payload["country"] = None
    if year >= 2024:
        payload["monetize_options"] = {"display_plans": False, "showcase_subscribers": False}
    return payload


def encoded(payload: object) -> bytes:
    """Return JSON in UTF-8; half a surrogate pair, which UTF-8 cannot hold, is escaped."""
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode(errors="backslashreplace")


def level_at(xp: int) -> int:
    """Return the level that this much XP has reached.

    >>> level_at(99), level_at(100), level_at(1_263_590)
    (0, 1, 86)
    """
    # The XP of level l is more than 5/3 l³, which bounds the search.
    highest = int((0.6 * xp) ** (1 / 3)) + 1
    return bisect_right(range(highest + 1), xp, key=xp_to_reach) - 1


def xp_to_reach(level: int) -> int:
    """Return the XP at which a level begins: the sum of `xp_needed` below it."""
    return 5 * (level - 1) * level * (2 * level - 1) // 6 + 25 * level * (level - 1) + 100 * level


def xp_needed(level: int) -> int:
    """Return the XP from one level to the next."""
    return 5 * level * level + 50 * level + 100


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
    if year >= 2020:
        player["message_count"] = row.message_count
    if year >= 2024:
        player["is_monetize_subscriber"] = False
        player["monetize_xp_boost"] = 0
    return player


def _guild(year: int, guild_id: str) -> dict[str, Any]:
    guild = {"icon": "b2f5ff47436671b6e533d8dc3614845d", "id": guild_id, "name": "Example Server", "premium": False}
    if year >= 2021:
        guild["allow_join"] = False
        guild["invite_leaderboard"] = False
        guild["leaderboard_url"] = f"https://mee6.xyz/leaderboard/{guild_id}"
    if year >= 2022:
        guild["application_commands_enabled"] = True
        guild["commands_prefix"] = "!"
    return guild


def _role_reward(rank: int) -> dict[str, Any]:
    role = {
        "color": 3447003,
        "hoist": True,
        "id": str(429462860721341343 + rank),
        "managed": False,
        "mentionable": False,
        "name": f"Level {rank}",
        "permissions": 104188992,
        "position": rank,
    }
    return {"rank": rank, "role": role}
