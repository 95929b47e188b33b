"""The HTML pages (leaderboard, member, search, rules, status, problem), rendered on the server, without scripts."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from attrs import evolve
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ....core.days import ONE_DAY
from ....core.model import Entry
from ....core.reports import Found
from ....engage import Engage
from ...settings import installed_version
from ...wire.problems import ProblemError
from ...wire.shape import Shown
from ...wording import STATUSES, Words, explained
from ...wording.alerts import advice_of
from ...wording.status import answer, holding, running
from ...wording.why import answer as answer_why, describe_event, proof
from ..access import AN_ADMIN, Site
from ..endpoints import POSITION_MAX, Access, Call, Handler, month_of
from .charts import LEGEND, balances, calendar, chart, first_day
from .templating import (
    HEADERS,
    MEDIA_TYPE,
    Page,
    asset,
    capitalized,
    choice,
    choices,
    choose,
    clean,
    is_visible,
    link,
    render,
)

TOP = 25

Values = Mapping[str, Any]
"""The values of a template."""


async def board(call: Call, month: str | None = None, member: str | None = None, present: str = "") -> Values:
    """Show the leaderboard for `?month=2026-03` or `all`, and the rank of `?member=`; `?present=1` hides who left."""
    if call.site.public:
        # A rank would reveal which members exist.
        member = None
    shown = await run_in_threadpool(_board, call.engage, month, member or None, present == "1")
    if call.site.public:
        shown = {**shown, "ranks": [evolve(rank, member_id="") for rank in shown["ranks"]]}
    seen = await call.site.seen(call.request, [rank.member_id for rank in shown["ranks"]])
    own, hidden = {"member": member} if member else {}, {"present": "1"} if present == "1" else {}
    return {**shown, "seen": seen, "own_kept": own, "kept": own | hidden, "earnings": call.site.earnings}


def _board(engage: Engage, period: str | None, own_id: str | None, present: bool) -> Values:
    """Read the top of one month or of all time, and the rank of the selected member."""
    this_month = engage.today().replace(day=1)
    month = None if period == "all" else this_month if period is None else month_of("month", period)
    first = engage.feed(limit=1)
    first_month = min(first[0].day, first[0].at.date()).replace(day=1) if first else this_month
    ranks = [rank for rank in engage.leaderboard(month=month, limit=TOP, present=present) if rank.points]
    own = None if own_id is None else engage.rank(own_id, month=month, present=present)
    return {
        "month": month,
        "this_month": this_month,
        "month_before": (month - ONE_DAY).replace(day=1) if month and month > first_month else None,
        "month_after": (month + 31 * ONE_DAY).replace(day=1) if month and month < this_month else None,
        "ranks": ranks,
        "most": max([1, *(rank.points for rank in ranks)]),
        "own": own,
        "own_standing": None if own is None else engage.standing(own.member_id),
    }


MEDIA_TYPES: Mapping[str, str] = {"pages.css": "text/css", "mark.svg": "image/svg+xml"}

IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}


async def static(request: Request) -> Response:
    """Send a static file; a URL with its tag may be cached forever."""
    name = request.path_params["name"]
    if name not in MEDIA_TYPES:
        raise ProblemError.not_found()
    content, tag = asset(name, Site.of(request).brand)
    headers = IMMUTABLE if request.query_params.get("v") == tag else {"Cache-Control": "no-cache"}
    return Response(content, headers=headers, media_type=MEDIA_TYPES[name])


FOUND_MAX = 25
TEXT_MAX = 1_000
"""How many characters of a search are used."""


async def search(call: Call, q: str = "") -> Values | Response:
    """Show the members who match `?q=` and may be seen, or redirect to the only one.

    `may_see` is called for the members found, about a page of them at most; nothing is locked meanwhile.
    """
    text, matches = clean(q), list[Found]()
    if is_visible(text):
        matches += await run_in_threadpool(call.engage.find, text[:TEXT_MAX], limit=FOUND_MAX + 1)
    seen = await call.site.seen(call.request, [one.member_id for one in matches])
    found, more = [one for one in matches if one.member_id in seen], len(matches) > FOUND_MAX
    if len(found) == 1 and not more:
        return RedirectResponse(link(call.request, "member", member_id=found[0].member_id), 303)
    return {"text": text, "found": found[:FOUND_MAX], "more": more}


PAGE = 25
Position = Annotated[int | None, Shown(minimum=0, maximum=POSITION_MAX)]
TITLES: Mapping[str, str] = {
    "opening": "Account opened",
    "gain": "Discord",
    "deduction": "Discord",
    "rebase": "Account rebased",
    "adjustment": "Adjustment",
}


def member(
    call: Call, member_id: str, before: Position = None, day: date | None = None, entry: Position = None
) -> Values:
    """Show a member, the page of history below `?before=`, and the explanation of a `?day=` or an `?entry=`."""
    engage, today = call.engage, call.engage.today()
    words = Words(for_admin=call.administers, zone=ZoneInfo(choice(call.request, "zone") or "UTC"))
    standing, begins = engage.standing(member_id), first_day(today)
    entries = engage.history(member_id, limit=PAGE + 1, before=before)
    if not call.administers:
        entries = [evolve(one, actor=one.actor and AN_ADMIN) for one in entries]
    found = balances(engage, member_id, standing.points, begins, today)
    return {
        "standing": standing,
        "today": today,
        "rank": engage.rank(member_id),
        "rank_of_month": engage.rank(member_id, month=today),
        "milestones": engage.milestones(member_id),
        "calendar": calendar(engage.days(member_id, begins, today)),
        "balances": found,
        "chart": chart(found),
        "why": None if day is None and entry is None else engage.why(member_id, day=day, entry=entry),
        "asked_day": day,
        "story": engage.story(member_id).events[::-1],
        "words": words,
        "answer": answer_why,
        "proof": proof,
        "describe_event": describe_event,
        "entries": entries[:PAGE],
        "before": before,
        "older": entries[PAGE - 1].position if len(entries) > PAGE else None,
        "legend": LEGEND,
        "statuses": STATUSES,
        "title_of": title_of,
        "explained": explained,
    }


def rules(call: Call) -> Values:
    """Show how points and streaks work."""
    return {"earnings": call.site.earnings, "zones": sorted(choices("zone"))}


def title_of(entry: Entry) -> str:
    """Return what an entry is for."""
    source = capitalized(entry.source)
    return f"{source}, taken back" if entry.kind == "reversal" else TITLES.get(entry.kind, source)


NOBODY = ("No such member", "Nobody has this id, or you may not see this page. Search by name or id.")
BROKEN = ("This page failed", "No points are lost. Please tell the people who run this site.")
PROBLEMS: Mapping[str, tuple[str, str]] = {
    "unknown-member": NOBODY,
    "unknown-path": ("No such page", "There is nothing here, or you may not see it."),
    "invalid-value": ("Bad address", "The address of this page contains an invalid value."),
    "wrong-method": ("That is not possible here", "Start again from the leaderboard."),
    "closed": (
        "This site is closed",
        "Open it by the link that was printed when it started. A link opens one browser; then a new one is printed.",
    ),
    "busy": ("Busy for a moment", "The points are being updated. Load this page again."),
}
"""The title and advice that pages show for each kind of problem."""


def problem_page(request: Request, problem: ProblemError) -> Response:
    """Return the page that says what went wrong."""
    text = NOBODY if problem.field == "member_id" else PROBLEMS.get(problem.kind, BROKEN)
    html = render(request, "problem.html", administers=False, title=text[0], advice=text[1], finds=text is NOBODY)
    return Response(html, problem.status, {**problem.headers, **HEADERS}, MEDIA_TYPE)


def status(call: Call) -> Values:
    """Show whether all is well, what to do if not, and the facts behind it."""
    found = call.engage.status()
    return {
        "status": found,
        "answer": answer(found),
        "advice": advice_of,
        "groups": (
            ("What was done and what is next", list(running(found))),
            ("What the store holds", [*holding(found), ("version", installed_version() or "not installed")]),
        ),
    }


def _page(path: str, handler: Handler, access: Access) -> Route:
    """Return the route of a page, which shows admins a link to the status."""
    page = Page("GET", path, handler, access, names_admins=True)
    return Route(path, page.answer, name=handler.__name__)


_SHARED = (Route("/theme", choose, methods=["POST"], name="theme"), Route("/static/{name}", static, name="static"))
PUBLIC: Sequence[BaseRoute] = (_page("/", board, "anybody"), *_SHARED)
"""The leaderboard, and what it needs."""
ROUTES: Sequence[BaseRoute] = (
    *_SHARED,
    _page("/", board, "visible"),
    _page("/members", search, "anybody"),
    _page("/members/{member_id:path}", member, "visible"),
    _page("/status", status, "admin"),
    _page("/rules", rules, "anybody"),
)
"""All pages."""
