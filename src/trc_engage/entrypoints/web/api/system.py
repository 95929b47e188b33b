"""What is not of one member: what earns points, everyone's entries, how the system does."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ....core.entries import Entry
from ....core.points import XP_PER_POINT
from ....engage import Engage
from ...jsonable import of_entry
from ...version import installed_version
from ...vitals import of_status
from ..site import Site
from .answers import found
from .parameters import POSITION_MAX, number

FEED_DEFAULT, FEED_MAX = 100, 500


async def earnings(request: Request) -> Response:
    """Tell what earns points: XP on Discord, and what the host awards."""
    awards = [{"what": one.what, "points": one.points} for one in Site.of(request).earnings]
    return await found(request, lambda: {"discord": {"xp": XP_PER_POINT, "points": 1}, "awards": awards})


async def feed(request: Request) -> Response:
    """Tell everyone's entries above a position, oldest first: of those who may be seen, or with the token all."""
    site = Site.of(request)
    after = number(request, "after", 0, 0, POSITION_MAX)
    limit = number(request, "limit", FEED_DEFAULT, 1, FEED_MAX)
    entries = list(await run_in_threadpool(site.engage.feed, after=after, limit=limit + 1))
    page = entries[:limit]
    shown = page if site.is_trusted(request) else await _visible(request, site, page)
    value = {
        "entries": [{"member_id": entry.member_id, **of_entry(entry)} for entry in shown],
        "after": page[-1].position if page else after,
        "more": len(entries) > limit,
    }
    return await found(request, lambda: value)


async def status(request: Request) -> Response:
    """Tell an admin how the system does; where its store is, and who works on it, stays its own."""
    site = Site.of(request)
    await site.check_administers(request)
    return await found(request, lambda: _status(site.engage))


async def _visible(request: Request, site: Site, entries: list[Entry]) -> list[Entry]:
    """Return the entries of those who are neither hidden nor forgotten, and may be seen."""
    members = sorted({entry.member_id for entry in entries})
    shown = await run_in_threadpool(_shown, site.engage, members)
    seen = {member_id for member_id in shown if await site.sees(request, member_id)}
    return [entry for entry in entries if entry.member_id in seen]


def _shown(engage: Engage, members: list[str]) -> list[str]:
    standings = {member_id: engage.standing(member_id) for member_id in members}
    return [member_id for member_id, one in standings.items() if not one.is_hidden and not one.is_forgotten]


def _status(engage: Engage) -> dict[str, Any]:
    value = of_status(engage.status(), installed_version())
    del value["store"]
    if value["lease"] is not None:
        del value["lease"]["owner"]
    return value
