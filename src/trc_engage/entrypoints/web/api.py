"""The JSON API: each endpoint is declared once, in `ENDPOINTS`; its route and its part of OpenAPI follow from that.

The docstring of a handler is the summary in OpenAPI, and its types are the schemas.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from attrs import asdict, field, frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from ...core.errors import InvalidValue
from ...core.model import Entry
from ...core.points import XP_PER_POINT
from ...core.validation import ID_LENGTH_MAX, NAME_LENGTH_MAX, POINTS_MAX, SOURCE_LENGTH_MAX, TEXT_LENGTH_MAX
from ...engage import Engage
from ..settings import installed_version
from ..wire import members as wire
from ..wire.runs import Status
from ..wire.shape import INSTANT_FORM, Shown, parsed_instant
from . import openapi
from .access import Site
from .endpoints import Call, Endpoint
from .requests import DAY_FORM, POSITION_MAX, Month
from .responses import answered, rendered

__all__ = ["ENDPOINTS", "Endpoint", "router"]

HISTORY_DEFAULT, HISTORY_MAX = 50, 500
TOP_DEFAULT, TOP_MAX = 25, 100
FEED_DEFAULT, FEED_MAX = 100, 500
SCANNED_MAX = 10_000
"""How many entries are read to find those of one source, for each request."""
CHUNK = 1_000
CALENDAR_DAYS = 26 * 7

_PLAIN = r"[^\u0000-\u001f\u007f-\u00a0\u00ad]"
NOT_BLANK = rf"^{_PLAIN}*[^\u0000-\u0020\u007f-\u00a0\u00ad]{_PLAIN}*$"
"""As much of "printable, and not blank" as a pattern can say."""
NOT_BLANK_TEXT = r"^[^\u0000]*[^\u0000\s\u001c-\u001f\u0085][^\u0000]*$"

Id = Annotated[str, Shown(minLength=1, maxLength=ID_LENGTH_MAX, pattern=NOT_BLANK)]
Prose = Annotated[str, Shown(minLength=1, maxLength=TEXT_LENGTH_MAX, pattern=NOT_BLANK_TEXT)]
_DAY = f"^{DAY_FORM}$"
_DISCORD_ID = Shown("A Discord id, as text.", pattern="^[1-9][0-9]{0,19}$")
_NAME = Shown("Any text; escape it where you show it.", maxLength=NAME_LENGTH_MAX, pattern=r"^[^\u0000]*$")
_NOT_DISCORD: dict[str, Any] = {"not": {"pattern": "^ *[dD][iI][sS][cC][oO][rR][dD] *$"}}
_SOURCE = Shown(
    "What it is for.",
    minLength=1,
    maxLength=SOURCE_LENGTH_MAX,
    pattern=NOT_BLANK,
    **_NOT_DISCORD,
)
_GAIN: dict[str, Any] = {"minimum": 1, "maximum": POINTS_MAX}
_LOSS = {"minimum": -POINTS_MAX, "maximum": -1}
_AT = Shown("When it happened, with its zone.", pattern=f"^{INSTANT_FORM}$")


@frozen
class HistoryQuery:
    """Which of a member's entries."""

    before: Annotated[
        int | None, Shown("The cursor: entries below this position.", minimum=0, maximum=POSITION_MAX)
    ] = None
    source: Annotated[
        str | None,
        Shown(
            f"Entries of this source only; a page reads {SCANNED_MAX:,} entries to find them, and may be short.",
            minLength=1,
            maxLength=SOURCE_LENGTH_MAX,
            examples=["discord"],
        ),
    ] = None
    limit: Annotated[int, Shown("How many at most.", minimum=1, maximum=HISTORY_MAX)] = HISTORY_DEFAULT


@frozen
class CalendarQuery:
    """Which days."""

    first: Annotated[date | None, Shown("26 weeks back, if left out.", pattern=_DAY)] = None
    last: Annotated[date | None, Shown("Today, if left out.", pattern=_DAY)] = None


@frozen
class LeaderboardQuery:
    """Which leaderboard."""

    by: Annotated[
        str, Shown("What decides the rank; by streak, leave out month and member.", enum=["points", "streak"])
    ] = "points"
    month: Annotated[Month | None, Shown("All time, if left out.")] = None
    member: Annotated[
        str | None,
        Shown("Whose own rank to return.", minLength=1, maxLength=ID_LENGTH_MAX, pattern=NOT_BLANK),
    ] = None
    limit: Annotated[int, Shown("How many at most.", minimum=1, maximum=TOP_MAX)] = TOP_DEFAULT


@frozen
class FeedQuery:
    """Which of everyone's entries."""

    after: Annotated[int, Shown("The cursor: entries above this position.", minimum=0, maximum=POSITION_MAX)] = 0
    limit: Annotated[int, Shown("How many at most.", minimum=1, maximum=FEED_MAX)] = FEED_DEFAULT


@frozen
class EnrollBody:
    """What is known of a member; what is left out stays as it is."""

    name: Annotated[str | None, _NAME] = None
    discord_id: Annotated[str | None, _DISCORD_ID] = None


@frozen
class LinkBody:
    """The account to link."""

    discord_id: Annotated[str, _DISCORD_ID]


def _instant_of_at(text: object) -> datetime:
    return parsed_instant("at", text)


@frozen
class AwardBody:
    """What to award."""

    source: Annotated[str, _SOURCE]
    points: Annotated[int, Shown(**_GAIN)]
    key: Id
    at: Annotated[datetime, _AT] = field(converter=_instant_of_at)


@frozen
class AdjustBody:
    """What to add or take, and why."""

    points: Annotated[int, Shown(anyOf=[_GAIN, _LOSS])]
    key: Id
    reason: Prose
    by: Prose


@frozen
class ReverseBody:
    """Which award to take back, and why."""

    key: Id
    reason: Prose
    by: Prose


def summary(call: Call) -> wire.Member:
    """Show where a member stands."""
    return wire.Member.of(call.engage.standing(call.member_id))


def history(call: Call, query: HistoryQuery) -> wire.History:
    """List a member's entries, newest first; a page with a next one may be short."""
    limit, source = query.limit, query.source
    if source is None:
        entries = list(call.engage.history(call.member_id, limit=limit + 1, before=query.before))
        cursor = entries[limit - 1].position if len(entries) > limit else None
    elif 1 <= len(source) <= SOURCE_LENGTH_MAX:
        entries, cursor = _of_source(call.engage, call.member_id, limit, query.before, source)
    else:
        raise InvalidValue("source", source, f"give a text of 1 to {SOURCE_LENGTH_MAX} characters")
    return wire.History.of(member_id=call.member_id, entries=entries[:limit], next_before=cursor)


def _of_source(
    engage: Engage, member_id: str, limit: int, before: int | None, source: str
) -> tuple[list[Entry], int | None]:
    """Return the entries of one source, and where to go on; None if there can be no more.

    Any number of others may lie between them, so a page also ends where enough entries were read.
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


def calendar(call: Call, query: CalendarQuery) -> wire.Calendar:
    """Show what each day meant for a member's streak; 1,000 days at most."""
    last = query.last or call.engage.today()
    first = query.first or last - timedelta(days=CALENDAR_DAYS - 1)
    days = call.engage.days(call.member_id, first, last)
    return wire.Calendar.of(member_id=call.member_id, days=days)


def leaderboard(call: Call, query: LeaderboardQuery) -> wire.Leaderboard:
    """Show the top of all who want to be seen, of all time or of a month."""
    if query.by not in {"points", "streak"}:
        raise InvalidValue("by", query.by, "give points or streak")
    if query.by == "streak":
        if query.month is not None or query.member is not None:
            raise InvalidValue("by", query.by, "leave out month and member, or ask for the leaderboard by points")
        return wire.Leaderboard.of_month(None, call.engage.longest_streaks(limit=query.limit), None)
    own = None if query.member is None else call.engage.rank(query.member, month=query.month)
    ranks = call.engage.leaderboard(month=query.month, limit=query.limit)
    return wire.Leaderboard.of_month(query.month, ranks, own)


def earnings(call: Call) -> wire.Earnings:
    """List what earns points."""
    return wire.Earnings.of(discord=wire.Rate.of(xp=XP_PER_POINT, points=1), awards=call.site.earnings)


async def feed(call: Call, query: FeedQuery) -> wire.Feed:
    """List everyone's entries, oldest first: of members the caller may see, or with the token of all."""
    entries = list(await run_in_threadpool(call.engage.feed, after=query.after, limit=query.limit + 1))
    page = entries[: query.limit]
    return wire.Feed.of(
        entries=page if call.site.is_trusted(call.request) else await _visible(call, page),
        after=page[-1].position if page else query.after,
        more=len(entries) > query.limit,
    )


async def _visible(call: Call, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries of members who are neither hidden nor forgotten, and whom the caller may see."""
    members = sorted({entry.member_id for entry in entries})
    shown = await run_in_threadpool(_shown, call.engage, members)
    seen = {member_id for member_id in shown if await call.site.sees(call.request, member_id)}
    return [entry for entry in entries if entry.member_id in seen]


def _shown(engage: Engage, members: Sequence[str]) -> list[str]:
    standings = {member_id: engage.standing(member_id) for member_id in members}
    return [member_id for member_id, one in standings.items() if not one.is_hidden and not one.is_forgotten]


def status(call: Call) -> Status:
    """Show admins how the system does."""
    return Status.of(call.engage.status(), version=installed_version())


def enroll(call: Call, body: EnrollBody) -> wire.Enrolment:
    """Enrol a member, or bring name and link up to date."""
    return wire.Enrolment.of(call.engage.enroll(call.member_id, **_sent(body)))


def link(call: Call, body: LinkBody) -> wire.Enrolment:
    """Link a Discord id to a member."""
    return wire.Enrolment.of(call.engage.link(call.member_id, body.discord_id))


def unlink(call: Call) -> wire.Enrolment:
    """Close a member's account."""
    return wire.Enrolment.of(call.engage.unlink(call.member_id))


def leave(call: Call) -> wire.Enrolment:
    """Note that a member left Discord."""
    return wire.Enrolment.of(call.engage.leave(call.member_id))


def rejoin(call: Call) -> wire.Enrolment:
    """Note that a member is back on Discord."""
    return wire.Enrolment.of(call.engage.rejoin(call.member_id))


def award(call: Call, body: AwardBody) -> wire.Receipt:
    """Award points, once for their key."""
    receipt = call.engage.award(call.member_id, **_sent(body))
    return wire.Receipt.of_receipt(receipt, call.engage.standing(call.member_id))


def adjust(call: Call, body: AdjustBody) -> wire.Receipt:
    """Add or take points by hand, once for their key."""
    receipt = call.engage.adjust(call.member_id, **_sent(body))
    return wire.Receipt.of_receipt(receipt, call.engage.standing(call.member_id))


def reverse(call: Call, body: ReverseBody) -> wire.Receipt:
    """Take an award back."""
    receipt = call.engage.reverse(**_sent(body))
    return wire.Receipt.of_receipt(receipt, call.engage.standing(receipt.entry.member_id))


def _sent(body: Any) -> dict[str, Any]:
    return asdict(body, recurse=False)


MEMBER = "/members/{member_id}"
ENDPOINTS = (
    Endpoint("GET", MEMBER, summary, "visible"),
    Endpoint("GET", f"{MEMBER}/history", history, "visible"),
    Endpoint("GET", f"{MEMBER}/calendar", calendar, "visible"),
    Endpoint("GET", "/leaderboard", leaderboard, "visible"),
    Endpoint("GET", "/earnings", earnings, "anybody"),
    Endpoint("GET", "/feed", feed, "anybody"),
    Endpoint("GET", "/status", status, "admin"),
    Endpoint("PUT", MEMBER, enroll, problems=(409,)),
    Endpoint("PUT", f"{MEMBER}/link", link, problems=(409,)),
    Endpoint("DELETE", f"{MEMBER}/link", unlink),
    Endpoint("POST", f"{MEMBER}/leave", leave, problems=(409,)),
    Endpoint("POST", f"{MEMBER}/rejoin", rejoin, problems=(409,)),
    Endpoint("POST", f"{MEMBER}/awards", award, creates=True, problems=(409,)),
    Endpoint("POST", f"{MEMBER}/adjustments", adjust, creates=True, problems=(409,)),
    Endpoint("POST", "/reversals", reverse, creates=True, problems=(404,)),
)


def router(site: Site) -> Router:
    """Return the router; what writes is there only for a site that has a token."""
    endpoints = [one for one in ENDPOINTS if one.access != "token" or site.token is not None]

    async def description(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        return answered(request, await run_in_threadpool(lambda: rendered(openapi.document(root, endpoints))))

    handlers: dict[str, dict[str, Callable[[Request], Awaitable[Response]]]] = {"/openapi.json": {"GET": description}}
    for one in endpoints:
        handlers.setdefault(one.path, {})[one.method] = one.answer
    return Router([_route(path, methods) for path, methods in handlers.items()], redirect_slashes=False)


def _route(path: str, handlers: Mapping[str, Callable[[Request], Awaitable[Response]]]) -> Route:
    """Make one route for all methods, so that the answer to a wrong one lists all that are allowed."""

    async def endpoint(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, endpoint, methods=list(handlers))
