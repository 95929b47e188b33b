"""The leaderboard."""

from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ....engage import Engage
from ...jsonable import of_ranks
from ..site import Site
from .answers import found
from .parameters import month, number, text

TOP_DEFAULT, TOP_MAX = 25, 100


async def leaderboard(request: Request) -> Response:
    """Tell the top of the visible members, of all time or of a month, and the own rank of `member`."""
    site = Site.of(request)
    of_month, member_id = month(request, "month"), text(request, "member")
    limit = number(request, "limit", TOP_DEFAULT, 1, TOP_MAX)
    if member_id is not None:
        await site.check_may_see(request, member_id)
    return await found(request, lambda: _leaderboard(site.engage, of_month, limit, member_id))


def _leaderboard(engage: Engage, of_month: date | None, limit: int, member_id: str | None) -> dict[str, Any]:
    own = None if member_id is None else engage.rank(member_id, month=of_month)
    return of_ranks(engage.leaderboard(month=of_month, limit=limit), own, of_month)
