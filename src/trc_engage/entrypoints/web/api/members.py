"""One member: summary, history, calendar."""

from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ....core.entries import Entry
from ....core.errors import InvalidValue
from ....core.fields import SOURCE_LENGTH_MAX
from ....core.views import MemberDay
from ....engage import Engage
from ...jsonable import of_entries, of_standing
from ..site import Site
from .answers import found
from .parameters import POSITION_MAX, day, number, optional_number, text

HISTORY_DEFAULT, HISTORY_MAX = 50, 500
CALENDAR_DAYS = 26 * 7
CHUNK = 1_000
SCANNED_MAX = 10_000
"""How many entries are looked through for those of one source, for each request."""


async def summary(request: Request) -> Response:
    """Tell a member's points, by source too, and the streak with its next milestone."""
    site, member_id = await _seen(request)
    return await found(request, lambda: _standing(site.engage, member_id))


async def history(request: Request) -> Response:
    """Tell a member's entries, newest first; `before` is the cursor, `source` picks those of one source."""
    site, member_id = await _seen(request)
    limit = number(request, "limit", HISTORY_DEFAULT, 1, HISTORY_MAX)
    before = optional_number(request, "before", 0, POSITION_MAX)
    source = text(request, "source")
    if source is not None and not 1 <= len(source) <= SOURCE_LENGTH_MAX:
        raise InvalidValue("source", source, f"give a text of 1 to {SOURCE_LENGTH_MAX} characters")
    return await found(request, lambda: _history(site.engage, member_id, limit, before, source))


async def calendar(request: Request) -> Response:
    """Tell what each day meant for a member's streak, oldest first; the last 26 weeks if no days are named."""
    site, member_id = await _seen(request)
    last = day(request, "last", site.engage.today())
    first = day(request, "first", last - timedelta(days=CALENDAR_DAYS - 1))
    return await found(request, lambda: _calendar(site.engage, member_id, first, last))


async def _seen(request: Request) -> tuple[Site, str]:
    """Return the site and the member asked for, whom the one who asks may see."""
    site, member_id = Site.of(request), request.path_params["member_id"]
    await site.check_may_see(request, member_id)
    return site, member_id


def _standing(engage: Engage, member_id: str) -> dict[str, Any]:
    value = of_standing(engage.standing(member_id))
    if value["discord"] is not None:
        del value["discord"]["discord_id"]
    return value


def _history(engage: Engage, member_id: str, limit: int, before: int | None, source: str | None) -> dict[str, Any]:
    if source is None:
        entries = list(engage.history(member_id, limit=limit + 1, before=before))
        cursor = entries[limit - 1].position if len(entries) > limit else None
    else:
        entries, cursor = _of_source(engage, member_id, limit, before, source)
    return {"member_id": member_id, **of_entries(entries[:limit]), "next_before": cursor}


def _of_source(
    engage: Engage, member_id: str, limit: int, before: int | None, source: str
) -> tuple[list[Entry], int | None]:
    """Return the entries of one source, and where to go on; None if there can be no more.

    Others may lie between them without end, so a page may also end early, where enough was looked through.
    """
    picked: list[Entry] = []
    for _ in range(SCANNED_MAX // CHUNK):
        chunk = engage.history(member_id, limit=CHUNK, before=before)
        for entry in chunk:
            if entry.source == source:
                if len(picked) == limit:
                    return picked, picked[-1].position
                picked.append(entry)
        if len(chunk) < CHUNK:
            return picked, None
        before = chunk[-1].position
    return picked, before


def _calendar(engage: Engage, member_id: str, first: date, last: date) -> dict[str, Any]:
    days = engage.days(member_id, first, last)
    return {"member_id": member_id, "days": [_day(one) for one in days]}


def _day(one: MemberDay) -> dict[str, Any]:
    sources = sorted({evidence.source for evidence in one.evidence})
    return {"day": one.day.isoformat(), "mark": one.mark, "active": one.is_active, "sources": sources}
