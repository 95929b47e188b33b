"""The pages for people: leaderboard, member, search, status, problem; rendered here, complete without scripts."""

from collections.abc import Mapping, Sequence
from datetime import date

from attrs import frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ....core.days import ONE_DAY
from ....core.errors import InvalidValue
from ....core.model import Entry
from ....core.reports import Found, Rank, Standing
from ....core.streaks import Milestone
from ....core.validation import validate_position
from ....engage import Engage
from ...settings import installed_version
from ...wording import STATUSES, advice_of, answer, explained, holding, running
from ..access import Site
from ..responses import ProblemError
from .charts import LEGEND, Balances, Calendar, Chart, balances, calendar, chart, first_day
from .templating import (
    HEADERS,
    MEDIA_TYPE,
    asset,
    capitalized,
    clean,
    is_visible,
    link,
    rendered,
    rendered_text,
    switch_theme,
)

TOP = 25
ALL_TIME = "all"


@frozen
class Board:
    """The top of one month or of all time, and the rank of the selected member."""

    month: date | None
    this_month: date
    first_month: date
    ranks: Sequence[Rank]
    own: Rank | None
    own_standing: Standing | None

    @property
    def is_empty(self) -> bool:
        """Whether nobody has points to show."""
        return not self.ranks

    @property
    def is_own_listed(self) -> bool:
        """Whether the list itself shows that rank."""
        return self.own is not None and any(rank.member_id == self.own.member_id for rank in self.ranks)

    @property
    def most(self) -> int:
        """The most points, at least 1: the length of the longest bar."""
        return max([1, *(rank.points for rank in self.ranks)])

    @property
    def month_before(self) -> date | None:
        """The month before this one, unless nothing was posted by then."""
        if self.month is None or self.month <= self.first_month:
            return None
        return (self.month - ONE_DAY).replace(day=1)

    @property
    def month_after(self) -> date | None:
        """The month after this one, unless it is in the future."""
        if self.month is None or self.month >= self.this_month:
            return None
        return (self.month + 31 * ONE_DAY).replace(day=1)


async def board(request: Request) -> Response:
    """Show the leaderboard, `?month=2026-03` or `?month=all`, and the rank of `?member=`."""
    site, own_id = Site.of(request), request.query_params.get("member") or None
    if own_id is not None:
        await site.check_may_see(request, own_id)
    shown = await run_in_threadpool(_gather_board, site.engage, request.query_params.get("month"), own_id)
    seen = {rank.member_id for rank in shown.ranks if await site.sees(request, rank.member_id)}
    kept = {} if own_id is None else {"member": own_id}

    def period(month: date | None) -> str:
        return link(request, "board", query={"month": f"{month:%Y-%m}" if month else ALL_TIME, **kept})

    return await rendered(request, "board.html", board=shown, seen=seen, period=period, earnings=site.earnings)


def _gather_board(engage: Engage, period: str | None, own_id: str | None) -> Board:
    this_month = engage.today().replace(day=1)
    month = None if period == ALL_TIME else this_month if period is None else _month(period)
    own = None if own_id is None else engage.rank(own_id, month=month)
    first = engage.feed(limit=1)
    return Board(
        month,
        this_month,
        min(first[0].day, first[0].at.date()).replace(day=1) if first else this_month,
        [rank for rank in engage.leaderboard(month=month, limit=TOP) if rank.points],
        own,
        None if own is None else engage.standing(own.member_id),
    )


def _month(text: str) -> date:
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise InvalidValue("month", text, "give a month such as 2026-03") from error
    if not date.min.year < month.year < date.max.year:
        raise InvalidValue("month", text, "give a month of the present era")
    return month


MEDIA_TYPES: Mapping[str, str] = {"pages.css": "text/css", "mark.svg": "image/svg+xml"}

IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}


async def static(request: Request) -> Response:
    """Send a static file; at an address with its tag it may be cached for ever."""
    name = request.path_params["name"]
    if name not in MEDIA_TYPES:
        raise ProblemError.not_found()
    headers = IMMUTABLE if request.query_params.get("v") == asset(name).tag else {"Cache-Control": "no-cache"}
    return Response(asset(name).content, headers=headers, media_type=MEDIA_TYPES[name])


FOUND_MAX = 25
TEXT_MAX = 1_000
"""How many characters of a search are used."""


async def search(request: Request) -> Response:
    """Show the members who match `?q=` and may be seen, or redirect to the only one.

    `may_see` is called for those who were found, a page of them at most; nothing is locked meanwhile.
    """
    text, site = clean(request.query_params.get("q", "")), Site.of(request)
    matches: Sequence[Found] = ()
    if is_visible(text):
        matches = await run_in_threadpool(site.engage.find, text[:TEXT_MAX], limit=FOUND_MAX + 1)
    found = [one for one in matches if await site.sees(request, one.member_id)]
    if len(found) == 1 and len(matches) <= FOUND_MAX:
        return RedirectResponse(link(request, "member", member_id=found[0].member_id), 303)
    more = len(matches) > FOUND_MAX
    return await rendered(request, "search.html", text=text, found=found[:FOUND_MAX], more=more)


PAGE = 25
TITLES: Mapping[str, str] = {
    "opening": "Account opened",
    "gain": "Discord",
    "deduction": "Discord",
    "rebase": "Account rebased",
    "adjustment": "Adjustment",
}


@frozen
class MemberPage:
    """What a member's page shows."""

    standing: Standing
    today: date
    rank: Rank
    rank_of_month: Rank
    milestones: Sequence[Milestone]
    calendar: Calendar
    balances: Balances
    chart: Chart
    entries: Sequence[Entry]
    older: int | None
    """The position below which older entries are; None if there are none."""


async def member(request: Request) -> Response:
    """Show a member, with the page of the history below position `?before=`."""
    site, member_id = Site.of(request), request.path_params["member_id"]
    await site.check_may_see(request, member_id)
    before = _position(request.query_params.get("before"))
    shown = await run_in_threadpool(_gather_member, site.engage, member_id, before)
    return await rendered(
        request,
        "member.html",
        shown=shown,
        before=before,
        legend=LEGEND,
        statuses=STATUSES,
        title_of=title_of,
        explained=explained,
    )


def title_of(entry: Entry) -> str:
    """Return what an entry is for."""
    source = capitalized(entry.source)
    return f"{source}, taken back" if entry.kind == "reversal" else TITLES.get(entry.kind, source)


def _gather_member(engage: Engage, member_id: str, before: int | None) -> MemberPage:
    today = engage.today()
    standing, begins = engage.standing(member_id), first_day(today)
    entries = engage.history(member_id, limit=PAGE + 1, before=before)
    found = balances(engage, member_id, standing.points, begins, today)
    return MemberPage(
        standing,
        today,
        engage.rank(member_id),
        engage.rank(member_id, month=today),
        engage.milestones(member_id),
        calendar(engage.days(member_id, begins, today)),
        found,
        chart(found),
        entries[:PAGE],
        entries[PAGE - 1].position if len(entries) > PAGE else None,
    )


def _position(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(2**63)):
        raise InvalidValue("before", text, "give a position from the history: a whole number from 0 on")
    return validate_position("before", int(text))


@frozen
class ProblemText:
    """What went wrong, in the words of the pages."""

    title: str
    advice: str
    finds: bool = False
    """Whether a search for a member may help."""


NOBODY = ProblemText(
    "No such member", "Nobody has this id, or you may not see this page. Search by name or id.", finds=True
)
BROKEN = ProblemText("This cannot be shown", "No points are lost. Please tell the people who run this site.")
PROBLEMS: Mapping[str, ProblemText] = {
    "unknown-member": NOBODY,
    "unknown-path": ProblemText("No such page", "There is nothing here, or you may not see it."),
    "invalid-value": ProblemText("That cannot be read", "The address of this page has a value that cannot be used."),
    "wrong-method": ProblemText("That cannot be done here", "Start again from the leaderboard."),
    "not-on-loopback": ProblemText("Not from here", "This site can be opened only on the machine that it runs on."),
    "closed": ProblemText(
        "This site is closed",
        "Open it by the link that was printed when it started. A link opens one browser; then a new one is printed.",
    ),
    "busy": ProblemText("Busy for a moment", "The points are being updated. Load this page again."),
}


def problem_page(request: Request, problem: ProblemError) -> Response:
    """Return the page that says what went wrong."""
    text = NOBODY if problem.field == "member_id" else PROBLEMS.get(problem.kind, BROKEN)
    html = rendered_text(request, "problem.html", administers=False, problem=text)
    return Response(html, problem.status, {**problem.headers, **HEADERS}, MEDIA_TYPE)


async def status(request: Request) -> Response:
    """Show whether all is well, what to do if not, and the facts behind it."""
    site = Site.of(request)
    await site.check_administers(request)
    found = await run_in_threadpool(site.engage.status)
    return await rendered(
        request,
        "status.html",
        status=found,
        answer=answer(found),
        advice=advice_of,
        groups=(
            ("What was done and what is next", list(running(found))),
            ("What the store holds", [*holding(found), ("version", installed_version() or "not installed")]),
        ),
    )


def routes() -> list[BaseRoute]:
    """Return the routes of all pages, and of what they need."""
    return [
        Route("/", board, name="board"),
        Route("/members", search, name="search"),
        Route("/members/{member_id:path}", member, name="member"),
        Route("/status", status, name="status"),
        Route("/theme", switch_theme, methods=["POST"], name="theme"),
        Route("/static/{name}", static, name="static"),
    ]
