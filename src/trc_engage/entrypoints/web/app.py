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
from . import api
from .access import (
    IS_API,
    Earning,
    Login,
    MayAdminister,
    MaySee,
    MaySeeMany,
    Site,
    SiteMiddleware,
    add_security_headers,
    is_token,
)
from .brand import Brand
from .pages import pages
from .problems import ProblemError, problem_of, problem_response

logger: logging.Logger = logging.getLogger(__name__)


def create_app(
    engage: Engage,
    *,
    may_see: MaySee | None = None,
    may_administer: MayAdminister | None = None,
    may_see_many: MaySeeMany | None = None,
    token: str | Sequence[str] | None = None,
    read_token: str | None = None,
    alone: bool = False,
    earnings: Sequence[Earning] = (),
    login: Login | None = None,
    brand: Brand | None = None,
) -> Starlette:
    """Make the app, to mount under a path of yours or to run alone.

    `may_see(request, member_id)` is called before anything about a member is shown, and `may_administer(request)`
    before the status is. `may_see_many(request, member_ids)` may spare you the calls for each member of a list: it
    returns those that may be seen. Each may be a coroutine function; a plain one is called in a thread. With `alone`
    in place of `may_see`, only this machine can reach the app, and you log in by the link `/?token=…` with
    `app.state.login.token`: it opens one browser, and then there is a new one. A `login` of your own is told the
    next token. Without a `token` (16 to 200 characters; a list while you replace one by another) nothing can be
    written; with it a caller sees all, and can write; with `read_token` a caller sees all. `earnings` are what your
    awards earn, for members to read. Raises `InvalidValue`.
    """
    if alone is (may_see is not None):
        advice = "say who may see whom, as may_see=lambda request, member_id: …; `alone=True` is for loopback only"
        raise InvalidValue("may_see", may_see, advice)
    tokens = [token] if isinstance(token, str) else [*(token or ())]
    for name, given in (("token", tokens), ("read_token", [] if read_token is None else [read_token])):
        if not all(is_token(one) for one in given):
            raise InvalidValue(name, "(not shown)", "give 16 to 200 printable ASCII characters without spaces")
    if read_token in tokens:
        raise InvalidValue("read_token", "(not shown)", "give another one than those that may write")
    hooks = (may_see, may_administer, may_see_many)
    site = Site(engage, *hooks, tokens, read_token, alone, login or Login(), tuple(earnings), brand or Brand())
    app = Starlette(
        routes=[Mount("/api", app=api.router(site), name="api"), *pages.routes()],
        middleware=[Middleware(SiteMiddleware, site=site, refuse=_problem)],
        exception_handlers={EngageError: _on_error, HTTPException: _on_error, Exception: _on_bug},
    )
    app.router.redirect_slashes = False
    app.state.site = site
    app.state.login = site.login
    return app


async def _on_error(request: Request, error: Exception) -> Response:
    if isinstance(error, LedgerFailed):
        logger.error("the store failed: %s", error)
    return _problem(request, problem_of(error))


async def _on_bug(request: Request, error: Exception) -> Response:
    """Answer a bug, outside of the middleware that all other answers pass; the server logs it."""
    response = await _on_error(request, error)
    add_security_headers(response.headers)
    return response


def _problem(request: Request, problem: ProblemError) -> Response:
    """Answer a program with problem details, and people with a page."""
    return problem_response(problem) if request.scope.get(IS_API) else pages.problem_page(request, problem)
