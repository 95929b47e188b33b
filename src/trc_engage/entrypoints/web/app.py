"""`create_app`: the API and the pages as one ASGI app."""

import logging
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from ...core.errors import EngageError, InvalidValue, LedgerFailed
from ...engage import Engage
from . import api, pages
from .access import is_token
from .edge import Edge, is_api, secured
from .entrance import Entrance
from .problems import as_json, problem_of
from .site import Earning, MayAdminister, MaySee, Site

logger = logging.getLogger(__name__)


def create_app(
    engage: Engage,
    *,
    may_see: MaySee | None = None,
    may_administer: MayAdminister | None = None,
    token: str | None = None,
    alone: bool = False,
    earnings: Sequence[Earning] = (),
    entrance: Entrance | None = None,
) -> Starlette:
    """Make the app, to be mounted under a path of yours, or to run alone.

    `may_see(request, member_id)` is asked before anything of one member is told, and
    `may_administer(request)` before the status is; each may be a coroutine function, and a plain one is
    called in a thread. `alone` stands in for `may_see`: whatever is not asked from this machine itself is
    refused, and whoever came in sees all: by the link `/?token=…` with `app.state.entrance.token`, which opens
    one browser and is another then, or with the `token`. An `entrance` of yours says what is done with the
    next link's token. Without a `token` (16 to 200 characters) nothing can be written.
    `earnings` are what your awards earn, for members to read. Raises `InvalidValue`.
    """
    if alone is (may_see is not None):
        advice = "say who may see whom, as may_see=lambda request, member_id: …; `alone=True` is for loopback only"
        raise InvalidValue("may_see", may_see, advice)
    if token is not None and not is_token(token):
        raise InvalidValue("token", "(not shown)", "give 16 to 200 printable ASCII characters without spaces")
    site = Site(engage, may_see, may_administer, token, alone, entrance or Entrance(), tuple(earnings))
    app = Starlette(
        routes=[Mount("/api", app=api.router(site), name="api"), *pages.routes()],
        middleware=[Middleware(Edge, site=site)],
        exception_handlers={EngageError: _told, HTTPException: _told, Exception: _failed},
    )
    app.router.redirect_slashes = False
    app.state.site = site
    app.state.entrance = site.entrance
    return app


async def _told(request: Request, error: Exception) -> Response:
    """Answer what went wrong: to a program as problem details, to people as a page."""
    if isinstance(error, LedgerFailed):
        logger.error("the store failed: %s", error)
    problem = problem_of(error)
    return as_json(problem) if is_api(request) else pages.problem_page(request, problem)


async def _failed(request: Request, error: Exception) -> Response:
    """Answer a bug, outside of what secures all other answers; the server logs it."""
    response = await _told(request, error)
    response.raw_headers = secured(response.raw_headers)
    return response
