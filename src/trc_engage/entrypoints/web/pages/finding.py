"""Finding a member, by id or by name."""

from collections.abc import AsyncIterator, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ....core.errors import InvalidValue, UnknownMember
from ....core.views import Standing
from ....engage import Engage
from ..site import Site
from .links import link
from .names import clean, is_visible
from .rendering import rendered

FOUND_MAX = 25
ASKED_MAX = 200
"""How many who fit the host is asked about before the rest are left out."""


async def find(request: Request) -> Response:
    """Show who fits `?q=`, or go to the one who does."""
    asked = clean(request.query_params.get("q", ""))
    found = [one async for one in _found(request, asked)] if is_visible(asked) else []
    if len(found) == 1:
        return RedirectResponse(link(request, "member", member_id=found[0].member_id), 303)
    more = len(found) > FOUND_MAX
    return await rendered(request, "finding.html", asked=asked, found=found[:FOUND_MAX], more=more)


async def _found(request: Request, asked: str) -> AsyncIterator[Standing]:
    """Yield whoever the one who asks may see: the one with this id, or else those with it in the name."""
    site, told = Site.of(request), 0
    for one in await run_in_threadpool(_fitting, site.engage, asked):
        if await site.sees(request, one.member_id):
            yield one
            told += 1
            if told > FOUND_MAX:
                return


def _fitting(engage: Engage, asked: str) -> Sequence[Standing]:
    try:
        return [engage.standing(asked)]
    except (UnknownMember, InvalidValue):
        sought = asked.casefold()
    # Who is hidden from the leaderboard is not to be found by name either.
    open_to_all = (one for one in engage.members() if not one.is_hidden and one.name)
    fitting = [one for one in open_to_all if sought in clean(one.name or "").casefold()]
    return sorted(fitting, key=lambda one: (clean(one.name or "").casefold(), one.member_id))[:ASKED_MAX]
