"""Mounted under a path of another app, the app answers there, and the host decides who may see whom."""

import base64
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from support.community import Community, opened
from support.visitor import BEARER, TOKEN, Visitor, problem_of
from trc_engage.entrypoints.web import create_app

PREFIX = "/points/of/trc"


class ByName(AuthenticationBackend):
    """Believes the name in a header, which is enough for a test."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Return the user that the header names."""
        name = conn.headers.get("x-name")
        return (AuthCredentials(["known"]), SimpleUser(name)) if name else None


def sees_himself(request: Request, member_id: str) -> bool:
    """Let each member see only themselves, by the user that the host has found."""
    user = request.scope.get("user")
    return user is not None and user.is_authenticated and user.display_name == member_id


def by_basic_name(request: Request, member_id: str) -> bool:
    """Decide the same by looking at the request's own header."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return scheme == "Basic" and base64.b64decode(value).decode().startswith(f"{member_id}:")


async def hello(_: Request) -> PlainTextResponse:
    """Stand for everything else that the host serves."""
    return PlainTextResponse("hello")


def in_starlette(inner: Any) -> Any:
    """Mount it in a Starlette app, below another mount."""
    below = Mount("/of", routes=[Mount("/trc", app=inner)])
    return Starlette(routes=[Mount("/points", routes=[below]), Route("/", hello)])


def in_fastapi(inner: Any) -> Any:
    """Mount it in a FastAPI app."""
    host = FastAPI()
    host.add_api_route("/", hello, response_model=None)
    host.mount(PREFIX, inner)
    return host


def in_django(inner: Any) -> Any:
    """Put a dispatcher before Django's ASGI application that passes our path on."""
    served = _django()

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/"):
            await inner({**scope, "root_path": scope.get("root_path", "") + PREFIX}, receive, send)
        else:
            await served(scope, receive, send)

    return dispatch


@cache
def _django() -> Any:
    if not settings.configured:
        settings.configure(USE_TZ=True)
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["*"]
    django.setup()
    return get_asgi_application()


urlpatterns = [path("", lambda _: HttpResponse("hello"))]


@pytest.fixture(params=[in_starlette, in_fastapi, in_django])
def visitor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Visitor]:
    """Yield a visitor of the host, from elsewhere and by the host's own name."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.award("ada", "benchmark:1")
        inner = create_app(community.engage, may_see=by_basic_name, token=TOKEN)
        yield Visitor(request.param(inner), address="203.0.113.7", url="https://trc.example")


def as_member(name: str) -> dict[str, str]:
    """Return the headers by which a member is known."""
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:x'.encode()).decode()}"}


def test_it_answers_under_the_hosts_path_and_nowhere_else(visitor: Visitor) -> None:
    """Mounted, the app answers only under the host's path, although it gets no lifespan events there."""
    assert visitor.get("/").text == "hello"
    assert visitor.told(f"{PREFIX}/api/members/ada", headers=as_member("ada"))["points"] == 10
    assert visitor.get("/api/members/ada", headers=as_member("ada")).status_code == 404
    assert problem_of(visitor.get(f"{PREFIX}/api/nonsense")) == (404, "unknown-path")
    assert problem_of(visitor.ask("POST", f"{PREFIX}/api/feed")) == (405, "wrong-method")


def test_it_describes_itself_at_the_hosts_address(visitor: Visitor) -> None:
    """The server's address in the API description is the host's path, and requests to it are answered."""
    described = visitor.told(f"{PREFIX}/api/openapi.json")
    (server,) = described["servers"]
    assert server["url"] == f"{PREFIX}/api"
    address = server["url"] + "/members/{member_id}".format(member_id="ada")
    assert visitor.get(address, headers=as_member("ada")).status_code == 200


def test_the_host_says_who_sees_whom(visitor: Visitor) -> None:
    """`may_see` decides who sees whom, and without `may_administer` no one sees the status."""
    assert problem_of(visitor.get(f"{PREFIX}/api/members/bo", headers=as_member("ada"))) == (404, "unknown-member")
    assert visitor.get(f"{PREFIX}/api/members/bo", headers=as_member("bo")).status_code == 200
    assert problem_of(visitor.get(f"{PREFIX}/api/members/bo")) == (404, "unknown-member")
    assert problem_of(visitor.get(f"{PREFIX}/api/status", headers=as_member("ada"))) == (404, "unknown-path")


def test_the_host_writes_with_the_token(visitor: Visitor) -> None:
    """Under the host's path, writing needs the token as well."""
    body = {"points": 5, "key": "k", "reason": "r", "by": "b"}
    where = f"{PREFIX}/api/members/bo/adjustments"
    assert problem_of(visitor.ask("POST", where, json=body, headers=as_member("bo"))) == (401, "token-wrong")
    assert visitor.ask("POST", where, json=body, headers=BEARER).status_code == 201


def test_pages_are_served_and_linked_under_the_hosts_path(visitor: Visitor) -> None:
    """Pages are served under the host's path, and all of their links stay below it."""
    page = visitor.get(f"{PREFIX}/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Ada" in page.text
    assert f"{PREFIX}/" in page.text
    assert 'href="/' not in page.text.replace(f'href="{PREFIX}/', "")
    missing = visitor.get(f"{PREFIX}/nonsense")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_the_hook_sees_whom_the_hosts_middleware_has_found(tmp_path: Path) -> None:
    """The hook's request has the `user` that the host's middleware has found."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        inner = create_app(community.engage, may_see=sees_himself)
        host = Starlette(
            routes=[Mount(PREFIX, app=inner)], middleware=[Middleware(AuthenticationMiddleware, backend=ByName())]
        )
        visitor = Visitor(host, headers={"X-Name": "ada"})
        assert visitor.get(f"{PREFIX}/api/members/ada").status_code == 200
        assert problem_of(visitor.get(f"{PREFIX}/api/members/bo")) == (404, "unknown-member")
