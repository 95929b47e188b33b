"""Who may see and write what, and what everybody else is told."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from community import IDS, Community, opened
from trc_engage import InvalidValue, LedgerBusy
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core.views import MemberFacts
from trc_engage.entrypoints.web import create_app
from visitor import BEARER, TOKEN, Visitor, alone, endless, problem_of

AWARD = {"source": "benchmark", "points": 5, "key": "k", "at": "2026-03-02T09:00:00Z"}
AWARDS = "/api/members/bo/awards"
WRITES = [
    ("PUT", "/api/members/bo"),
    ("PUT", "/api/members/bo/link"),
    ("DELETE", "/api/members/bo/link"),
    ("POST", "/api/members/bo/leave"),
    ("POST", "/api/members/bo/rejoin"),
    ("POST", AWARDS),
    ("POST", "/api/members/bo/adjustments"),
    ("POST", "/api/reversals"),
]


@pytest.fixture
def community(tmp_path: Path) -> Iterator[Community]:
    """Ada and Bo, on a ledger in a file."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.sync(ada=1_000, bo=1_000)
        community.award("ada", "benchmark:1")
        yield community


def all_of(community: Community) -> str:
    """Return all that could have changed."""
    return f"{community.engage.feed()} {community.engage.members()}"


def sees_ada(_request: Request, member_id: str) -> bool:
    """Let everybody see Ada, and nobody else."""
    return member_id == "ada"


async def sees_ada_later(request: Request, member_id: str) -> bool:
    """Say the same, as a coroutine."""
    return sees_ada(request, member_id)


REFUSED_TOKENS: list[tuple[dict[str, str], str]] = [
    ({}, "token-missing"),
    ({"Authorization": ""}, "token-wrong"),
    ({"Authorization": "Bearer"}, "token-wrong"),
    ({"Authorization": "Bearer wrong-but-long-enough"}, "token-wrong"),
    ({"Authorization": f"Bearer {TOKEN}x"}, "token-wrong"),
    ({"Authorization": f"Bearer {TOKEN[:-1]}"}, "token-wrong"),
    ({"Authorization": f"Basic {TOKEN}"}, "token-wrong"),
    ({"Authorization": f"Bearer {TOKEN} {TOKEN}"}, "token-wrong"),
    ({"Authorization": f"Bearer {'x' * 100_000}"}, "token-wrong"),
    ({"Authorization": f"Bearer {TOKEN}{' ' * 2_000}"}, "token-wrong"),
]


@pytest.mark.parametrize(("headers", "kind"), REFUSED_TOKENS)
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_without_the_token_nothing_is_written(
    community: Community, method: str, path: str, headers: dict[str, str], kind: str
) -> None:
    """Missing, wrong or over-long: 401, before the body is even looked at."""
    before = all_of(community)
    response = alone(community.engage).ask(method, path, content=b"x" * 100_000, headers=headers)
    assert problem_of(response) == (401, kind)
    assert response.headers["www-authenticate"].startswith('Bearer realm="trc-engage"')
    assert TOKEN not in response.text
    assert before == all_of(community)


def test_a_token_that_is_there_twice_is_none(community: Community) -> None:
    """Two servers that each read another one of two headers would disagree."""
    visitor = alone(community.engage)
    twice = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer another-long-token")]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(name.lower().encode(), value.encode()) for name, value in twice]
        await visitor.app({**scope, "headers": [*scope["headers"], *headers]}, receive, send)

    assert problem_of(Visitor(app).ask("POST", AWARDS, json=AWARD)) == (401, "token-wrong")


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_site_without_a_token_has_nothing_that_writes(community: Community, method: str, path: str) -> None:
    """Not even an address at which it would be refused."""
    visitor = Visitor(create_app(community.engage, alone=True))
    before = all_of(community)
    status, kind = problem_of(visitor.ask(method, path, json=AWARD, headers=BEARER))
    assert (status, kind) == ((405, "wrong-method") if path == "/api/members/bo" else (404, "unknown-path"))
    assert before == all_of(community)
    paths = visitor.told("/api/openapi.json")["paths"]
    assert all(set(path) <= {"get", "parameters"} for path in paths.values())


BAD_BODIES: list[tuple[bytes, dict[str, str], int, str]] = [
    (b"", {}, 400, "bad-request"),
    (b"{", {}, 400, "bad-request"),
    (b'{"points": NaN}', {}, 400, "bad-request"),
    (b'{"points": 1, "points": 2}', {}, 400, "bad-request"),
    (b'{"points": ' + b"9" * 5_000 + b"}", {}, 400, "bad-request"),
    (b"[" * 30_000, {}, 400, "bad-request"),
    (b'"\xff"', {}, 400, "bad-request"),
    (json.dumps(AWARD).encode("utf-16"), {}, 400, "bad-request"),
    (b"[]", {}, 422, "invalid-value"),
    (b"null", {}, 422, "invalid-value"),
    (json.dumps(AWARD).encode() + b" " * 70_000, {}, 413, "too-large"),
    (json.dumps(AWARD).encode(), {"Content-Type": "text/plain"}, 415, "wrong-media-type"),
    (json.dumps(AWARD).encode(), {"Content-Type": "application/x-www-form-urlencoded"}, 415, "wrong-media-type"),
    (json.dumps({**AWARD, "points": 0}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "points": 1.5}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "points": "5"}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "points": True}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "points": 1e300}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "key": ""}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "key": "\ud800"}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "source": "Discord"}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "at": "2026-03-02T09:00:00"}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "at": "2026-02-30T09:00:00Z"}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "at": "2999-01-01T00:00:00Z"}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "at": 1_772_442_000}).encode(), {}, 422, "invalid-value"),
    (json.dumps({**AWARD, "by": "me"}).encode(), {}, 422, "invalid-value"),
    (json.dumps({name: AWARD[name] for name in ("source", "points", "key")}).encode(), {}, 422, "invalid-value"),
]


@pytest.mark.parametrize(("body", "headers", "status", "kind"), BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_body_that_cannot_be_used_changes_nothing(
    community: Community, body: bytes, headers: dict[str, str], status: int, kind: str
) -> None:
    """It is told what is wrong with it, and which field."""
    before = all_of(community)
    headers = {**BEARER, "Content-Type": "application/json", **headers}
    response = alone(community.engage).ask("POST", AWARDS, content=body, headers=headers)
    assert problem_of(response) == (status, kind)
    assert ("field" in response.json()) is (status == 422)
    assert before == all_of(community)


def test_an_endless_body_is_not_read_to_its_end(community: Community) -> None:
    """Whatever its head told, or did not tell, of its length."""
    headers = {**BEARER, "Content-Type": "application/json"}
    response = alone(community.engage).ask("POST", AWARDS, content=endless(1_000_000), headers=headers)
    assert problem_of(response) == (413, "too-large")
    assert response.headers["connection"] == "close"


def test_a_whole_number_may_have_a_point(community: Community) -> None:
    """In JSON 5.0 is 5."""
    body = json.dumps({**AWARD, "points": 5.0})
    headers = {**BEARER, "Content-Type": "application/json; charset=utf-8"}
    response = alone(community.engage).ask("POST", AWARDS, content=body, headers=headers)
    assert (response.status_code, response.json()["entry"]["points"]) == (201, 5)


REFUSED: list[tuple[str, str, Any, int, str]] = [
    ("GET", "members/nobody", None, 404, "unknown-member"),
    ("GET", "members/nobody/history", None, 404, "unknown-member"),
    ("GET", "members/nobody/calendar", None, 404, "unknown-member"),
    ("GET", "leaderboard?member=nobody", None, 404, "unknown-member"),
    ("GET", f"members/{'x' * 201}", None, 422, "invalid-value"),
    ("GET", "members/%00", None, 422, "invalid-value"),
    ("GET", "members/%20", None, 422, "invalid-value"),
    ("GET", "members/a%2Fb", None, 404, "unknown-path"),
    ("GET", "members/ada/", None, 404, "unknown-path"),
    ("GET", "members/ada/nonsense", None, 404, "unknown-path"),
    ("GET", "nonsense", None, 404, "unknown-path"),
    ("GET", "", None, 404, "unknown-path"),
    ("GET", "members/ada/history?before=x", None, 422, "invalid-value"),
    ("GET", "members/ada/history?before=-1", None, 422, "invalid-value"),
    ("GET", "members/ada/history?before=1_0", None, 422, "invalid-value"),
    ("GET", "members/ada/history?before=%D9%A3", None, 422, "invalid-value"),
    ("GET", f"members/ada/history?before={2**63}", None, 422, "invalid-value"),
    ("GET", f"members/ada/history?before={'9' * 5_000}", None, 422, "invalid-value"),
    ("GET", "members/ada/history?before=", None, 422, "invalid-value"),
    ("GET", "members/ada/history?before=1&before=2", None, 422, "invalid-value"),
    ("GET", "members/ada/history?limit=0", None, 422, "invalid-value"),
    ("GET", "members/ada/history?limit=501", None, 422, "invalid-value"),
    ("GET", "members/ada/history?source=", None, 422, "invalid-value"),
    ("GET", f"members/ada/history?source={'x' * 51}", None, 422, "invalid-value"),
    ("GET", "members/ada/calendar?first=2026-02-30", None, 422, "invalid-value"),
    ("GET", "members/ada/calendar?first=20260301", None, 422, "invalid-value"),
    ("GET", "members/ada/calendar?first=2026-03-02&last=2026-03-01", None, 422, "invalid-value"),
    ("GET", "members/ada/calendar?first=2000-01-01", None, 422, "invalid-value"),
    ("GET", "leaderboard?month=2026-13", None, 422, "invalid-value"),
    ("GET", "leaderboard?month=2026-3", None, 422, "invalid-value"),
    ("GET", "leaderboard?limit=101", None, 422, "invalid-value"),
    ("GET", "feed?after=-1", None, 422, "invalid-value"),
    ("GET", "feed?limit=501", None, 422, "invalid-value"),
    ("POST", "leaderboard", None, 405, "wrong-method"),
    ("DELETE", "members/ada", None, 405, "wrong-method"),
    ("OPTIONS", "feed", None, 405, "wrong-method"),
    ("GET", "reversals", None, 405, "wrong-method"),
    ("TRACE", "status", None, 405, "wrong-method"),
    ("POST", "members/nobody/awards", AWARD, 404, "unknown-member"),
    ("POST", "members/nobody/leave", None, 404, "unknown-member"),
    ("POST", "reversals", {"key": "none", "reason": "r", "by": "b"}, 404, "unknown-award"),
    ("POST", "members/bo/awards", {**AWARD, "key": "benchmark:1"}, 409, "key-reused"),
    ("PUT", "members/bo/link", {"discord_id": IDS["ada"]}, 409, "link-taken"),
    ("PUT", "members/bo/link", {"discord_id": "x"}, 422, "invalid-value"),
    ("PUT", "members/new", {"name": "x\x00y"}, 422, "invalid-value"),
    ("PUT", "members/new", {"name": "\ud800"}, 422, "invalid-value"),
    ("PUT", "members/new", {"name": "x" * 4_001}, 422, "invalid-value"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "kind"), REFUSED)
def test_what_is_refused_is_told_why_and_changes_nothing(
    community: Community, method: str, path: str, body: Any, status: int, kind: str
) -> None:
    """Even to whoever bears the token."""
    before = all_of(community)
    # `%2F` and a lone surrogate are to arrive as they are.
    content = None if body is None else json.dumps(body)
    headers = {**BEARER, "Content-Type": "application/json"}
    response = alone(community.engage).ask(method, f"/api/{path}", content=content, headers=headers)
    assert problem_of(response) == (status, kind)
    assert (status == 405) is ("allow" in response.headers)
    assert before == all_of(community)


def test_an_award_taken_back_cannot_be_awarded_again(community: Community) -> None:
    """Its key is used up."""
    visitor = alone(community.engage)
    assert visitor.ask("POST", AWARDS, json=AWARD, headers=BEARER).status_code == 201
    back = {"key": "k", "reason": "withdrawn", "by": "admin-7"}
    assert visitor.ask("POST", "/api/reversals", json=back, headers=BEARER).status_code == 201
    assert problem_of(visitor.ask("POST", AWARDS, json=AWARD, headers=BEARER)) == (409, "reversed")


def test_who_has_no_link_cannot_leave(community: Community) -> None:
    """There is nothing to note."""
    community.engage.enroll("cy")
    response = alone(community.engage).ask("POST", "/api/members/cy/leave", headers=BEARER)
    assert problem_of(response) == (409, "not-linked")


def test_an_app_says_who_may_see_whom_or_does_not_start(community: Community) -> None:
    """There is no default by which somebody sees what he should not; alone and mounted exclude each other."""
    with pytest.raises(InvalidValue, match="may_see"):
        create_app(community.engage)
    with pytest.raises(InvalidValue, match="may_see"):
        create_app(community.engage, alone=True, may_see=sees_ada)


@pytest.mark.parametrize("token", ["", "short", "x" * 15, "x" * 201, "sixteen letters and spaces", "é" * 16])
def test_a_token_that_is_easily_guessed_is_refused_unseen(community: Community, token: str) -> None:
    """Before the app is made."""
    with pytest.raises(InvalidValue) as caught:
        create_app(community.engage, alone=True, token=token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("may_see", [sees_ada, sees_ada_later])
def test_who_may_not_be_seen_looks_like_somebody_who_is_not_there(community: Community, may_see: Any) -> None:
    """In status, headers and text, whichever way one asks; the host's function may be a coroutine."""
    community.award("bo", "benchmark:bo")
    visitor = Visitor(create_app(community.engage, may_see=may_see, token=TOKEN))
    for what in ("members/{}", "members/{}/history", "members/{}/calendar", "leaderboard?member={}"):
        assert visitor.get(f"/api/{what.format('ada')}").status_code == 200
        hidden, missing = (visitor.get(f"/api/{what.format(name)}") for name in ("bo", "no"))
        assert problem_of(hidden) == (404, "unknown-member")
        assert hidden.text.replace("'bo'", "'no'") == missing.text
        assert hidden.headers == missing.headers
        assert visitor.get(f"/api/{what.format('bo')}", headers=BEARER).status_code == 200
    assert {entry["member_id"] for entry in visitor.told("/api/feed")["entries"]} == {"ada"}
    assert {entry["member_id"] for entry in visitor.told("/api/feed", headers=BEARER)["entries"]} == {"ada", "bo"}


def test_a_foreign_authorization_is_none_of_our_business_when_reading(community: Community) -> None:
    """The host may have its own, which neither opens nor closes anything here."""
    visitor = Visitor(
        create_app(community.engage, may_see=sees_ada, token=TOKEN), headers={"Authorization": "Bearer x"}
    )
    assert visitor.get("/api/members/ada").status_code == 200
    assert problem_of(visitor.get("/api/members/bo")) == (404, "unknown-member")


def test_a_hook_that_breaks_shows_nothing(community: Community) -> None:
    """Its error is the server's to log, not the visitor's to read."""

    def broken(_request: Request, _member_id: str) -> bool:
        message = "secret-of-the-host"
        raise RuntimeError(message)

    response = Visitor(create_app(community.engage, may_see=broken)).get("/api/members/ada")
    assert problem_of(response) == (500, "failed")
    assert "secret" not in response.text
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_hook_may_refuse_in_its_own_way(community: Community) -> None:
    """With the status and the headers that the host gives."""

    def signs_in_first(_request: Request, _member_id: str) -> bool:
        raise HTTPException(401, headers={"WWW-Authenticate": "Cookie"})

    response = Visitor(create_app(community.engage, may_see=signs_in_first)).get("/api/members/ada")
    assert problem_of(response) == (401, "refused")
    assert response.headers["www-authenticate"] == "Cookie"


def test_the_status_is_for_admins(community: Community) -> None:
    """Mounted, it is there for whom the host calls an admin, and for whoever bears the token."""

    async def is_admin(request: Request) -> bool:
        return request.headers.get("x-admin") == "yes"

    for hook, headers, status in (
        (None, {}, 404),
        (None, BEARER, 200),
        (is_admin, {}, 404),
        (is_admin, {"X-Admin": "yes"}, 200),
    ):
        app = create_app(community.engage, may_see=sees_ada, may_administer=hook, token=TOKEN)
        assert Visitor(app).get("/api/status", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("url", "address", "headers"),
    [
        ("http://engage.example", "127.0.0.1", {}),
        ("http://127.0.0.1.nip.io:8000", "127.0.0.1", {}),
        ("http://localhost.evil.example", "127.0.0.1", {}),
        ("http://192.168.0.7:8000", "127.0.0.1", {}),
        ("http://127.0.0.1:8000", "192.168.0.9", {}),
        ("http://127.0.0.1:8000", "not an address", {}),
        ("http://127.0.0.1:8000", "127.0.0.1", {"Host": ""}),
        ("http://127.0.0.1:8000", "127.0.0.1", {"Host": "evil@127.0.0.1"}),
        ("http://127.0.0.1:8000", "127.0.0.1", {"X-Forwarded-For": "203.0.113.5"}),
    ],
)
def test_a_site_that_runs_alone_answers_its_own_machine_only(
    community: Community, url: str, address: str, headers: dict[str, str]
) -> None:
    """A page elsewhere cannot have its own name lead here; nor does the token help."""
    app = create_app(community.engage, alone=True, token=TOKEN)
    visitor = Visitor(app, headers={**BEARER, **headers}, address=address, url=url)
    for path in ("/api/members/ada", "/api/openapi.json", "/", "/members/ada"):
        assert problem_of(visitor.get(path)) == (403, "not-on-loopback")
    before = all_of(community)
    assert problem_of(visitor.ask("POST", AWARDS, json=AWARD)) == (403, "not-on-loopback")
    assert before == all_of(community)


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000", "http://127.8.8.8"])
def test_this_machine_has_several_names(community: Community, url: str) -> None:
    """All of which lead to itself."""
    visitor = Visitor(create_app(community.engage, alone=True), url=url, address="::1")
    assert visitor.get("/api/members/ada").status_code == 200


class BusyLedger(MemoryLedger):
    """A store that somebody else holds."""

    def facts(self, _member_id: str, _today: date, /) -> MemberFacts | None:
        """Tell so."""
        message = "somebody holds engage.db"
        raise LedgerBusy(message)


def test_a_busy_store_says_when_to_try_again() -> None:
    """So that a program need not guess."""
    response = alone(Community(BusyLedger()).engage).get("/api/members/ada")
    assert problem_of(response) == (503, "busy")
    assert response.headers["retry-after"] == "1"
    assert "engage.db" not in response.text


def test_a_store_that_failed_says_nothing_of_itself(community: Community, tmp_path: Path) -> None:
    """What is wrong with it is for the log."""
    visitor = alone(community.engage)
    assert visitor.get("/api/members/ada").status_code == 200
    (tmp_path / "engage.db").write_bytes(b"no database" * 1_000)
    response = visitor.get("/api/members/bo")
    assert problem_of(response) == (500, "store-failed")
    assert str(tmp_path) not in response.text
