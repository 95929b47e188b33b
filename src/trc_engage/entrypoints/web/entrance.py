"""The way into a site that runs alone: a link that opens one browser, once, or the site's token."""

import hmac
import secrets
from collections.abc import Callable
from threading import Lock

from starlette.datastructures import URL, QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .problems import Problem

COOKIE = "trc_engage_session"
PARAMETER = "token"
BYTES = 32
"""256 bits: nobody guesses them."""


class Entrance:
    """Who may come in: whoever holds the cookie that the link was exchanged for.

    That a request comes from this machine and to it tells nothing: a proxy with `proxy_pass` alone sends
    those of the whole world so.
    """

    def __init__(self, announce: Callable[[str], None] = lambda _: None) -> None:
        self._announce = announce
        """Is handed the next link's token whenever one was used."""
        self._session = secrets.token_urlsafe(BYTES)
        self._lock = Lock()
        self.token = secrets.token_urlsafe(BYTES)
        """The token of the link, good for one opening."""

    def cookie(self, request: Request) -> tuple[str, str]:
        """Return name and value of the cookie; the name tells sites at several ports of one host apart."""
        _, port = request.scope.get("server") or ("", 0)
        return f"{COOKIE}_{port or 0}", self._session

    def exchanged(self, request: Request) -> Response | None:
        """Return what leads whoever opened the link to its clean address, with the cookie; None for all others."""
        given = QueryParams(request.scope["query_string"]).get(PARAMETER)
        root = str(request.scope.get("root_path", "")).rstrip("/")
        if given is None or request.method != "GET" or request.scope["path"].removeprefix(root) != "/":
            return None
        if not self._is_used_up_by(given) and not self.is_open_to(request):
            return None
        answer = RedirectResponse(URL(path=f"{root}/"), 303, {"Referrer-Policy": "no-referrer"})
        answer.set_cookie(*self.cookie(request), path=f"{root}/", httponly=True, samesite="strict")
        return answer

    def is_open_to(self, request: Request) -> bool:
        """Tell whether a request holds the cookie, in a time that tells nothing of it."""
        name, value = self.cookie(request)
        return _same(request.cookies.get(name, ""), value)

    def _is_used_up_by(self, given: str) -> bool:
        with self._lock:
            if not _same(given, self.token):
                return False
            self.token = secrets.token_urlsafe(BYTES)
        self._announce(self.token)
        return True


def closed() -> Problem:
    """Return the problem of whoever has neither the cookie nor the token; it tells nothing of the site."""
    return Problem(
        "closed", "open it by the link that `trc-engage web` printed (each opens one browser), or send the site's token"
    )


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
