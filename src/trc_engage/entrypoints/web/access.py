"""Who may do what: the site's token, the login link of a site that runs alone, and the hooks of the host."""

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from hashlib import sha256
from inspect import isawaitable
from ipaddress import ip_address
from threading import Lock
from typing import cast

from attrs import field, frozen
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import URL, QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from ...core.errors import UnknownMember
from ...core.validation import validate_member_id
from ...engage import Engage
from ..settings import WEB_TOKEN_FORM
from .responses import ProblemError

AUTHORIZATION_MAX = 1_000
PROXIED = {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"}
"""Headers that proxies add: behind one, the client may be on any machine."""
_HOST = re.compile(r"(\[[0-9a-f:]+\]|[^:\[\]]+)(:[0-9]{1,5})?", re.ASCII)
COOKIE = "trc_engage_session"
PARAMETER = "token"
BYTES = 32
"""256 bits: nobody guesses them."""

MaySee = Callable[[Request, str], bool | Awaitable[bool]]
MayAdminister = Callable[[Request], bool | Awaitable[bool]]


def is_token(value: str) -> bool:
    """Tell whether a text can be the site's token: 16 to 200 printable ASCII characters without spaces."""
    return re.fullmatch(WEB_TOKEN_FORM, value) is not None


def check_on_loopback(scope: Scope) -> None:
    """Raise a problem unless a request comes from this machine and was sent to it by a local name.

    The name matters too: a web page from elsewhere can make its own host name point to this machine.
    """
    client = scope.get("client")
    hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
    if client is None or not _is_loopback(client[0]):
        raise ProblemError("not-on-loopback", "it came from another machine")
    if len(hosts) != 1 or not _is_local(hosts[0]):
        raise ProblemError("not-on-loopback", "it was sent to another name than localhost or 127.0.0.1")
    if any(name in PROXIED for name, _ in scope["headers"]):
        raise ProblemError("not-on-loopback", "it came through a proxy")


def _is_local(host: str) -> bool:
    found = _HOST.fullmatch(host)
    return found is not None and (found[1] == "localhost" or _is_loopback(found[1].strip("[]")))


@lru_cache(maxsize=64)
def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _same(given: str, expected: str) -> bool:
    """Compare two texts in a time that tells neither where they differ nor how long the expected one is."""
    digests = [sha256(text.encode("utf-8", "replace")).digest() for text in (given, expected)]
    return hmac.compare_digest(*digests)


class Login:
    """The login of a site that runs alone: a link that opens one browser, and the session cookie it is exchanged for.

    That a request comes from this machine proves nothing: a proxy with `proxy_pass` alone sends requests from
    anywhere that way.
    """

    def __init__(self, announce: Callable[[str], None] = lambda _: None) -> None:
        self._announce = announce
        """Called with the next link's token each time one was used."""
        self._session = secrets.token_urlsafe(BYTES)
        self._lock = Lock()
        self.token = secrets.token_urlsafe(BYTES)
        """The token of the next link; it can be used once."""

    def cookie(self, request: Request) -> tuple[str, str]:
        """Return name and value of the cookie; the name keeps sites at several ports of one host apart."""
        _, port = request.scope.get("server") or ("", 0)
        return f"{COOKIE}_{port or 0}", self._session

    def exchange(self, request: Request) -> Response | None:
        """Return a redirect with the session cookie if the request opens the link, else None."""
        given = QueryParams(request.scope["query_string"]).get(PARAMETER)
        root = str(request.scope.get("root_path", "")).rstrip("/")
        if given is None or request.method != "GET" or request.scope["path"].removeprefix(root) != "/":
            return None
        if not self._redeem(given) and not self.has_session(request):
            return None
        answer = RedirectResponse(URL(path=f"{root}/"), 303, {"Referrer-Policy": "no-referrer"})
        answer.set_cookie(*self.cookie(request), path=f"{root}/", httponly=True, samesite="strict")
        return answer

    def has_session(self, request: Request) -> bool:
        """Tell whether a request has the session cookie."""
        name, value = self.cookie(request)
        return _same(request.cookies.get(name, ""), value)

    def _redeem(self, given: str) -> bool:
        with self._lock:
            if not _same(given, self.token):
                return False
            self.token = secrets.token_urlsafe(BYTES)
        self._announce(self.token)
        return True


@frozen
class Earning:
    """One thing that earns points, for members to read."""

    what: str
    points: int


@frozen
class Site:
    """What an app was made with; handlers get it by `Site.of(request)`."""

    engage: Engage
    may_see: MaySee | None = None
    """None where everybody who is logged in sees all: alone, on loopback."""
    may_administer: MayAdminister | None = None
    token: str | None = field(default=None, repr=False)
    alone: bool = False
    login: Login = field(factory=Login, repr=False)
    """How to log in where it runs alone."""
    earnings: Sequence[Earning] = ()

    @classmethod
    def of(cls, request: Request) -> "Site":
        """Return the site of the app that answers this request, mounted or not."""
        return cast("Site", request.app.state.site)

    def check_entry(self, request: Request) -> None:
        """Raise the problem of a request to a site that runs alone if it has neither the session nor the token."""
        if not self.login.has_session(request) and not self.is_trusted(request):
            advice = "open it by the link that `trc-engage web` printed (each opens one browser), or send its token"
            raise ProblemError("closed", advice)

    def is_trusted(self, request: Request) -> bool:
        """Tell whether the request has the site's token, and so may see all and write."""
        given = _bearer_token(request)
        return self.token is not None and given is not None and _same(given, self.token)

    def check_trusted(self, request: Request) -> None:
        """Raise the problem of a token that is missing or wrong."""
        if _bearer_token(request) is None:
            challenge = {"WWW-Authenticate": 'Bearer realm="trc-engage"'}
            raise ProblemError("token-missing", "send it as `Authorization: Bearer TOKEN`", headers=challenge)
        if not self.is_trusted(request):
            challenge = {"WWW-Authenticate": 'Bearer realm="trc-engage", error="invalid_token"'}
            raise ProblemError("token-wrong", "look it up where the site's settings are kept", headers=challenge)

    async def sees(self, request: Request, member_id: str) -> bool:
        """Tell whether the caller may see this member."""
        if self.may_see is None or self.is_trusted(request):
            return True
        return await _call(self.may_see, request, member_id)

    async def check_may_see(self, request: Request, member_id: str) -> None:
        """Raise the same error as for a member that does not exist, unless the caller may see this one."""
        if not await self.sees(request, validate_member_id(member_id)):
            raise UnknownMember(member_id)

    async def administers(self, request: Request) -> bool:
        """Tell whether the caller may see how the system does."""
        if self.alone or self.is_trusted(request):
            return True
        return self.may_administer is not None and await _call(self.may_administer, request)

    async def check_administers(self, request: Request) -> None:
        """Raise the same problem as for a path that does not exist, unless the caller is an admin."""
        if not await self.administers(request):
            raise ProblemError.not_found()


async def _call(hook: Callable[..., bool | Awaitable[bool]], *values: object) -> bool:
    """Call a hook of the host in a thread, since it may block; what it returns may be awaitable."""
    answer = await run_in_threadpool(hook, *values)
    return bool(await answer if isawaitable(answer) else answer)


def _bearer_token(request: Request) -> str | None:
    """Return the token that was sent; None without the header, and nothing if it is there twice or too long."""
    given = request.headers.getlist("authorization")
    if not given:
        return None
    scheme, _, value = given[0].partition(" ")
    if len(given) > 1 or len(given[0]) > AUTHORIZATION_MAX:
        return ""
    return value.strip(" ") if scheme.lower() == "bearer" else ""
