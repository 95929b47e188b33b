"""The API for other front ends: replaceable tokens, lists, long polling of the feed, and its description."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from support.community import IDS, Community
from support.lives import half_year
from support.markup import read
from support.visitor import AWARD, AWARDS, BEARER, TOKEN, URN, Visitor, alone, problem_of
from trc_engage import InvalidValue
from trc_engage.entrypoints.web import Brand, create_app
from trc_engage.entrypoints.web.access import WAITING_MAX

NEXT, READ = "the-next-token-of-the-site", "a-token-that-only-reads"
SOON = 10
"""Seconds; what is awaited comes at once, so this only ends a test that fails."""


@pytest.fixture
def community() -> Community:
    """Return a community of Ada and Bo, who have an award each."""
    community = Community()
    community.enroll("ada", "bo")
    community.award("ada", "benchmark:1")
    community.award("bo", "benchmark:2")
    return community


def bearer(token: str) -> dict[str, str]:
    """Return the header that sends a token."""
    return {"Authorization": f"Bearer {token}"}


def nobody(_request: Request, _member_id: str) -> bool:
    """Show no member to anyone."""
    return False


def test_two_tokens_hold_while_one_replaces_the_other(community: Community) -> None:
    """With two tokens set, both can write, and any other is refused."""
    visitor = Visitor(create_app(community.engage, may_see=nobody, token=[TOKEN, NEXT]))
    for number, token in enumerate((TOKEN, NEXT)):
        answer = visitor.ask("POST", AWARDS, json={**AWARD, "key": f"k:{number}"}, headers=bearer(token))
        assert answer.status_code == 201
    assert problem_of(visitor.ask("POST", AWARDS, json=AWARD, headers=bearer(READ))) == (401, "token-wrong")


def test_a_token_may_be_for_reading_alone(community: Community) -> None:
    """A read token sees what the token sees and writes nothing; a site with a read token alone has no writing route."""
    visitor = Visitor(create_app(community.engage, may_see=nobody, token=TOKEN, read_token=READ))
    for path in ("/api/members/ada", "/api/feed", "/api/status", "/api/members"):
        assert visitor.told(path, headers=bearer(READ)) == visitor.told(path, headers=BEARER)
    refused = visitor.ask("POST", AWARDS, json=AWARD, headers=bearer(READ))
    assert problem_of(refused) == (403, "token-reads-only")
    alone_to_read = Visitor(create_app(community.engage, may_see=nobody, read_token=READ))
    assert len(alone_to_read.told("/api/feed", headers=bearer(READ))["entries"]) == len(community.engage.feed())
    assert problem_of(alone_to_read.ask("POST", AWARDS, json=AWARD, headers=bearer(READ))) == (404, "unknown-path")


@pytest.mark.parametrize(
    ("options", "field"),
    [({"token": [TOKEN, "short"]}, "token"), ({"read_token": "short"}, "read_token"), ({"read_token": TOKEN}, "read_")],
)
def test_tokens_are_checked_unseen(community: Community, options: dict[str, Any], field: str) -> None:
    """A token that is too short, or a read token equal to the token, is refused without being shown."""
    with pytest.raises(InvalidValue, match=field) as caught:
        create_app(community.engage, alone=True, **{"token": TOKEN, **options})
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("is_later", [False, True])
def test_one_call_says_who_of_a_list_may_be_seen(community: Community, is_later: bool) -> None:
    """`may_see_many` is asked once for a page of the feed or the board; `may_see` still decides on a single member."""
    asked: list[Sequence[str]] = []

    def may_see_many(_request: Request, member_ids: Sequence[str]) -> Iterable[str]:
        asked.append(list(member_ids))
        return {"bo", "somebody else"}

    async def may_see_many_later(request: Request, member_ids: Sequence[str]) -> Iterable[str]:
        return may_see_many(request, member_ids)

    hook = may_see_many_later if is_later else may_see_many
    visitor = Visitor(create_app(community.engage, may_see=nobody, may_see_many=hook))
    assert {entry["member_id"] for entry in visitor.told("/api/feed")["entries"]} == {"bo"}
    assert asked == [["ada", "bo"]]
    links = read(visitor.get("/").text).one("table").all("a")
    assert [link.words for link in links] == ["Bo"]
    assert problem_of(visitor.get("/api/members/bo")) == (404, "unknown-member")


def test_members_are_listed_for_admins_page_by_page() -> None:
    """Admins get members page by page with their account's status, by which they can be picked, and no Discord id."""
    community = Community()
    community.enroll("ada", "bo", "cy")
    community.engage.enroll("dee", name="Dee")
    community.sync(ada=500, bo=500)
    community.engage.leave("bo")
    community.engage.hide("ada")
    visitor = alone(community.engage)
    first = visitor.told("/api/members?limit=3")
    assert [(one["member_id"], one["hidden"]) for one in first["members"]] == [
        ("ada", True),
        ("bo", False),
        ("cy", False),
    ]
    assert visitor.told(f"/api/members?after={first['next_after']}")["members"] == [
        {"member_id": "dee", "name": "Dee", "points": 0, "discord": None, "hidden": False, "forgotten": False}
    ]
    for status, expected in (("left", ["bo"]), ("none", ["dee"]), ("tracked", ["ada", "cy"])):
        page = visitor.told(f"/api/members?status={status}")
        assert ([one["member_id"] for one in page["members"]], page["next_after"]) == (expected, None)
    assert problem_of(visitor.get("/api/members?status=gone")) == (422, "invalid-value")
    assert not any(discord_id in visitor.get("/api/members").text for discord_id in IDS.values())
    stranger = Visitor(create_app(community.engage, may_see=lambda *_: True))
    assert problem_of(stranger.get("/api/members")) == (404, "unknown-path")


def test_a_member_is_hidden_shown_and_forgotten(community: Community) -> None:
    """Hiding, showing and forgetting a member each work once, and are `unchanged` when sent again."""
    visitor = alone(community.engage)
    for deed, outcome in (("hide", "hidden"), ("show", "shown"), ("forget", "forgotten")):
        for expected in (outcome, "unchanged"):
            answer = visitor.ask("POST", f"/api/members/ada/{deed}", headers=BEARER)
            assert (answer.status_code, answer.json()["outcome"]) == (200, expected)
    assert visitor.told("/api/members/ada")["name"] is None


def test_everything_the_description_names_can_be_named_in_a_client(community: Community) -> None:
    """Bodies, kinds, marks and outcomes have named schemas, and a problem's schema lists its types."""
    schemas = alone(community.engage).told("/api/openapi.json")["components"]["schemas"]
    named = {"AwardBody", "EnrollBody", "EntryKind", "AccountStatus", "Mark", "EnrollmentOutcome", "ReceiptOutcome"}
    assert named <= set(schemas)
    problem = schemas["Problem"]
    assert {f"{URN}unknown-member", f"{URN}token-reads-only"} <= set(problem["properties"]["type"]["enum"])
    assert "field" in problem["properties"]


def test_a_site_has_its_own_title_and_colours() -> None:
    """A brand's title is in a page's title and head, and its color in the stylesheet to which the page links."""
    engage = half_year()
    brand = Brand(title="Chess & Co.", color="#7a1f5c", color_dark="#f0a8d8")
    branded, plain = Visitor(create_app(engage, may_see=lambda *_: True, brand=brand)), alone(engage)
    page = read(branded.get("/").text)
    assert page.one("title").words.endswith("– Chess & Co.")
    assert page.one("a", class_="house").words == "Chess & Co."
    (address,) = [one for one in page.addresses if "pages.css" in one]
    assert "--brand:#7a1f5c" in branded.get(address).text
    assert "--brand:#" not in plain.get(address).text


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"color": "green"}, "a color such as"),
        ({"color": "#ffee00"}, "contrast"),
        ({"color_dark": "#000000"}, "contrast"),
        ({"title": " "}, "title"),
    ],
)
def test_a_brand_that_nobody_could_read_is_refused(given: dict[str, str], why: str) -> None:
    """A brand without a title, or with a color that is malformed or has too little contrast, is refused."""
    with pytest.raises(InvalidValue, match=why):
        Brand(**given)


class Following:
    """Clients that follow the feed of one app, on one event loop."""

    def __init__(self, community: Community) -> None:
        self.calls = 0
        self.app = create_app(community.engage, may_see=lambda *_: True)
        self.newest = community.engage.feed()[-1].position
        feed = community.engage.feed

        def counted(**which: int) -> Any:
            self.calls += 1
            return feed(**which)

        community.engage.feed = counted  # type: ignore[method-assign]

    async def ask(self, wait: int, after: int | None = None) -> httpx.Response:
        """Ask for what comes after the newest entry, or after another one."""
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            after = self.newest if after is None else after
            return await client.get(f"/api/feed?after={after}&wait={wait}", timeout=60)

    async def wait_until_all_wait(self, number: int) -> None:
        """Return once this many clients wait."""
        while len(self.app.state.site.feed_watch.waiting) < number:
            await asyncio.sleep(0.01)


def test_the_feed_answers_as_soon_as_there_is_something_new(community: Community) -> None:
    """Fifty clients that wait get a new entry at once, and share the few calls by which the store is checked for it."""
    following = Following(community)

    async def follow() -> list[httpx.Response]:
        waiting = [asyncio.ensure_future(following.ask(20)) for _ in range(50)]
        await following.wait_until_all_wait(50)
        before = following.calls
        while following.calls - before < 3:
            await asyncio.sleep(0.01)
        assert following.calls - before < 10
        await asyncio.to_thread(community.award, "ada", "benchmark:new")
        return await asyncio.wait_for(asyncio.gather(*waiting), SOON)

    for answer in asyncio.run(follow()):
        assert [entry["key"] for entry in answer.json()["entries"]] == ["benchmark:new"]


def test_a_wait_ends_with_nothing_new(community: Community) -> None:
    """A wait without news ends with the same cursor, and a client ahead of the ledger does not delay the others."""
    following = Following(community)
    answer = asyncio.run(following.ask(1))
    assert answer.json() == {"entries": [], "after": following.newest, "more": False}

    async def follow() -> httpx.Response:
        ahead = asyncio.ensure_future(following.ask(20, after=10**9))
        behind = asyncio.ensure_future(following.ask(20))
        await following.wait_until_all_wait(2)
        await asyncio.to_thread(community.award, "ada", "benchmark:new")
        answer = await asyncio.wait_for(behind, SOON)
        ahead.cancel()
        return answer

    assert len(asyncio.run(follow()).json()["entries"]) == 1


def test_so_many_may_wait_and_no_more(community: Community) -> None:
    """Beyond the maximum of waiting clients, a 503 says when to retry; a request without a wait is still answered."""
    following = Following(community)

    async def follow() -> tuple[httpx.Response, httpx.Response]:
        waiting = [asyncio.ensure_future(following.ask(20)) for _ in range(WAITING_MAX)]
        await following.wait_until_all_wait(WAITING_MAX)
        answers = await following.ask(20), await following.ask(0)
        following.app.state.site.feed_watch.close()
        await asyncio.wait_for(asyncio.gather(*waiting), SOON)
        return answers

    refused, answered = asyncio.run(follow())
    assert (problem_of(refused), refused.headers["retry-after"]) == ((503, "too-many-waiting"), "5")
    assert answered.status_code == 200


def test_nobody_is_waited_for_who_has_gone(community: Community) -> None:
    """A client that hangs up is no longer waited for."""
    following = Following(community)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/feed",
        "query_string": f"after={following.newest}&wait=30".encode(),
        "headers": [],
        "client": ("127.0.0.1", 1),
    }

    async def hang_up() -> None:
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(_message: Any) -> None:
            """Send to no one."""

        asking = asyncio.ensure_future(following.app(scope, receive, send))
        await following.wait_until_all_wait(1)
        gone.set()
        await asyncio.wait_for(asking, SOON)
        assert following.app.state.site.feed_watch.waiting == []

    asyncio.run(hang_up())


def test_days_are_excused_for_all_and_for_one(community: Community) -> None:
    """Days are excused for all members or one, listed for admins with reason and note, and can be required again."""
    visitor = alone(community.engage)
    by = {"reason": "Christmas", "by": "admin-7"}
    ill = {"days": ["2026-03-03", "2026-03-04"], "reason": "ill", "by": "admin-7", "member_id": "ada", "note": "called"}
    for path, body, outcome in (
        ("excusals", {**by, "days": ["2026-12-25"]}, "excused"),
        ("excusals", ill, "excused"),
        ("excusals", ill, "unchanged"),
        ("excusals/undo", {"days": ["2026-03-04"], "by": "admin-7", "member_id": "ada"}, "required"),
    ):
        answer = visitor.ask("POST", f"/api/{path}", json=body, headers=BEARER)
        assert (answer.status_code, answer.json()["outcome"]) == (200, outcome), answer.text
    told = visitor.told("/api/excusals")["excusals"]
    assert [(one["day"], one["member_id"], one["reason"], one["note"]) for one in told] == [
        ("2026-03-03", "ada", "ill", "called"),
        ("2026-12-25", None, "Christmas", None),
    ]
    for days in ("2026-12-25", [], ["2026-12-26"], ["Friday"], [7], [None]):
        answer = visitor.ask("POST", "/api/excusals", json={**by, "days": days}, headers=BEARER)
        assert problem_of(answer) == (422, "invalid-value")
    stranger = {**by, "days": ["2026-12-24"], "member_id": "nobody"}
    assert problem_of(visitor.ask("POST", "/api/excusals", json=stranger, headers=BEARER)) == (404, "unknown-member")
