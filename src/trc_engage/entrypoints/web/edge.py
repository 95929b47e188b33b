"""The edge of the app: what is refused before anything else, and the headers on every answer."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import check_on_loopback
from .entrance import closed
from .pages import problem_page
from .problems import Problem, as_json
from .site import Site

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
