"""The JSON API: each path with what answers it."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from ...core.errors import InvalidValue
from ...core.model import Entry
from ...core.points import XP_PER_POINT
from ...core.reports import MemberDay, Receipt
from ...core.validation import SOURCE_LENGTH_MAX
from ...engage import Engage
from ..settings import installed_version
from ..wire import of_enrolment, of_entries, of_entry, of_ranks, of_receipt, of_standing, of_status, parsed_instant
from .access import Site, check_bears
from .openapi import described
from .requests import (
    FEED_DEFAULT,
    FEED_MAX,
    HISTORY_DEFAULT,
    HISTORY_MAX,
    POSITION_MAX,
    SCANNED_MAX,
    TOP_DEFAULT,
    TOP_MAX,
    day,
    fields,
    month,
    number,
    optional_number,
    text,
)
from .responses import done, found

__all__ = ["router"]


async def award(request: Request) -> Response:
    """Award points, once for their key."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    sent = await fields(request, {"source", "points", "key", "at"})
    at = parsed_instant("at", sent.pop("at"))
    return await done(lambda: _told(engage, engage.award(member_id, at=at, **sent)), created=True)


async def adjust(request: Request) -> Response:
    """Add or take points by hand, once for their key."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    sent = await fields(request, {"points", "key", "reason", "by"})
    return await done(lambda: _told(engage, engage.adjust(member_id, **sent)), created=True)


async def reverse(request: Request) -> Response:
    """Take an award back."""
    engage = Site.of(request).engage
    sent = await fields(request, {"key", "reason", "by"})
    return await done(lambda: _told(engage, engage.reverse(**sent)), created=True)


def _told(engage: Engage, receipt: Receipt) -> dict[str, Any]:
    return of_receipt(receipt, engage.standing(receipt.entry.member_id))


async def description(request: Request) -> Response:
    """Tell what there is: what writes only where it can be done."""
    root, is_writable = request.scope.get("root_path", ""), Site.of(request).token is not None
    return await found(request, lambda: described(root, is_writable=is_writable))


async def enroll(request: Request) -> Response:
    """Enrol a member, or bring name and link up to date."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    sent = await fields(request, frozenset(), {"name", "discord_id"})
    return await done(lambda: of_enrolment(engage.enroll(member_id, **sent)))


async def link(request: Request) -> Response:
    """Link a Discord id to a member."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    sent = await fields(request, {"discord_id"})
    return await done(lambda: of_enrolment(engage.link(member_id, **sent)))


async def unlink(request: Request) -> Response:
    """Close a member's account."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    return await done(lambda: of_enrolment(engage.unlink(member_id)))


async def leave(request: Request) -> Response:
    """Note that a member left Discord."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    return await done(lambda: of_enrolment(engage.leave(member_id)))


async def rejoin(request: Request) -> Response:
    """Note that a member is back on Discord."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    return await done(lambda: of_enrolment(engage.rejoin(member_id)))


CALENDAR_DAYS = 26 * 7
CHUNK = 1_000


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


Handler = Callable[[Request], Awaitable[Response]]

READING: dict[str, Handler] = {
    "/members/{member_id}": summary,
    "/members/{member_id}/history": history,
    "/members/{member_id}/calendar": calendar,
    "/leaderboard": leaderboard,
    "/earnings": earnings,
    "/feed": feed,
    "/status": status,
    "/openapi.json": description,
}
WRITING: dict[str, dict[str, Handler]] = {
    "/members/{member_id}": {"PUT": enroll},
    "/members/{member_id}/link": {"PUT": link, "DELETE": unlink},
    "/members/{member_id}/leave": {"POST": leave},
    "/members/{member_id}/rejoin": {"POST": rejoin},
    "/members/{member_id}/awards": {"POST": award},
    "/members/{member_id}/adjustments": {"POST": adjust},
    "/reversals": {"POST": reverse},
}


def router(site: Site) -> Router:
    """Return the router; what writes is there only for a site that has a token."""
    handlers = {path: {"GET": handler, "HEAD": handler} for path, handler in READING.items()}
    if site.token is not None:
        for path, writers in WRITING.items():
            guarded = {method: _guarded(handler, site.token) for method, handler in writers.items()}
            handlers[path] = handlers.get(path, {}) | guarded
    return Router([_route(path, methods) for path, methods in handlers.items()], redirect_slashes=False)


def _route(path: str, handlers: dict[str, Handler]) -> Route:
    """Make one route for all methods, so that a wrong one is told all that are allowed."""

    async def endpoint(request: Request) -> Response:
        return await handlers[request.method](request)

    return Route(path, endpoint, methods=list(handlers))


def _guarded(handler: Handler, token: str) -> Handler:
    """Have the token checked before anything else is looked at."""

    async def guarded(request: Request) -> Response:
        check_bears(request, token)
        return await handler(request)

    return guarded
