"""Who is asking: the bearer of the token, this machine itself, or somebody the host knows."""

import hmac
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from hashlib import sha256
from inspect import isawaitable
from ipaddress import ip_address

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Scope

from ..settings import WEB_TOKEN_FORM
from .problems import Problem

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
