"""Access to a site: its token, the login link of a standalone site, and the host app's hooks."""

import asyncio
import hmac
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from inspect import isawaitable
from ipaddress import ip_address
from threading import Lock
from time import monotonic
from typing import Any, cast

from attrs import Factory, field, frozen
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import URL, QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...core.errors import UnknownMember, shortened
from ...core.validation import validate_member_id, validate_points, validate_printable
from ...engage import Engage
from ..settings import WEB_TOKEN_FORM
from ..wire.problems import MEDIA_TYPE, TYPE, Problem, ProblemError
from .brand import Brand

WAIT_SECONDS_MAX = 30
WAITING_MAX = 100
CHECK_SECONDS = 0.25


class FeedWatch:
    """Wakes requests that wait for entries; asks the store at most four times a second, however many wait."""

    def __init__(self, engage: Engage) -> None:
        self._engage = engage
        self.waiting: list[int] = []
        """The position that each waiting request has seen."""
        self._newest = 0
        """The highest position found so far."""
        self._checked_at = -CHECK_SECONDS
        self._is_closed = False

    def close(self) -> None:
        """End all waits: the server is shutting down."""
        self._is_closed = True

    async def wait(self, request: Request, after: int, seconds: int) -> None:
        """Return when there is an entry above `after`, after `seconds`, or when the client disconnects."""
        if len(self.waiting) >= WAITING_MAX:
            raise ProblemError(
                "too-many-waiting", "ask without `wait`, or try again later", headers={"Retry-After": "5"}
            )
        ends = monotonic() + seconds
        self.waiting.append(after)
        try:
            while self._newest <= after and monotonic() < ends and not self._is_closed:
                if await request.is_disconnected():
                    return
                await self._check()
                if self._newest <= after:
                    await asyncio.sleep(min(CHECK_SECONDS, max(0, ends - monotonic())))
        finally:
            self.waiting.remove(after)

    async def _check(self) -> None:
        """Look for an entry above the lowest position seen, unless that was done just now."""
        if monotonic() - self._checked_at < CHECK_SECONDS:
            return
        self._checked_at = monotonic()
        for entry in await run_in_threadpool(self._engage.feed, after=min(self.waiting), limit=1):
            self._newest = max(self._newest, entry.position)


AUTHORIZATION_MAX = 1_000
PROXIED = {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"}
"""Headers that proxies add: behind one, the client may be on any machine."""
_HOST = re.compile(r"(\[[0-9a-f:]+\]|[^:\[\]]+)(:[0-9]{1,5})?", re.ASCII)
COOKIE = "trc_engage_session"
BYTES = 32
"""256 bits, beyond guessing."""
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""Added to every response that does not set its own."""
IS_API = "trc_engage.is_api"

MaySee = Callable[[Request, str], bool | Awaitable[bool]]
MaySeeMany = Callable[[Request, Sequence[str]], Iterable[str] | Awaitable[Iterable[str]]]
MayAdminister = Callable[[Request], bool | Awaitable[bool]]


AN_ADMIN = "an admin"
NO_ADMINS = {None, "roster", "import"}


def is_token(value: object) -> bool:
    """Return whether a value can be the site's token: 16 to 200 printable ASCII characters without spaces."""
    return isinstance(value, str) and re.fullmatch(WEB_TOKEN_FORM, value) is not None


def check_on_loopback(scope: Scope) -> None:
    """Raise a problem unless a request comes from this machine and was sent to a local name.

    The name matters too: a web page from elsewhere can point its own host name at this machine.
    """
    hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
    host = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    if scope.get("client") is None or not is_loopback(scope["client"][0]):
        raise ProblemError("not-on-loopback", "the request came from another machine")
    if host is None or not is_loopback(host[1].strip("[]")):
        raise ProblemError("not-on-loopback", "the request was sent to a host other than localhost or 127.0.0.1")
    if any(name in PROXIED for name, _ in scope["headers"]):
        raise ProblemError("not-on-loopback", "the request came through a proxy")


@lru_cache(maxsize=64)
def is_loopback(name: str) -> bool:
    """Return whether a host's name or address is this machine's own."""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _same(given: str, expected: str) -> bool:
    """Compare two texts without revealing, by timing, where they differ or how long the expected one is."""
    digests = [sha256(text.encode("utf-8", "replace")).digest() for text in (given, expected)]
    return hmac.compare_digest(*digests)


class Login:
    """The login of a site that runs alone: a link that opens one browser, and the session cookie it is exchanged for.

    A request from this machine proves nothing: a proxy with `proxy_pass` alone forwards requests from anywhere.
    """

    def __init__(self, announce: Callable[[str], None] = lambda _: None) -> None:
        self._announce = announce
        """Called with the next link's token each time a link is used."""
        self._session = secrets.token_urlsafe(BYTES)
        self._lock = Lock()
        self.token: str = secrets.token_urlsafe(BYTES)
        """The token of the next link; it can be used once."""

    def exchange(self, request: Request, path: str) -> Response | None:
        """Return a redirect with the session cookie if the request opens the link, else None."""
        is_opened = request.method == "GET" and path == "/"
        given = QueryParams(request.scope["query_string"]).get("token") if is_opened else None
        if given is None:
            return None
        if not self._redeem(given) and not self.has_session(request):
            return None
        root = f"{str(request.scope.get('root_path', '')).rstrip('/')}/"
        answer = RedirectResponse(URL(path=root), 303, {"Referrer-Policy": "no-referrer"})
        answer.set_cookie(_cookie_of(request), self._session, path=root, httponly=True, samesite="strict")
        return answer

    def has_session(self, request: Request) -> bool:
        """Return whether a request has the session cookie."""
        return _same(request.cookies.get(_cookie_of(request), ""), self._session)

    def _redeem(self, given: str) -> bool:
        with self._lock:
            if not _same(given, self.token):
                return False
            self.token = secrets.token_urlsafe(BYTES)
        self._announce(self.token)
        return True


def _cookie_of(request: Request) -> str:
    """Return the session cookie's name, which keeps sites at several ports of one host apart."""
    _, port = request.scope.get("server") or ("", 0)
    return f"{COOKIE}_{port or 0}"


def _what(value: object) -> str:
    return validate_printable("what", value, 200)


@frozen
class Earning:
    """Something that earns points, shown to members; raises `InvalidValue`."""

    what: str = field(converter=_what)
    points: int = field(converter=validate_points)


@frozen
class Site:
    """The options of an app; handlers get them with `Site.of(request)`."""

    engage: Engage
    may_see: MaySee | None = None
    """None if the site runs alone, where everyone logged in sees everything, or is public."""
    may_administer: MayAdminister | None = None
    may_see_many: MaySeeMany | None = None
    """Called instead of `may_see` for several members."""
    tokens: Sequence[str] = field(default=(), repr=False)
    """With one of them a caller sees everything and may write."""
    read_token: str | None = field(default=None, repr=False)
    """With it a caller sees everything but may not write."""
    alone: bool = False
    public: bool = False
    """Whether everyone sees the leaderboard and nothing else."""
    hosts: Sequence[str] = ()
    """The host names that it answers to; any if empty."""
    login: Login = field(factory=Login, repr=False)
    """How to log in if it runs alone."""
    earnings: Sequence[Earning] = ()
    brand: Brand = field(factory=Brand)
    feed_watch: FeedWatch = field(default=Factory(lambda self: FeedWatch(self.engage), takes_self=True), repr=False)

    @classmethod
    def of(cls, request: Request) -> "Site":
        """Return the site of the app that answers this request, mounted or not."""
        return cast("Site", request.app.state.site)

    def has_entry(self, request: Request) -> bool:
        """Return whether the request has a token of the site or, if it runs alone, the session cookie."""
        return self.is_trusted(request) or (self.alone and self.login.has_session(request))

    def is_trusted(self, request: Request) -> bool:
        """Return whether the request has a token of the site and so may see everything."""
        return self._has_one_of(request, (*self.tokens, self.read_token))

    def check_may_write(self, request: Request) -> None:
        """Raise a problem if the token is missing, wrong or read-only."""
        challenge = 'Bearer realm="trc-engage"'
        if _bearer_token(request) is None:
            advice = "send it as `Authorization: Bearer TOKEN`"
            raise ProblemError("token-missing", advice, headers={"WWW-Authenticate": challenge})
        if self._has_one_of(request, [self.read_token]):
            raise ProblemError("token-reads-only", "send a token that may write")
        if not self._has_one_of(request, self.tokens):
            refused = {"WWW-Authenticate": f'{challenge}, error="invalid_token"'}
            raise ProblemError("token-wrong", "look it up in the site's settings", headers=refused)

    def _has_one_of(self, request: Request, tokens: Iterable[str | None]) -> bool:
        given = _bearer_token(request)
        # Compare all of them, so that timing does not reveal which one matches.
        same = [given is not None and token is not None and _same(given, token) for token in tokens]
        return any(same)

    def check_host(self, request: Request) -> None:
        """Raise a problem if the request was sent to a host name that is not the site's."""
        if not self.hosts:
            return
        given = request.headers.get("host", "").lower()
        name = _HOST.fullmatch(given)
        if name is None or name[1] not in self.hosts:
            raise ProblemError("wrong-host", f"this site is not served under the name {shortened(given)}")

    async def seen(self, request: Request, member_ids: Sequence[str]) -> set[str]:
        """Return which of these members the caller may see."""
        if self.public:
            return set()
        if self.may_see is None or not member_ids or self.is_trusted(request):
            return set(member_ids)
        if self.may_see_many is not None and len(member_ids) > 1:
            return set(member_ids).intersection(await _call(self.may_see_many, request, member_ids))
        return {member_id for member_id in member_ids if await _call(self.may_see, request, member_id)}

    async def check_may_see(self, request: Request, member_id: str) -> None:
        """Raise the same error as for a member that does not exist, unless the caller may see this one."""
        if not await self.seen(request, [validate_member_id(member_id)]):
            raise UnknownMember(member_id)

    async def administers(self, request: Request) -> bool:
        """Return whether the caller is an admin, who may see the status."""
        if self.alone or self.is_trusted(request):
            return True
        return self.may_administer is not None and bool(await _call(self.may_administer, request))

    async def check_administers(self, request: Request) -> None:
        """Raise the same problem as for a path that does not exist, unless the caller is an admin."""
        if not await self.administers(request):
            raise ProblemError.not_found()


def for_member(value: Any) -> Any:
    """Return JSON as a member may read it: without notes, and without saying which admin it was (R27)."""
    if isinstance(value, list):
        return [for_member(one) for one in value]
    if not isinstance(value, dict):
        return value
    shown = {name: None if name == "note" else for_member(one) for name, one in value.items()}
    return shown if shown.get("by") in NO_ADMINS else shown | {"by": AN_ADMIN}


async def _call(hook: Callable[..., Any], *values: object) -> Any:
    """Call a hook of the host in a thread, since it may block; what it returns may be awaitable."""
    answer = await run_in_threadpool(hook, *values)
    return await answer if isawaitable(answer) else answer


def _bearer_token(request: Request) -> str | None:
    """Return the bearer token; None without the header, empty if that is repeated, too long or of another scheme."""
    given = request.headers.getlist("authorization")
    if not given:
        return None
    scheme, _, value = given[0].partition(" ")
    if len(given) > 1 or len(given[0]) > AUTHORIZATION_MAX:
        return ""
    return value.strip(" ") if scheme.lower() == "bearer" else ""


def problem_response(error: ProblemError) -> Response:
    """Return a problem as JSON (RFC 9457)."""
    problem = Problem.of(error, type=TYPE + error.kind)
    return Response(json.dumps(problem), error.status, error.headers, MEDIA_TYPE)


class SiteMiddleware:
    """Refuses wrong hosts and, if a site runs alone, callers not logged in; adds security headers to every response."""

    def __init__(self, app: ASGIApp, site: Site, refuse: Callable[[Request, ProblemError], Response]) -> None:
        self._app = app
        self._site = site
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Routes are relative to where the app is mounted, and matching one extends this root.
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        scope[IS_API] = not self._site.public and (path == "/api" or path.startswith("/api/"))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_security_headers(message["headers"])
            await send(message)

        answer = self._entered(Request(scope), path)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _entered(self, request: Request, path: str) -> Response | None:
        """Return the response to a caller that logs in or is refused; None for all others."""
        try:
            self._site.check_host(request)
            if not self._site.alone:
                return None
            check_on_loopback(request.scope)
            if answer := self._site.login.exchange(request, path):
                return answer
        except ProblemError as problem:
            return problem_response(problem)
        if path.startswith("/static/") or self._site.has_entry(request):
            return None
        advice = "open it by the link that `trc-engage web` printed (each opens one browser), or send its token"
        return self._refuse(request, ProblemError("closed", advice))


def add_security_headers(headers: list[tuple[bytes, bytes]]) -> None:
    """Add the headers that keep a browser from doing more with a response than showing it."""
    own = {name for name, _ in headers}
    headers += [one for one in HEADERS if one[0] not in own]
