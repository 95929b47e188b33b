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
from . import api, pages
from .access import Earning, Entrance, MayAdminister, MaySee, Site, check_on_loopback, closed, is_token
from .pages import problem_page
from .responses import Problem, as_json, problem_of

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise."""
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
IS_API = "trc_engage.is_api"


class Edge:
    """Refuses who is not let in, where a site runs alone, and secures every answer."""

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

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = secured(message.get("headers", ()))
            await send(message)

        answer = self._answered(scope) if self._site.alone else None
        await (answer or self._app)(scope, receive, send_secured)

    def _answered(self, scope: Scope) -> Response | None:
        """Answer whoever is let in nowhere, or comes in by the link; None for whoever is in."""
        request, entrance = Request(scope), self._site.entrance
        try:
            check_on_loopback(scope)
        except Problem as problem:
            return as_json(problem)
        if answer := entrance.exchanged(request):
            return answer
        is_public = scope["path"].removeprefix(scope.get("root_path", "")).startswith("/static/")
        if is_public or entrance.is_open_to(request) or self._site.is_trusted(request):
            return None
        return as_json(closed()) if is_api(request) else problem_page(request, closed())


def secured(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return headers with those that keep a browser from doing more with an answer than show it."""
    told = [(bytes(name), bytes(value)) for name, value in headers]
    names = {name for name, _ in told}
    return told + [(name, value) for name, value in _HEADERS if name not in names]


def is_api(request: Request) -> bool:
    """Tell whether a program is asking, and not a browser for a page."""
    return bool(request.scope.get(IS_API))


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
