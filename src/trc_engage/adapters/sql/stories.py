"""What is asked of the tables to tell why: how days were excused."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ...core.posting import Excusal
from .database import SqlStore

EXCUSALS = "SELECT day, is_excused, at, actor, reason, note, member_id, number FROM excusals"


class Stories(SqlStore):
    """The part of the `Views` port that tells why."""

    def excusals(self, member_id: str | None = None, /) -> Sequence[Excusal]:
        condition = "" if member_id is None else "WHERE member_id IS NULL OR member_id = ?"
        with self._database.connection() as connection:
            rows = connection.execute(
                f"{EXCUSALS} {condition} ORDER BY number", [] if member_id is None else [member_id]
            )
            return [_excusal(*row) for row in rows]


def _excusal(day: str, is_excused: int, at: str, *rest: Any) -> Excusal:
    return Excusal(date.fromisoformat(day), bool(is_excused), datetime.fromisoformat(at), *rest)
