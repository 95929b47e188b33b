"""A site that runs alone is opened by a link that works once, and shows nothing to anyone else."""

from pathlib import Path

import httpx
import pytest

from support.command import Operator
from support.community import Community
from support.proxies import behind_nginx
from support.visitor import BEARER, TOKEN, Visitor, alone, let_in, problem_of
from trc_engage import Engage
from trc_engage.entrypoints.web import Login, create_app

PATHS = (
    *("/", "/?month=all", "/members?q=ada", "/members/ada", "/status", "/theme", "/nowhere", "/?token=", "/?token=x"),
    *("/api/members/ada", "/api/leaderboard", "/api/status", "/api/feed", "/api/openapi.json", "/api/nowhere"),
)
SECRETS = ("Ada", "5,432", "5432", "0.2.0", "engage.db")


@pytest.fixture
def engage() -> Engage:
    """Return an `Engage` with a member and points that must not be shown."""
    community = Community()
    community.engage.enroll("ada", name="Ada")
    community.award("ada", "b:1", points=5_432)
    return community.engage


def test_behind_a_bare_proxy_nothing_is_told_to_the_world(tmp_path: Path) -> None:
    """Behind a bare proxy, where every client looks local, only the link's browser and the token are let in."""
    operator = Operator(tmp_path)
    operator.call("members", "enroll", "ada", "--name", "Ada")
    operator.env["TRC_ENGAGE_WEB_TOKEN"] = TOKEN
    process = operator.start("web", "--port", "0")
    try:
        assert process.stdout
        url = process.stdout.readline().removeprefix("serving on ").split(" ")[0]
        link = process.stdout.readline().removeprefix("open ").split(" ")[0]
        bare = f"location / {{ proxy_pass {url.rstrip('/')}; }}"
        with behind_nginx(tmp_path, bare) as world, httpx.Client(trust_env=False) as browser:
            for path in PATHS:
                told = world.get(path)
                assert told.status_code == 403
                assert not [word for word in SECRETS if word in told.text]
            assert world.get("/api/members/ada", headers=BEARER).status_code == 200
            assert "Ada" not in browser.get(url).text
            assert browser.get(link, follow_redirects=True).status_code == 200
            assert browser.get(f"{url}members/ada").status_code == 200
            assert world.get(f"/?{httpx.URL(link).query.decode()}").status_code == 403
    finally:
        process.terminate()
        out, err = process.communicate(timeout=20)
    assert err == ""
    assert out.startswith(f"opened; for another browser, open {url}?token=")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("headers", [{}, {"Cookie": "trc_engage_session_8000=x"}, {"Authorization": "Bearer x"}])
def test_who_was_not_let_in_is_told_nothing(engage: Engage, method: str, path: str, headers: dict[str, str]) -> None:
    """Without link or token every path and method, existing or not, gives a 403 that shows nothing."""
    told = Visitor(create_app(engage, alone=True, token=TOKEN)).ask(method, path, headers=headers)
    assert told.status_code == 403
    assert told.headers["cache-control"] == "no-store"
    assert not [word for word in SECRETS if word in told.text]
    if path.startswith("/api") and method != "HEAD":
        assert problem_of(told) == (403, "closed")


def test_the_link_opens_one_browser_and_then_it_is_another(engage: Engage) -> None:
    """The link works once, sets an HttpOnly, same-site cookie and leaves no token in an address; a new one is made."""
    told = list[str]()
    app = create_app(engage, alone=True, login=Login(told.append))
    first = app.state.login.token
    visitor = Visitor(app)
    assert visitor.ask("HEAD", "/", params={"token": first}).status_code == 403
    assert visitor.get("/members/ada", params={"token": first}).status_code == 403
    opened = visitor.get("/", params={"token": first})
    assert (opened.status_code, opened.headers["location"]) == (303, "/")
    assert opened.headers["referrer-policy"] == "no-referrer"
    cookie = opened.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} == set(cookie.split("; ")[1:])
    assert len(cookie.split("; ")[0].partition("=")[2]) >= 43
    assert first not in cookie + opened.text
    assert visitor.get("/", params={"token": first}).status_code == 403
    assert told == [app.state.login.token] != [first]
    assert visitor.get("/", params={"token": told[0]}).status_code == 303
    inside = {"Cookie": cookie.split("; ")[0]}
    assert visitor.get("/", params={"token": first}, headers=inside).headers["location"] == "/"
    assert visitor.get("/members/ada", headers=inside).status_code == 200


def test_neither_token_nor_session_is_that_of_another_run(engage: Engage) -> None:
    """Another process has another link and another session."""
    one, other = (create_app(engage, alone=True) for _ in range(2))
    assert one.state.login.token != other.state.login.token
    assert Visitor(other).get("/", params={"token": one.state.login.token}).status_code == 403
    assert Visitor(other, let_in(one).headers).get("/").status_code == 403


def test_the_token_reads_too(engage: Engage) -> None:
    """With the token, a script can read pages and API without a cookie."""
    visitor = Visitor(create_app(engage, alone=True, token=TOKEN), BEARER)
    for path in ("/", "/members/ada", "/status", "/api/members/ada", "/api/feed", "/api/status", "/api/openapi.json"):
        assert visitor.get(path).status_code == 200


def test_a_cookie_writes_nothing(engage: Engage) -> None:
    """The link's cookie only reads; writing needs the token."""
    award = {"source": "benchmark", "points": 5, "key": "k", "at": "2026-03-02T09:00:00Z"}
    assert problem_of(alone(engage).ask("POST", "/api/members/ada/awards", json=award)) == (401, "token-missing")


def test_what_the_page_is_dressed_in_is_no_secret(engage: Engage) -> None:
    """The stylesheet is served to anyone, so that the refusal looks like a page of the site."""
    assert Visitor(create_app(engage, alone=True)).get("/static/pages.css").status_code == 200


def test_a_site_with_a_hook_needs_no_link(engage: Engage) -> None:
    """With `may_see` no link is needed, and a token in an address has no effect."""
    app = create_app(engage, may_see=lambda *_: False)
    answer = Visitor(app).get("/", params={"token": app.state.login.token})
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)


@pytest.mark.parametrize("root", ["", "/points"])
def test_the_link_leads_to_where_the_site_stands(engage: Engage, root: str) -> None:
    """Redirect and cookie use the path under which the site is served."""
    app = create_app(engage, alone=True)

    async def below(scope: dict[str, object], receive: object, send: object) -> None:
        await app({**scope, "root_path": root}, receive, send)  # type: ignore[arg-type]

    opened = Visitor(below).get(f"{root}/", params={"token": app.state.login.token})
    assert (opened.status_code, opened.headers["location"]) == (303, f"{root}/")
    assert f"Path={root}/;" in opened.headers["set-cookie"]
