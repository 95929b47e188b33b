"""All pages: who may see them, where they link, and what they are made of."""

import re
from datetime import date
from functools import cache
from itertools import pairwise
from urllib.parse import urljoin

import httpx
import pytest

from support.community import Community
from support.lives import STAR, half_year
from support.markup import read
from support.pages import PLACE, mounted, shown
from support.visitor import BEARER, EARNINGS, TOKEN, Visitor, alone
from trc_engage import Engage, LedgerBusy, LedgerFailed
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core.reports import MemberFacts

OLDER = re.compile(r"before=\d+")
WHY = re.compile(r"\b(day|entry)=")
"""Hundreds of links ask for these; only one of each is followed."""


@cache
def engage() -> Engage:
    """Return half a year of history, which the tests only read."""
    return half_year()


@pytest.fixture
def community() -> Community:
    """Return a community of Ada and Bo, who have an award each."""
    community = Community()
    community.enroll("ada", "bo")
    community.award("ada", "benchmark:1", points=20)
    community.award("bo", "benchmark:2", points=10)
    return community


def test_the_status_page_tells_what_needs_doing() -> None:
    """The status page shows what needs attention first, then the same facts as the command."""
    page = shown(alone(half_year(fails=True)), "/status")
    assert page.one("h1").words == "Needs attention"
    assert page.one("ol", class_="needs").one("h3").words.endswith("since Thu 2026-03-05 15:00 UTC: outage")
    told = {pair.one("dt").words: pair.one("dd").words for dl in page.all("dl") for pair in dl.all("div")}
    assert told["Failures"].startswith("14 in a row since 2026-03-05 15:00 UTC")
    assert told["Pending days"].startswith("Thu 2026-03-05 waits for a good sync")
    assert {"Last good sync", "Incident", "Wait", "Last slot", "At work", "Next sync", "Members"} <= set(told)
    assert page.all("code")[0].words == "trc-engage sync"


def test_the_status_page_says_that_all_is_well() -> None:
    """If nothing needs attention, the status page says that all is well."""
    page = shown(alone(engage()), "/status")
    assert (page.one("h1").words, page.all("ol")) == ("All is well", [])


def test_only_admins_see_the_status() -> None:
    """Only admins and the token get the status page; for others it does not exist, and no link leads there."""
    visitor = mounted(engage(), lambda *_: True)
    assert shown(visitor, f"{PLACE}/status", 404).one("h1").words == "No such page"
    assert "Status" not in shown(visitor, f"{PLACE}/").one("header", class_="top").words
    admin = mounted(engage(), lambda *_: True, may_administer=lambda request: "admin" in request.query_params)
    assert "Status" in shown(admin, f"{PLACE}/?admin=1").one("header", class_="top").words
    assert shown(admin, f"{PLACE}/status?admin=1").one("h1").words == "All is well"
    bearer = mounted(engage(), lambda *_: False, token=TOKEN)
    assert bearer.get(f"{PLACE}/status", headers=BEARER).status_code == 200


def test_who_may_not_see_a_member_learns_nothing(community: Community) -> None:
    """A hidden member's page equals that of an unknown one, and lists do not link to it."""
    visitor = mounted(community.engage, lambda _, member_id: member_id == "bo")
    hidden, nobody = (visitor.get(f"{PLACE}/members/{name}") for name in ("ada", "eve"))
    assert (hidden.status_code, hidden.text.replace("ada", "eve")) == (404, nobody.text)
    assert shown(visitor, f"{PLACE}/?member=ada", 404).one("h1").words == "No such member"
    links = [link.words for link in shown(visitor, f"{PLACE}/").one("table").all("a")]
    assert links == ["Bo"]
    assert shown(visitor, f"{PLACE}/members?q=a").all("ul", class_="found") == []
    assert visitor.get(f"{PLACE}/members?q=ada").status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/members/nobody", 404, "No such member"),
        ("/members/", 422, "No such member"),
        (f"/members/{'x' * 201}", 422, "No such member"),
        ("/?member=nobody", 404, "No such member"),
        ("/?month=March", 422, "Bad address"),
        ("/?month=0001-01", 422, "Bad address"),
        ("/?month=9999-12", 422, "Bad address"),
        ("/members/ada?before=-1", 422, "Bad address"),
        ("/members/ada?before=x", 422, "Bad address"),
        ("/members/ada?before=" + "9" * 5_000, 422, "Bad address"),
        ("/nowhere", 404, "No such page"),
        ("/static/pages.html", 404, "No such page"),
        ("/static/..%2F__init__.py", 404, "No such page"),
    ],
)
def test_what_cannot_be_shown_is_a_page_too(community: Community, path: str, status: int, title: str) -> None:
    """An error is a page too, which says what is wrong and links back."""
    page = shown(alone(community.engage), path, status)
    assert page.one("h1").words == title
    assert "/" in page.addresses


def test_a_store_in_trouble_is_told_without_its_details() -> None:
    """A busy store gives a 503 with Retry-After and a failed one a 500, both without details."""

    class Troubled(MemoryLedger):
        error: Exception = LedgerBusy("somebody else is at it")

        def facts(self, _member_id: str, _today: date, /) -> MemberFacts | None:
            raise self.error

    visitor = alone(Community(ledger := Troubled()).engage)
    busy = visitor.get("/members/ada")
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
    assert read(busy.text).one("h1").words == "Busy for a moment"
    ledger.error = LedgerFailed("/secret/path: the disk is full")
    failed = visitor.get("/members/ada")
    assert (failed.status_code, "secret" in failed.text) == (500, False)
    assert read(failed.text).one("h1").words == "This page failed"
    assert read(visitor.ask("POST", "/").text).one("h1").words == "That is not possible here"


def test_every_link_of_a_mounted_site_leads_somewhere() -> None:
    """Links followed from the board reach every kind of page, all with 200, and none leaves the mounted path."""
    visitor = mounted(engage(), lambda *_: True, may_administer=lambda _: True, earnings=EARNINGS)
    to_do, seen, asked = [f"{PLACE}/"], set[str](), set[str]()
    while to_do:
        path = to_do.pop()
        if found := WHY.search(path):
            if found[1] in asked:
                continue
            asked.add(found[1])
        if path in seen or path == f"{PLACE}/theme" or (OLDER.search(path) and STAR not in path):
            continue
        seen.add(path)
        response = visitor.get(path)
        assert response.status_code == 200, path
        if response.headers["content-type"].startswith("text/html"):
            led = [urljoin(path, address) for address in read(response.text).addresses]
            assert all(one.startswith((f"{PLACE}/", path)) for one in led)
            to_do += [one.partition("#")[0] for one in led]
    kinds = {path.removeprefix(PLACE).partition("?")[0] for path in seen}
    assert {"/", "/status", "/rules", "/members", f"/members/{STAR}", "/static/pages.css", "/static/mark.svg"} <= kinds


def test_ids_of_any_kind_have_a_page() -> None:
    """An id with slashes, question marks or percent signs has a page, and links to it are encoded."""
    community = Community()
    for member_id in ("a/b", "a?b=c&d#e", "100%", "å b", "a%2Fb", "'\"<>"):
        community.engage.enroll(member_id, name="Somebody")
        community.engage.award(member_id, source="x", points=1, key=f"k:{member_id}", at=community.now)
    visitor = mounted(community.engage, lambda *_: True)
    links = shown(visitor, f"{PLACE}/").one("table").all("a")
    told = [shown(visitor, link.attributes["href"]).one("p", class_="over").words for link in links]
    assert sorted(told) == sorted(f"Member {standing.member_id}" for standing in community.engage.members())


def test_a_page_is_whole_without_a_script() -> None:
    """Pages have no scripts, inline styles or resources from elsewhere, and a policy that forbids them."""
    visitor = alone(half_year(fails=True))
    for path in ("/", "/members?q=a", f"/members/{STAR}", "/status", "/members/nobody"):
        response = visitor.get(path)
        policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["style-src"] == policy["form-action"] == "'self'"
        assert not policy.keys() & {"script-src", "connect-src", "frame-src"}
        assert response.headers["x-content-type-options"] == "nosniff"
        page = read(response.text)
        every = page.all("*")
        assert not {one.tag for one in every} & {"script", "style", "iframe", "object", "base", "template"}
        assert not [name for one in every for name in one.attributes if name == "style" or name.startswith("on")]
        assert all(re.match(r"#|/(?!/)", address) for address in page.addresses)


def test_a_page_can_be_read_aloud() -> None:
    """Pages suit screen readers: language, title, landmarks, ordered headings, and names for tables and fields."""
    visitor = alone(half_year(fails=True))
    for path in ("/", "/members?q=a", f"/members/{STAR}", "/status", "/members/nobody"):
        page = shown(visitor, path, 404 if "nobody" in path else 200)
        assert page.attributes["lang"] == "en"
        assert page.one("head").one("title").words.endswith("– The Revenue Council")
        assert [len(page.all(tag)) for tag in ("main", "h1")] == [1, 1]
        assert page.all("a")[0].attributes["href"] == f"#{page.one('main').attributes['id']}"
        levels = [int(one.tag[1]) for one in page.all("*") if re.fullmatch("h[1-6]", one.tag)]
        assert all(level <= before + 1 for before, level in pairwise(levels))
        assert all(table.all("caption") or "aria-labelledby" in table.attributes for table in page.all("table"))
        ids = [one.attributes["id"] for one in page.all("*") if "id" in one.attributes]
        assert len(ids) == len(set(ids))
        named = {name for one in page.all("*") for name in one.attributes.get("aria-labelledby", "").split()}
        assert {*named, *(one.attributes["for"] for one in page.all("label"))} <= set(ids)


def test_who_holds_a_page_already_is_told_that_it_still_holds(community: Community) -> None:
    """A page's ETag gives a 304 until points change, and another theme is another page."""
    visitor = alone(community.engage)
    tag = visitor.get("/").headers["etag"]
    assert visitor.get("/", headers={"If-None-Match": tag}).status_code == 304
    dark = {"If-None-Match": tag, "Cookie": "trc_engage_theme=dark"}
    assert visitor.get("/", headers=dark).status_code == 200
    community.award("ada", "benchmark:3")
    assert visitor.get("/", headers={"If-None-Match": tag}).status_code == 200


def test_the_stylesheet_is_kept_until_it_changes() -> None:
    """Under its tagged address the stylesheet is immutable; under its bare name it is always revalidated."""
    visitor = alone(engage())
    (address,) = [one for one in shown(visitor, "/").addresses if "pages.css" in one]
    kept, bare = visitor.get(address), visitor.get("/static/pages.css")
    assert (kept.content, kept.headers["content-type"]) == (bare.content, "text/css; charset=utf-8")
    assert "immutable" in kept.headers["cache-control"]
    assert bare.headers["cache-control"] == "no-cache"


def chosen(visitor: Visitor, theme: str, back: str) -> httpx.Response:
    """Choose a theme on a page."""
    return visitor.ask("POST", f"{PLACE}/theme", data={"theme": theme, "back": back})


def test_a_theme_is_remembered() -> None:
    """Choosing a theme sets a cookie for this site only and redirects to the page it was chosen on."""
    visitor = mounted(engage(), lambda *_: True)
    back = f"{PLACE}/?month=all"
    form = shown(visitor, back).one("form", class_="theme")
    assert form.one("input").attributes["value"] == back
    answer = chosen(visitor, "dark", back)
    assert (answer.status_code, answer.headers["location"]) == (303, back)
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(rf"trc_engage_theme=dark; HttpOnly; Max-Age=31536000; Path={PLACE}/; SameSite=lax", cookie)
    dark = visitor.get(back, headers={"Cookie": "trc_engage_theme=dark"})
    assert read(dark.text).attributes["data-theme"] == "dark"
    assert "data-theme" not in shown(visitor, back).attributes
    nonsense = visitor.get(back, headers={"Cookie": 'trc_engage_theme="><script>"'})
    assert "data-theme" not in read(nonsense.text).attributes


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example/", "/elsewhere", f"{PLACE}/\\evil", f"{PLACE}/\r\nX: 1", "", "x" * 9_000],
)
def test_a_theme_leads_nowhere_else(back: str) -> None:
    """Whatever page the form names, the redirect stays on this site."""
    answer = chosen(mounted(engage(), lambda *_: True), "dark", back)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PLACE}/")


def test_a_theme_that_is_none_sets_nothing() -> None:
    """Only `light` and `dark` set a cookie."""
    for sent in ("", "blue", "dark; Path=/"):
        assert "set-cookie" not in chosen(mounted(engage(), lambda *_: True), sent, f"{PLACE}/").headers
