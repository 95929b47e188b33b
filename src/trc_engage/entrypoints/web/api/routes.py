"""The addresses of the API."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from ..access import check_bears
from ..site import Site
from . import awards, description, enrolling, members, ranks, system

Handler = Callable[[Request], Awaitable[Response]]

READING: dict[str, Handler] = {
    "/members/{member_id}": members.summary,
    "/members/{member_id}/history": members.history,
    "/members/{member_id}/calendar": members.calendar,
    "/leaderboard": ranks.leaderboard,
    "/earnings": system.earnings,
    "/feed": system.feed,
    "/status": system.status,
    "/openapi.json": description.description,
}
WRITING: dict[str, dict[str, Handler]] = {
    "/members/{member_id}": {"PUT": enrolling.enroll},
    "/members/{member_id}/link": {"PUT": enrolling.link, "DELETE": enrolling.unlink},
    "/members/{member_id}/leave": {"POST": enrolling.leave},
    "/members/{member_id}/rejoin": {"POST": enrolling.rejoin},
    "/members/{member_id}/awards": {"POST": awards.award},
    "/members/{member_id}/adjustments": {"POST": awards.adjust},
    "/reversals": {"POST": awards.reverse},
}


def router(site: Site) -> Router:
    """Return the router; what writes is there only for a site that has a token."""
    handlers = {path: {"GET": handler, "HEAD": handler} for path, handler in READING.items()}
    if site.token is not None:
        for path, writers in WRITING.items():
            guarded = {method: _guarded(handler, site.token) for method, handler in writers.items()}
            handlers[path] = handlers.get(path, {}) | guarded
    return Router([_route(path, methods) for path, methods in handlers.items()], redirect_slashes=False)


def _route(path: str, handlers: dict[str, Handler]) -> Route:
    """Make one route for all methods, so that a wrong one is told all that are allowed."""

    async def endpoint(request: Request) -> Response:
        return await handlers[request.method](request)

    return Route(path, endpoint, methods=list(handlers))


def _guarded(handler: Handler, token: str) -> Handler:
    """Have the token checked before anything else is looked at."""

    async def guarded(request: Request) -> Response:
        check_bears(request, token)
        return await handler(request)

    return guarded
