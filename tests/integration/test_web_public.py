"""A public site shows the leaderboard and nothing else, whatever proxy is in front of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.command import TIMEOUT_SECONDS, Operator
from support.community import Community
from support.markup import read
from support.proxies import HOST, behind_caddy, behind_nginx
from support.visitor import BEARER, TOKEN, Visitor
from trc_engage import InvalidValue
from trc_engage.entrypoints.web import create_app

DEPLOY = Path(__file__).parents[2] / "docs/deploy"
UPSTREAM = "127.0.0.1:8000"
"""The address of the site in the sample configurations."""
PATHS = (
    *("/members", "/members?q=ada", "/members/ada", "/members/nobody", "/status", "/rules", "/metrics", "/?token="),
    *("/api", "/api/members/ada", "/api/leaderboard", "/api/leaderboard?member=ada", "/api/status", "/api/feed"),
    *("/api/openapi.json", "/api/earnings", "/api/members/ada/history", "/static/nothing", "/static/../status"),
)
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]


@pytest.fixture
def community() -> Community:
    """Return a community: Ada and Bo are listed, Cy is hidden, Dee has no name, and Eve has no points."""
    community = Community()
    for member_id, name in (("ada-7", "Ada"), ("bo-7", "Bo"), ("cy-7", "Cy"), ("dee-7", None), ("eve-7", "Eve")):
        community.engage.enroll(member_id, name=name)
    for number, member_id in enumerate(("ada-7", "bo-7", "cy-7", "dee-7")):
        community.award(member_id, f"b:{number}", points=100 - number)
    community.engage.hide("cy-7")
    return community


@pytest.fixture
def visitor(community: Community) -> Visitor:
    """Return a visitor from anywhere."""
    return Visitor(create_app(community.engage, public=True), address="203.0.113.5", url=f"https://{HOST}")


def test_everybody_sees_the_leaderboard_and_nobodys_id(visitor: Visitor) -> None:
    """The board shows names without ids, and no hidden members or those without points; all of its links work."""
    shown = visitor.get("/?month=all")
    page = read(shown.text)
    assert [one.words for one in page.one("table").all("bdi")] == ["Ada", "Bo", "Member"]
    assert not re.search(r"-7|Cy|Eve", shown.text)
    linked = {one.attributes["href"].partition("?")[0] for one in page.all("a") + page.all("link")}
    assert linked == {"/", "#content", "/static/mark.svg", "/static/pages.css"}
    assert {one.attributes["action"] for one in page.all("form")} == {"/theme"}
    for href in linked - {"#content"}:
        assert visitor.get(href).status_code == 200
    assert visitor.ask("POST", "/theme", content="theme=dark").status_code == 303


@pytest.mark.parametrize("member_id", ["ada-7", "cy-7", "eve-7", "nobody", "."])
def test_nobody_finds_out_who_exists(visitor: Visitor, member_id: str) -> None:
    """Asking for a member's own rank shows nothing, whether the member is listed, hidden or unknown."""
    assert visitor.get(f"/?member={member_id}&month=all").text.replace(f"member={member_id}&amp;", "") == (
        visitor.get("/?month=all").text
    )


@pytest.mark.parametrize("path", [one.replace("ada", "ada-7") for one in PATHS if not one.startswith("/?")])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("headers", [{}, BEARER, {"Cookie": "trc_engage_session_8000=x"}], ids=["", "token", "cookie"])
def test_there_is_nothing_else(visitor: Visitor, method: str, path: str, headers: dict[str, str]) -> None:
    """Every other path gives the same 404 as one that never existed, with any method, token or cookie."""
    told, nowhere = (visitor.ask(method, one, headers=headers) for one in (path, "/nowhere"))
    if path == "/static/nothing" and method not in {"GET", "HEAD"}:
        assert told.status_code == 405
        return
    assert told.status_code == nowhere.status_code == 404
    # The theme's form leads back to the page that it is on.
    assert re.sub(r'name="back" value="[^"]*"', "", told.text) == re.sub(r'name="back" value="[^"]*"', "", nowhere.text)


def test_a_public_site_has_no_token_and_no_hook(community: Community) -> None:
    """A public site with a token or a hook, or one that also runs alone, is refused."""
    for options in ({"token": TOKEN}, {"read_token": TOKEN}, {"alone": True}, {"may_see": lambda *_: True}):
        with pytest.raises(InvalidValue):
            create_app(community.engage, public=True, **options)


@pytest.mark.parametrize(("host", "status"), [(HOST, 200), (f"{HOST}:8443", 200), ("CLUB.example", 200), ("", 421)])
@pytest.mark.parametrize("path", ["/", "/static/pages.css"])
def test_only_its_own_names_are_answered(community: Community, host: str, status: int, path: str) -> None:
    """With `hosts`, only those names are answered, on any port; another one gets a 421 that repeats it."""
    visitor = Visitor(create_app(community.engage, public=True, hosts=["Club.Example"]))
    assert visitor.get(path, headers={"Host": host}).status_code == status
    refused = visitor.get(path, headers={"Host": "evil.example"})
    assert (refused.status_code, refused.json()["detail"]) == (
        421,
        "this site is not served under the name 'evil.example'",
    )


@contextmanager
def served(folder: Path, *options: str) -> Iterator[str]:
    """Serve a store publicly although all tokens are set; yield the address."""
    operator = Operator(folder)
    for member_id, name in (("ada-7", "Ada"), ("cy-7", "Cy")):
        operator.call("members", "enroll", member_id, "--name", name)
        operator.call("award", member_id, "--source", "benchmark", "--points", "50", "--key", member_id)
    operator.call("members", "hide", "cy-7")
    operator.env |= {"TRC_ENGAGE_WEB_TOKEN": TOKEN, "TRC_ENGAGE_WEB_READ_TOKEN": f"{TOKEN}-2"}
    process = operator.start("web", "--port", "0", "--public", *options)
    try:
        assert process.stdout
        yield process.stdout.readline().removeprefix("serving on http://").split("/ ")[0]
    finally:
        process.terminate()
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert (process.returncode, out, err) == (0, "", "")


def test_behind_a_bare_proxy_it_shows_no_more(tmp_path: Path) -> None:
    """Behind a bare proxy, where every client looks local, nothing else is shown, even with the token."""
    with served(tmp_path) as address, behind_nginx(tmp_path, f"location / {{ proxy_pass http://{address}; }}") as world:
        assert "Ada" in world.get("/").text
        for path in PATHS:
            for headers in ({}, BEARER):
                told = world.get(path.replace("ada", "ada-7"), headers=headers)
                assert told.status_code == (200 if path.startswith("/?") else 404), path
                assert not re.search(r"-7|Cy", told.text.replace(path.replace("ada", "ada-7"), ""))


@pytest.mark.parametrize("behind", [behind_nginx, behind_caddy])
def test_the_samples_serve_it_below_a_path(tmp_path: Path, behind: object) -> None:
    """With the sample configurations the site works below a path, and nginx passes the host name on to be checked."""
    unit = (DEPLOY / "trc-engage-web.service").read_text()
    (options,) = re.findall(r"^ExecStart=\S+ web --public (.*)$", unit, re.MULTILINE)
    sample = (DEPLOY / ("nginx.conf" if behind is behind_nginx else "Caddyfile")).read_text()
    with (
        served(tmp_path, *options.split()) as address,
        behind(tmp_path, sample.replace(UPSTREAM, address)) as world,  # type: ignore[operator]
    ):
        assert httpx.URL(world.get("/points").headers["location"]).path == "/points/"
        assert_stands_below(world, "/points")
        if behind is behind_nginx:
            refused = world.get("/points/", headers={"Host": "evil.example"})
            assert (refused.status_code, refused.json()["type"]) == (421, "urn:trc-engage:problem:wrong-host")


def test_a_proxy_may_also_cut_the_path_off(tmp_path: Path) -> None:
    """The proxy may also cut off the path, as nginx does if `proxy_pass` ends with a slash."""
    with (
        served(tmp_path, "--root-path", "/points") as address,
        behind_nginx(tmp_path, f"location /points/ {{ proxy_pass http://{address}/; }}") as world,
    ):
        assert_stands_below(world, "/points")


def assert_stands_below(world: httpx.Client, root: str) -> None:
    """Check that the page and everything it links to is served below this path, and members' pages are not."""
    page = read(world.get(f"{root}/?month=all").text)
    assert "Ada" in page.words
    links = [one.attributes["href"] for one in page.all("a") + page.all("link")]
    for href in (one for one in links if one != "#content"):
        assert href.startswith(f"{root}/")
        assert world.get(href).status_code == 200
    (form,) = {one.attributes["action"] for one in page.all("form")}
    (back,) = {one.attributes["value"] for one in page.all("input")}
    chosen = world.post(form, data={"theme": "dark", "back": back})
    assert (chosen.status_code, httpx.URL(chosen.headers["location"]).path) == (303, f"{root}/")
    assert f"Path={root}/" in chosen.headers["set-cookie"]
    assert world.get(f"{root}/members/ada-7").status_code == 404


@pytest.mark.parametrize(
    "options",
    [
        ["--public", "--may-see", "json:loads"],
        ["--root-path", "/points"],
        ["--allow-host", HOST],
        *(["--public", "--root-path", root] for root in ("points", "/points/", "/", "//x", "/a b")),
    ],
    ids=" ".join,
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, options: list[str]) -> None:
    """Options that contradict each other are refused with exit code 2 before anything is served."""
    Operator(tmp_path).call("init")
    ran = Operator(tmp_path).call("web", "--port", "0", *options)
    assert (ran.code, ran.out) == (2, "")
