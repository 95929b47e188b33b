"""Who is asking, and the way in: the bearer of the token, this machine itself, or somebody the host knows."""

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
from .responses import Problem

AUTHORIZATION_MAX = 1_000
PROXIED = {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"}
"""What a proxy adds; whoever stands behind one is not on this machine."""
_HOST = re.compile(r"(\[[0-9a-f:]+\]|[^:\[\]]+)(:[0-9]{1,5})?", re.ASCII)

Hook = Callable[..., bool | Awaitable[bool]]


def is_token(value: str) -> bool:
    """Tell whether a text can be the site's token: 16 to 200 printable ASCII characters without spaces."""
    return re.fullmatch(WEB_TOKEN_FORM, value) is not None


def bears(request: Request, token: str) -> bool:
    """Tell whether a request bears the token, in a time that tells nothing of it."""
    return _matches(_borne(request), token)


def check_bears(request: Request, token: str) -> None:
    """Raise the problem of a token that is missing or wrong."""
    borne = _borne(request)
    if borne is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="trc-engage"'}
        raise Problem("token-missing", "send it as `Authorization: Bearer TOKEN`", headers=challenge)
    if not _matches(borne, token):
        challenge = {"WWW-Authenticate": 'Bearer realm="trc-engage", error="invalid_token"'}
        raise Problem("token-wrong", "look it up where the site's settings are kept", headers=challenge)


def check_on_loopback(scope: Scope) -> None:
    """Raise the problem of a request that is not from this machine to itself.

    The name it was sent to counts too: a page elsewhere may have its own name lead to this machine.
    """
    client = scope.get("client")
    hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
    if client is None or not _is_loopback(client[0]):
        raise Problem("not-on-loopback", "it was asked from another machine")
    if len(hosts) != 1 or not _is_local(hosts[0]):
        raise Problem("not-on-loopback", "it was asked by another name than localhost or 127.0.0.1")
    if any(name in PROXIED for name, _ in scope["headers"]):
        raise Problem("not-on-loopback", "it was asked through a proxy")


async def asked(hook: Hook, *values: object) -> bool:
    """Ask a hook of the host, in a thread, since it may block; what it returns may be awaitable."""
    answer = await run_in_threadpool(hook, *values)
    return bool(await answer if isawaitable(answer) else answer)


def _borne(request: Request) -> str | None:
    """Return what stands for a token; a header that is there twice, or over-long, is not read."""
    given = request.headers.getlist("authorization")
    if not given:
        return None
    scheme, _, value = given[0].partition(" ")
    if len(given) > 1 or len(given[0]) > AUTHORIZATION_MAX:
        return ""
    return value.strip(" ") if scheme.lower() == "bearer" else ""


def _matches(borne: str | None, token: str) -> bool:
    if borne is None:
        return False
    return hmac.compare_digest(sha256(borne.encode("latin-1", "replace")).digest(), sha256(token.encode()).digest())


def _is_local(host: str) -> bool:
    found = _HOST.fullmatch(host)
    return found is not None and (found[1] == "localhost" or _is_loopback(found[1].strip("[]")))


@lru_cache(maxsize=64)
def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


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


MaySee = Callable[[Request, str], bool | Awaitable[bool]]
MayAdminister = Callable[[Request], bool | Awaitable[bool]]


@frozen
class Earning:
    """One thing that earns points, for members to read."""

    what: str
    points: int


@frozen
class Site:
    """What every handler holds: `Site.of(request)`."""

    engage: Engage
    may_see: MaySee | None = None
    """None where whoever is in sees all: alone, on loopback."""
    may_administer: MayAdminister | None = None
    token: str | None = field(default=None, repr=False)
    alone: bool = False
    entrance: Entrance = field(factory=Entrance, repr=False)
    """The way in, where it runs alone."""
    earnings: Sequence[Earning] = ()

    @classmethod
    def of(cls, request: Request) -> "Site":
        """Return the site of the app that answers this request, mounted or not."""
        return cast("Site", request.app.state.site)

    def is_trusted(self, request: Request) -> bool:
        """Tell whether the request bears the site's token, and so may see all and write."""
        return self.token is not None and bears(request, self.token)

    async def sees(self, request: Request, member_id: str) -> bool:
        """Tell whether the one who asks may see this member."""
        if self.may_see is None or self.is_trusted(request):
            return True
        return await asked(self.may_see, request, member_id)

    async def check_may_see(self, request: Request, member_id: str) -> None:
        """Raise what is raised for nobody at all, unless the one who asks may see this member."""
        if not await self.sees(request, validate_member_id(member_id)):
            raise UnknownMember(member_id)

    async def administers(self, request: Request) -> bool:
        """Tell whether the one who asks may see how the system does."""
        if self.alone or self.is_trusted(request):
            return True
        return self.may_administer is not None and await asked(self.may_administer, request)

    async def check_administers(self, request: Request) -> None:
        """Raise the problem of a page that is not there, unless the one who asks is an admin."""
        if not await self.administers(request):
            raise Problem.not_found()
