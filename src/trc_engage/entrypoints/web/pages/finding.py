"""Finding a member, by id or by name."""

from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ....core.views import Found
from ..site import Site
from .links import link
from .names import clean, is_visible
from .rendering import rendered

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
