"""The JSON API: each endpoint is declared once, in `ENDPOINTS`, which defines its route and its part of OpenAPI."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Unpack, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from ...core.errors import InvalidValue
from ...core.model import Entry, Status as AccountStatus
from ...core.points import XP_PER_POINT
from ...core.records import TraceArguments, in_force
from ...core.reports import Receipt
from ...core.validation import ID_LENGTH_MAX, NAME_LENGTH_MAX, POINTS_MAX, SOURCE_LENGTH_MAX
from ...engage import Engage
from ...reader import validate_span
from ..settings import installed_version
from ..wire import members as wire, runs, stories
from ..wire.shape import INSTANT_FORM, Shown
from ..wording import Words
from . import openapi
from .access import WAIT_SECONDS_MAX, Site
from .endpoints import DAY_FORM, POSITION_MAX, PROSE, Call, Endpoint, Handler, Month, Note, Prose, Why, as_json, tagged

CALENDAR_DAYS = 26 * 7
STATUSES = get_args(AccountStatus)

_PLAIN = r"[^\u0000-\u001f\u007f-\u00a0\u00ad]"
NOT_BLANK = rf"^{_PLAIN}*[^\u0000-\u0020\u007f-\u00a0\u00ad]{_PLAIN}*$"
"""As much of "printable and not blank" as a pattern can express."""
_IN_PATH = _PLAIN.replace("^", "^/")
_ID: dict[str, Any] = {"minLength": 1, "maxLength": ID_LENGTH_MAX}

MemberId = Annotated[
    str,
    Shown(
        "The member's id in your own system: printable characters without a slash.",
        **_ID,
        pattern=rf"^{_IN_PATH}*[^/\u0000-\u0020\u007f-\u00a0\u00ad]{_IN_PATH}*$",
    ),
]
Id = Annotated[str, Shown(**_ID, pattern=NOT_BLANK)]
Days = Annotated[Sequence[date], Shown("Weekdays.", minItems=1)]
Excused = Annotated[str | None, Shown("Only this member; everybody if left out.", **_ID, pattern=NOT_BLANK)]
_DISCORD_ID = Shown("A Discord id, as text.", pattern="^[1-9][0-9]{0,19}$")
_NAME: dict[str, Any] = {"maxLength": NAME_LENGTH_MAX, "pattern": r"^[^\u0000]*$"}
_SOURCE: dict[str, Any] = {"minLength": 1, "maxLength": SOURCE_LENGTH_MAX}
_NOT_DISCORD: dict[str, Any] = {"not": {"pattern": "^ *[dD][iI][sS][cC][oO][rR][dD] *$"}}
_GAIN: dict[str, Any] = {"minimum": 1, "maximum": POINTS_MAX}
_LOSS = {"minimum": -POINTS_MAX, "maximum": -1}


def _cursor(description: str) -> Shown:
    return Shown(description, minimum=0, maximum=POSITION_MAX)


def _limit(most: int) -> Shown:
    return Shown("How many at most.", minimum=1, maximum=most)


def _day(description: str) -> Shown:
    return Shown(description, pattern=f"^{DAY_FORM}$")


def summary(call: Call, member_id: MemberId) -> wire.Member:
    """Show a member's points and streak."""
    return wire.Member.of(call.engage.standing(member_id))


def history(
    call: Call,
    member_id: MemberId,
    before: Annotated[int | None, _cursor("The cursor: entries below this position.")] = None,
    source: Annotated[str | None, Shown("Entries of this source only.", **_SOURCE, examples=["discord"])] = None,
    limit: Annotated[int, _limit(500)] = 50,
) -> wire.History:
    """List a member's entries, newest first."""
    entries = call.engage.history(member_id, limit=limit + 1, before=before, source=source)
    cursor = entries[limit - 1].position if len(entries) > limit else None
    return wire.History.of(member_id=member_id, entries=entries[:limit], next_before=cursor)


def calendar(
    call: Call,
    member_id: MemberId,
    first: Annotated[date | None, _day("26 weeks ago if left out.")] = None,
    last: Annotated[date | None, _day("Today if left out.")] = None,
) -> wire.Calendar:
    """Show how each day counts for a member's streak; 1,000 days at most."""
    last = last or call.engage.today()
    first = first or last - timedelta(days=CALENDAR_DAYS - 1)
    validate_span(first, last, "first", "last")
    return wire.Calendar.of(member_id=member_id, days=call.engage.days(member_id, first, last))


def events(call: Call, member_id: MemberId) -> wire.Events:
    """List a member's membership events, oldest first."""
    return wire.Events.of(member_id=member_id, events=call.engage.events(member_id))


def story(call: Call, member_id: MemberId) -> stories.Story:
    """Show the history of a member's streak: how it grew, ended and was changed afterwards."""
    return stories.Story.of_story(call.engage.story(member_id))


def why(
    call: Call,
    member_id: MemberId,
    day: Annotated[date | None, _day("About this day.")] = None,
    entry: Annotated[int | None, _cursor("About this entry.")] = None,
) -> stories.Why:
    """Explain a day or an entry; without either, the last loss of points or of a streak."""
    found = call.engage.why(member_id, day=day, entry=entry)
    return stories.Why.of_why(found, Words(for_admin=call.administers))


def milestones(
    call: Call,
    after: Annotated[int, _cursor("The cursor: milestones after this number.")] = 0,
    limit: Annotated[int, _limit(500)] = 100,
) -> wire.Milestones:
    """List milestones that members reached, in the order in which they were recorded, for admins."""
    found = call.engage.milestones_reached(after=after, limit=limit)
    return wire.Milestones.of(milestones=found, after=found[-1].number if found else after)


def leaderboard(
    call: Call,
    by: Annotated[
        str, Shown("What to rank by. With streak, leave out month and member.", enum=["points", "streak"])
    ] = "points",
    month: Annotated[Month | None, Shown("All time if left out.")] = None,
    member: Annotated[str | None, Shown("Also return the rank of this member.", **_ID, pattern=NOT_BLANK)] = None,
    limit: Annotated[int, _limit(100)] = 25,
    present: Annotated[int, Shown("1 leaves out members who left Discord.", minimum=0, maximum=1)] = 0,
) -> wire.Leaderboard:
    """Show the leaderboard, of all time or of a month, without hidden members."""
    if by not in {"points", "streak"}:
        raise InvalidValue("by", by, "give points or streak")
    if by == "streak":
        if month is not None or member is not None:
            raise InvalidValue("by", by, "leave out month and member, or ask for the leaderboard by points")
        return wire.Leaderboard.of_month(None, call.engage.longest_streaks(limit=limit, present=present == 1), None)
    own = None if member is None else call.engage.rank(member, month=month, present=present == 1)
    ranks = call.engage.leaderboard(month=month, limit=limit, present=present == 1)
    return wire.Leaderboard.of_month(month, ranks, own)


def earnings(call: Call) -> wire.Earnings:
    """List what earns points."""
    return wire.Earnings.of(discord=wire.Rate.of(xp=XP_PER_POINT, points=1), awards=call.site.earnings)


async def feed(
    call: Call,
    after: Annotated[int, _cursor("The cursor: entries above this position.")] = 0,
    limit: Annotated[int, _limit(500)] = 100,
    wait: Annotated[
        int, Shown("If there is nothing new, wait up to this many seconds for it.", minimum=0, maximum=WAIT_SECONDS_MAX)
    ] = 0,
) -> wire.Feed:
    """List everyone's entries, oldest first: those of members you may see, or all with the token."""
    entries = await run_in_threadpool(call.engage.feed, after=after, limit=limit + 1)
    if wait and not entries:
        await call.site.feed_watch.wait(call.request, after, wait)
        entries = await run_in_threadpool(call.engage.feed, after=after, limit=limit + 1)
    page = entries[:limit]
    return wire.Feed.of(
        entries=page if call.site.is_trusted(call.request) else await _visible(call, page),
        after=page[-1].position if page else after,
        more=len(entries) > limit,
    )


async def _visible(call: Call, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries of members who are neither hidden nor forgotten, and whom the caller may see."""
    members = sorted({entry.member_id for entry in entries})
    shown = await run_in_threadpool(_shown, call.engage, members)
    seen = await call.site.seen(call.request, shown)
    return [entry for entry in entries if entry.member_id in seen]


def _shown(engage: Engage, members: Sequence[str]) -> list[str]:
    return [one.member_id for one in engage.members(ids=members) if not one.is_hidden and not one.is_forgotten]


def status(call: Call) -> runs.Status:
    """Show the state of the system, for admins."""
    return runs.Status.of(call.engage.status(), version=installed_version())


def enroll(
    call: Call,
    member_id: MemberId,
    name: Annotated[str | None, Shown("Any text; escape it where you show it.", **_NAME)] = None,
    discord_id: Annotated[str | None, _DISCORD_ID] = None,
    **trace: Unpack[TraceArguments],
) -> wire.Enrollment:
    """Enroll a member, or update the name and link."""
    return wire.Enrollment.of(call.engage.enroll(member_id, name=name, discord_id=discord_id, **trace))


def members(
    call: Call,
    after: Annotated[str, Shown("The cursor: members beyond this id.", maxLength=ID_LENGTH_MAX)] = "",
    status: Annotated[
        str | None,
        Shown("Only members whose account has this status; `none` for members without one.", enum=[*STATUSES, "none"]),
    ] = None,
    name: Annotated[
        str | None, Shown("Only members whose name contains each of these words, or parts of words.", **_NAME)
    ] = None,
    never_seen: Annotated[
        int, Shown("1 for only those whose account has never been on a board.", minimum=0, maximum=1)
    ] = 0,
    limit: Annotated[int, _limit(500)] = 100,
) -> wire.Members:
    """List members by id, for admins."""
    which: dict[str, Any] = {"name": name, "status": status, "never_seen": never_seen == 1}
    found = call.engage.members(after=after, limit=limit + 1, **which)
    page = found[:limit]
    return wire.Members.of(members=page, next_after=page[-1].member_id if len(found) > limit else None)


def link(
    call: Call, member_id: MemberId, discord_id: Annotated[str, _DISCORD_ID], **trace: Unpack[TraceArguments]
) -> wire.Enrollment:
    """Link a Discord id to a member."""
    return wire.Enrollment.of(call.engage.link(member_id, discord_id, **trace))


def rejoin(
    call: Call,
    member_id: MemberId,
    never_left: Annotated[bool, Shown("The last leave was a mistake; requires `by` and `reason`.")] = False,
    **trace: Unpack[TraceArguments],
) -> wire.Enrollment:
    """Record that a member is back on Discord, or never left."""
    return wire.Enrollment.of(call.engage.rejoin(member_id, never_left=never_left, **trace))


def on_record(deed: str, summary: str) -> Handler:
    """Return a handler that calls a method of `Engage` about a member, and records who did it and why."""

    def handler(call: Call, member_id: MemberId, **trace: Unpack[TraceArguments]) -> wire.Enrollment:
        return wire.Enrollment.of(getattr(call.engage, deed)(member_id, **trace))

    handler.__name__, handler.__doc__ = deed, summary
    return handler


def award(
    call: Call,
    member_id: MemberId,
    source: Annotated[str, Shown("What it is for.", **_SOURCE, pattern=NOT_BLANK, **_NOT_DISCORD)],
    points: Annotated[int, Shown(**_GAIN)],
    key: Id,
    at: Annotated[datetime, Shown("When it happened, with its zone or UTC offset.", pattern=f"^{INSTANT_FORM}$")],
    counts_as_activity: Annotated[bool, Shown("False for a bonus, which does not make its day active.")] = True,
    by: Annotated[str | None, Shown("Who awards it.", **PROSE)] = None,
) -> wire.Receipt:
    """Award points, once per key."""
    receipt = call.engage.award(
        member_id, source=source, points=points, key=key, at=at, counts_as_activity=counts_as_activity, by=by
    )
    return _receipt(call, receipt)


def adjust(
    call: Call,
    member_id: MemberId,
    points: Annotated[int, Shown(anyOf=[_GAIN, _LOSS])],
    key: Id,
    reason: Prose,
    by: Prose,
) -> wire.Receipt:
    """Add or remove points by hand, once per key."""
    return _receipt(call, call.engage.adjust(member_id, points=points, key=key, reason=reason, by=by))


def excuse(
    call: Call, days: Days, reason: Prose, by: Prose, member_id: Excused = None, note: Note = None
) -> runs.Excused:
    """Excuse weekdays, for everybody or for one member, so that they break no streak."""
    return runs.Excused.of(call.engage.excuse(*days, reason=reason, by=by, member_id=member_id, note=note))


def unexcuse(
    call: Call, days: Days, by: Prose, reason: Why = None, member_id: Excused = None, note: Note = None
) -> runs.Excused:
    """Require excused days again."""
    return runs.Excused.of(call.engage.unexcuse(*days, by=by, reason=reason, member_id=member_id, note=note))


def excusals(call: Call) -> runs.Excusals:
    """List the excused days, for admins."""
    return runs.Excusals.of(excusals=in_force(call.engage.excusals()))


def reverse(call: Call, key: Id, reason: Prose, by: Prose) -> wire.Receipt:
    """Take an award back."""
    return _receipt(call, call.engage.reverse(key, reason=reason, by=by))


def _receipt(call: Call, receipt: Receipt) -> wire.Receipt:
    member_id = receipt.entry.member_id
    return wire.Receipt.of(receipt, member_id=member_id, points=call.engage.standing(member_id).points)


MEMBER = "/members/{member_id}"
ENDPOINTS = (
    Endpoint("GET", MEMBER, summary, "visible"),
    Endpoint("GET", f"{MEMBER}/history", history, "visible", names_admins=True),
    Endpoint("GET", f"{MEMBER}/calendar", calendar, "visible"),
    Endpoint("GET", f"{MEMBER}/events", events, "visible", names_admins=True),
    Endpoint("GET", f"{MEMBER}/story", story, "visible"),
    Endpoint("GET", f"{MEMBER}/why", why, "visible", names_admins=True),
    Endpoint("GET", "/leaderboard", leaderboard, "visible"),
    Endpoint("GET", "/earnings", earnings, "anybody"),
    Endpoint("GET", "/feed", feed, "anybody", names_admins=True),
    Endpoint("GET", "/status", status, "admin"),
    Endpoint("GET", "/members", members, "admin"),
    Endpoint("GET", "/milestones", milestones, "admin"),
    Endpoint("GET", "/excusals", excusals, "admin"),
    Endpoint("PUT", MEMBER, enroll, problems=(409,)),
    Endpoint("PUT", f"{MEMBER}/link", link, problems=(409,)),
    Endpoint("DELETE", f"{MEMBER}/link", on_record("unlink", "Remove a member's Discord link; the points stay.")),
    Endpoint("POST", f"{MEMBER}/leave", on_record("leave", "Record that a member left Discord."), problems=(409,)),
    Endpoint("POST", f"{MEMBER}/rejoin", rejoin, problems=(409,)),
    Endpoint("POST", f"{MEMBER}/hide", on_record("hide", "Leave a member out of the leaderboard and the feed.")),
    Endpoint("POST", f"{MEMBER}/show", on_record("show", "Show a hidden member again.")),
    Endpoint("POST", f"{MEMBER}/forget", on_record("forget", "Erase a member's name and Discord ids for good.")),
    Endpoint("POST", f"{MEMBER}/awards", award, creates=True, problems=(409,)),
    Endpoint("POST", f"{MEMBER}/adjustments", adjust, creates=True, problems=(409,)),
    Endpoint("POST", "/excusals", excuse, problems=(404,)),
    Endpoint("POST", "/excusals/undo", unexcuse, problems=(404,)),
    Endpoint("POST", "/reversals", reverse, creates=True, problems=(404,)),
)


def router(site: Site) -> Router:
    """Return the router; endpoints that write exist only if the site has a token."""
    endpoints = [one for one in ENDPOINTS if one.access != "token" or site.tokens]

    async def description(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        return tagged(request, await run_in_threadpool(lambda: as_json(openapi.document(root, endpoints))))

    handlers: dict[str, dict[str, Callable[[Request], Awaitable[Response]]]] = {"/openapi.json": {"GET": description}}
    for one in endpoints:
        handlers.setdefault(one.path, {})[one.method] = one.answer
    return Router([_route(path, methods) for path, methods in handlers.items()], redirect_slashes=False)


def _route(path: str, handlers: dict[str, Callable[[Request], Awaitable[Response]]]) -> Route:
    """Return one route for all methods, so that the response to a wrong method lists every allowed one."""

    async def endpoint(request: Request) -> Response:
        method = request.method
        return await handlers["GET" if method == "HEAD" else method](request)

    return Route(path, endpoint, methods=list(handlers))
