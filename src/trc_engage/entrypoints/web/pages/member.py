"""A member's page: points, streak and history."""

from collections.abc import Mapping, Sequence
from datetime import date

from attrs import frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ....core.entries import Entry
from ....core.errors import InvalidValue
from ....core.fields import checked_position
from ....core.streaks import Milestone
from ....core.views import Rank, Standing
from ....engage import Engage
from ...sentences.entries import explained
from ...sentences.members import STATUSES
from ..site import Site
from .balances import Balances, balances
from .calendar import LEGEND, Calendar, calendar, first_day
from .charts import Chart, chart
from .names import begun
from .rendering import rendered

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
    story = await run_in_threadpool(_gathered, site.engage, member_id, before)
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


def _gathered(engage: Engage, member_id: str, before: int | None) -> Story:
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
    return checked_position("before", int(text))
