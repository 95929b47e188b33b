"""`create_app`: the API and the pages as one ASGI app."""

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from inspect import signature
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from ...aio import validate_engage
from ...core.errors import EngageError, InvalidValue, LedgerFailed
from ...core.validation import validate_each
from ...engage import Engage
from ..wire.problems import ProblemError, problem_of
from . import api, pages
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
    problem_response,
)
from .brand import Brand

logger: logging.Logger = logging.getLogger(__name__)

HOOKS: Mapping[str, Sequence[str]] = {
    "may_see": ("request", "member_id"),
    "may_see_many": ("request", "member_ids"),
    "may_administer": ("request",),
}
"""What each hook is called with."""


def create_app(
    engage: Engage,
    *,
    may_see: MaySee | None = None,
    may_administer: MayAdminister | None = None,
    may_see_many: MaySeeMany | None = None,
    token: str | Sequence[str] | None = None,
    read_token: str | None = None,
    alone: bool = False,
    public: bool = False,
    hosts: Sequence[str] = (),
    earnings: Sequence[Earning] = (),
    login: Login | None = None,
    brand: Brand | None = None,
) -> Starlette:
    """Create the app, to mount under a path of yours or to run alone.

    `may_see(request, member_id)` is called before anything about a member is shown, `may_administer(request)` before
    the status is. `may_see_many(request, member_ids)` can replace the calls for each member of a list: it returns
    those that may be seen. Each can be a coroutine function; a plain one is called in a thread. With `alone` instead
    of `may_see`, only this machine can reach the app, and you log in with the link `/?token=…` and
    `app.state.login.token`: it opens one browser, and then there is a new token. A `login` of your own receives the
    next token. With `public`, everyone sees the leaderboard, without ids, and nothing else. With `hosts`, requests to
    other names are refused. Without a `token` (16 to 200 characters; a list while you replace one) nothing can be
    written; with it a caller sees everything and can write; with `read_token` a caller sees everything. `earnings` are
    what your awards earn, shown to members. Raises `InvalidValue`.
    """
    site = Site(
        validate_engage(engage),
        *(may_see, may_administer, may_see_many),
        tokens=_listed(token),
        read_token=read_token,
        alone=alone,
        public=public,
        hosts=[host.lower() for host in validate_each("hosts", hosts, str)],
        login=login or Login(),
        earnings=tuple(validate_each("earnings", earnings, Earning)),
        brand=brand or Brand(),
    )
    _check(site)
    shown = pages.PUBLIC if public else [Mount("/api", app=api.router(site), name="api"), *pages.ROUTES]
    app = Starlette(
        routes=shown,
        middleware=[Middleware(SiteMiddleware, site=site, refuse=_problem)],
        exception_handlers={EngageError: _on_error, HTTPException: _on_error, Exception: _on_bug},
    )
    app.router.redirect_slashes = False
    app.state.site = site
    app.state.login = site.login
    return app


def _listed(token: object) -> list[Any]:
    """Return a list of one token, none or several; `_check` refuses invalid ones."""
    if isinstance(token, Sequence) and not isinstance(token, str):
        return [*token]
    return [] if token is None else [token]


def _check(site: Site) -> None:
    """Raise `InvalidValue` unless exactly one way of access is given, and for hooks and tokens that cannot be used."""
    for name, arguments in HOOKS.items():
        hook = getattr(site, name)
        if hook is not None and not (callable(hook) and _takes(hook, arguments)):
            raise InvalidValue(name, hook, f"give a function of {' and '.join(arguments)}")
    if [site.alone, site.public, site.may_see is not None].count(True) != 1:
        advice = "say who may see whom, as may_see=lambda request, member_id: …; or else `alone=True`, which is for"
        advice = f"{advice} loopback only, or `public=True` for the leaderboard only; but not two of them"
        raise InvalidValue("may_see", None if site.may_see is None else "a function", advice)
    if site.public and (site.tokens or site.read_token):
        raise InvalidValue("token", "(not shown)", "leave it out: a public site has nothing for a token to open")
    for name, given in (("token", site.tokens), ("read_token", [] if site.read_token is None else [site.read_token])):
        if not all(map(is_token, given)):
            raise InvalidValue(name, "(not shown)", "give 16 to 200 printable ASCII characters without spaces")
    if site.read_token in site.tokens:
        raise InvalidValue("read_token", "(not shown)", "it must differ from the tokens that may write")


def _takes(hook: Callable[..., object], arguments: Sequence[str]) -> bool:
    try:
        signature(hook).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        # Functions written in C may not say what they take.
        return True
    return True


async def _on_error(request: Request, error: Exception) -> Response:
    if isinstance(error, LedgerFailed):
        logger.error("the store failed: %s", error)
    return _problem(request, _of_http(error) if isinstance(error, HTTPException) else problem_of(error))


def _of_http(error: HTTPException) -> ProblemError:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return ProblemError("wrong-method", f"allowed here: {allowed}", headers={"Allow": allowed})
    if error.status_code == HTTPStatus.NOT_FOUND:
        return ProblemError.not_found()
    # The host app raised it in a hook, for example to make the caller sign in.
    advice = "the site this is part of does not allow it"
    return ProblemError("refused", advice, status=error.status_code, headers=error.headers)


async def _on_bug(request: Request, error: Exception) -> Response:
    """Answer a bug, outside the middleware that adds headers to all other responses; the server logs it."""
    response = await _on_error(request, error)
    add_security_headers(response.raw_headers)
    return response


def _problem(request: Request, problem: ProblemError) -> Response:
    """Answer an API request with problem details, and any other with a page."""
    return problem_response(problem) if request.scope.get(IS_API) else pages.problem_page(request, problem)
