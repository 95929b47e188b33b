"""`create_app`: the API and the pages as one ASGI app, and what every answer passes through."""

import logging
from collections.abc import Iterable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...core.errors import EngageError, InvalidValue, LedgerFailed
from ...engage import Engage
from . import api
from .access import Earning, Login, MayAdminister, MaySee, Site, check_on_loopback, is_token
from .pages import pages
from .responses import ProblemError, problem_of, problem_response

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""On every answer that does not set its own."""
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
IS_API = "trc_engage.is_api"

logger = logging.getLogger(__name__)


class SiteMiddleware:
    """Refuses callers that are not logged in where a site runs alone, and adds security headers to every answer."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Routes lie below where the app is mounted, and add to this root as they are found.
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        scope[IS_API] = path == "/api" or path.startswith("/api/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_security_headers(message.get("headers", ()))
            await send(message)

        answer = self._log_in(Request(scope), path) if self._site.alone else None
        await (answer or self._app)(scope, receive, send_with_headers)

    def _log_in(self, request: Request, path: str) -> Response | None:
        """Answer a caller that logs in or may not come in; None for all others."""
        try:
            check_on_loopback(request.scope)
        except ProblemError as problem:
            return problem_response(problem)
        if answer := self._site.login.exchange(request):
            return answer
        try:
            if not path.startswith("/static/"):
                self._site.check_entry(request)
        except ProblemError as problem:
            return _problem(request, problem)
        return None


def with_security_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return headers with those that keep a browser from doing more with an answer than show it."""
    given = [(bytes(name), bytes(value)) for name, value in headers]
    names = {name for name, _ in given}
    return given + [(name, value) for name, value in _HEADERS if name not in names]


def create_app(
    engage: Engage,
    *,
    may_see: MaySee | None = None,
    may_administer: MayAdminister | None = None,
    token: str | None = None,
    alone: bool = False,
    earnings: Sequence[Earning] = (),
    login: Login | None = None,
) -> Starlette:
    """Make the app, to mount under a path of yours or to run alone.

    `may_see(request, member_id)` is called before anything about a member is shown, and `may_administer(request)`
    before the status is. Each may be a coroutine function; a plain one is called in a thread. With `alone` in place
    of `may_see`, only this machine can reach the app, and you log in by the link `/?token=…` with
    `app.state.login.token`: it opens one browser, and then there is a new one. A `login` of your own is told the
    next token. Without a `token` (16 to 200 characters) nothing can be written; with it a caller sees all, and can
    write. `earnings` are what your awards earn, for members to read. Raises `InvalidValue`.
    """
    if alone is (may_see is not None):
        advice = "say who may see whom, as may_see=lambda request, member_id: …; `alone=True` is for loopback only"
        raise InvalidValue("may_see", may_see, advice)
    if token is not None and not is_token(token):
        raise InvalidValue("token", "(not shown)", "give 16 to 200 printable ASCII characters without spaces")
    site = Site(engage, may_see, may_administer, token, alone, login or Login(), tuple(earnings))
    app = Starlette(
        routes=[Mount("/api", app=api.router(site), name="api"), *pages.routes()],
        middleware=[Middleware(SiteMiddleware, site=site)],
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
    response.raw_headers = with_security_headers(response.raw_headers)
    return response


def _problem(request: Request, problem: ProblemError) -> Response:
    """Answer a program with problem details, and people with a page."""
    return problem_response(problem) if request.scope.get(IS_API) else pages.problem_page(request, problem)
