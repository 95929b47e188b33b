"""The pages: the leaderboard, a member, the search, how the system does, and what was refused."""

from collections.abc import Mapping, Sequence
from datetime import date

from attrs import frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

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
from .templating import HEADERS, MEDIA_TYPE, begun, clean, is_visible, link, piece, rendered, rendered_text

TOP = 25
ALL_TIME = "all"


@frozen
class Board:
    """The top of one month or of all time, and the own place."""

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
        """Whether the list itself shows the own place."""
        return self.own is not None and any(rank.member_id == self.own.member_id for rank in self.ranks)

    @property
    def most(self) -> int:
        """The points of whoever leads, 1 at least, by which bars are measured."""
        return max([1, *(rank.points for rank in self.ranks)])

    @property
    def month_before(self) -> date | None:
        """The month before the shown one, unless nothing had been posted by then."""
        if self.month is None or self.month <= self.first_month:
            return None
        return (self.month - ONE_DAY).replace(day=1)

    @property
    def month_after(self) -> date | None:
        """The month after the shown one, unless it is yet to come."""
        if self.month is None or self.month >= self.this_month:
            return None
        return (self.month + 31 * ONE_DAY).replace(day=1)


async def board(request: Request) -> Response:
    """Show the leaderboard, `?month=2026-03` or `?month=all`, and where `?member=` stands in it."""
    site, own_id = Site.of(request), request.query_params.get("member") or None
    asked = request.query_params.get("month")
    if own_id is not None:
        await site.check_may_see(request, own_id)
    shown = await run_in_threadpool(_gather_board, site.engage, asked, own_id)
    seen = {rank.member_id for rank in shown.ranks if await site.sees(request, rank.member_id)}
    kept = {} if own_id is None else {"member": own_id}

    def period(month: date | None) -> str:
        return link(request, "board", query={"month": f"{month:%Y-%m}" if month else ALL_TIME, **kept})

    return await rendered(request, "board.html", board=shown, seen=seen, period=period, earnings=site.earnings)


def _gather_board(engage: Engage, asked: str | None, own_id: str | None) -> Board:
    this_month = engage.today().replace(day=1)
    month = None if asked == ALL_TIME else this_month if asked is None else _month(asked)
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
        raise InvalidValue("month", text, "give a month of these times")
    return month


MEDIA_TYPES: Mapping[str, str] = {"pages.css": "text/css", "mark.svg": "image/svg+xml"}

FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


async def dress(request: Request) -> Response:
    """Send a file; asked for by its tag, it never changes."""
    name = request.path_params["name"]
    if name not in MEDIA_TYPES:
        raise ProblemError.not_found()
    headers = FOR_EVER if request.query_params.get("v") == piece(name).tag else {"Cache-Control": "no-cache"}
    return Response(piece(name).content, headers=headers, media_type=MEDIA_TYPES[name])


FOUND_MAX = 25
ASKED_MAX = 1_000
"""How much of a search is looked at."""


async def find(request: Request) -> Response:
    """Show who fits `?q=` and may be seen, or go to the one who does.

    The hook is asked about those alone who were found, a page of them at most; nothing is held meanwhile.
    """
    asked, site = clean(request.query_params.get("q", "")), Site.of(request)
    fitting: Sequence[Found] = ()
    if is_visible(asked):
        fitting = await run_in_threadpool(site.engage.find, asked[:ASKED_MAX], limit=FOUND_MAX + 1)
    found = [one for one in fitting if await site.sees(request, one.member_id)]
    if len(found) == 1 and len(fitting) <= FOUND_MAX:
        return RedirectResponse(link(request, "member", member_id=found[0].member_id), 303)
    more = len(fitting) > FOUND_MAX
    return await rendered(request, "finding.html", asked=asked, found=found[:FOUND_MAX], more=more)


PAGE = 25
TITLES: Mapping[str, str] = {
    "opening": "Account opened",
    "gain": "Discord",
    "deduction": "Discord",
    "rebase": "Account rebased",
    "adjustment": "Adjustment",
}


@frozen
class Story:
    """All that a member's page tells."""

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
    """The position below which older entries are found; None if there are none."""


async def member(request: Request) -> Response:
    """Show a member, and of the history the page below position `?before=`."""
    site, member_id = Site.of(request), request.path_params["member_id"]
    await site.check_may_see(request, member_id)
    before = _position(request.query_params.get("before"))
    story = await run_in_threadpool(_gather_story, site.engage, member_id, before)
    return await rendered(
        request,
        "member.html",
        story=story,
        before=before,
        legend=LEGEND,
        statuses=STATUSES,
        titled=titled,
        explained=explained,
    )


def titled(entry: Entry) -> str:
    """Return what an entry is for."""
    source = begun(entry.source)
    return f"{source}, taken back" if entry.kind == "reversal" else TITLES.get(entry.kind, source)


def _gather_story(engage: Engage, member_id: str, before: int | None) -> Story:
    today = engage.today()
    standing, begins = engage.standing(member_id), first_day(today)
    entries = engage.history(member_id, limit=PAGE + 1, before=before)
    found = balances(engage, member_id, standing.points, begins, today)
    return Story(
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
class Refusal:
    """Why there is no page, and what to do."""

    title: str
    advice: str
    finds: bool = False
    """Whether looking for a member helps."""


NOBODY = Refusal(
    "No such member", "Nobody has this id, or the page is not yours to see. Look by name or id.", finds=True
)
BROKEN = Refusal("This cannot be shown", "The points are safe; somebody who runs this site has to look at it.")
REFUSALS: Mapping[str, Refusal] = {
    "unknown-member": NOBODY,
    "unknown-path": Refusal("No such page", "There is nothing here, or it is not yours to see."),
    "invalid-value": Refusal("That cannot be read", "The address of this page holds a value that makes no sense."),
    "wrong-method": Refusal("That cannot be done here", "Begin again from the leaderboard."),
    "not-on-loopback": Refusal("Not from here", "This site answers its own machine only."),
    "closed": Refusal(
        "This site is closed",
        "Open it by the link that was printed where it was started: it opens one browser; then the next is printed.",
    ),
    "busy": Refusal("Busy for a moment", "The points are being brought up to date. Load this page again."),
}


def problem_page(request: Request, problem: ProblemError) -> Response:
    """Return the page that says why there is none."""
    refusal = NOBODY if problem.field == "member_id" else REFUSALS.get(problem.kind, BROKEN)
    text = rendered_text(request, "refusal.html", administers=False, refusal=refusal)
    return Response(text, problem.status, {**problem.headers, **HEADERS}, MEDIA_TYPE)


async def status(request: Request) -> Response:
    """Show whether all is well, what to do if not, and all that this rests on."""
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
