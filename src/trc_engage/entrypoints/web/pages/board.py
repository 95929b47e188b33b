"""The leaderboard."""

from collections.abc import Sequence
from datetime import date

from attrs import frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ....core.days import ONE_DAY
from ....core.errors import InvalidValue
from ....core.views import Rank, Standing
from ....engage import Engage
from ..site import Site
from .links import link
from .rendering import rendered

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
    shown = await run_in_threadpool(_gathered, site.engage, asked, own_id)
    seen = {rank.member_id for rank in shown.ranks if await site.sees(request, rank.member_id)}
    kept = {} if own_id is None else {"member": own_id}

    def period(month: date | None) -> str:
        return link(request, "board", query={"month": f"{month:%Y-%m}" if month else ALL_TIME, **kept})

    return await rendered(request, "board.html", board=shown, seen=seen, period=period, earnings=site.earnings)


def _gathered(engage: Engage, asked: str | None, own_id: str | None) -> Board:
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
