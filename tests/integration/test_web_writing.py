"""Who may write through the API, and how unusable requests are refused."""

import json
from typing import Any

import pytest

from support.community import IDS, Community
from support.visitor import AWARD, AWARDS, BEARER, TOKEN, Visitor, all_of, alone, endless, let_in, problem_of
from trc_engage.entrypoints.web import create_app

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
    """A missing, wrong or oversized token gives a 401 before the body is read, and nothing is written."""
    before = all_of(community.engage)
    response = alone(community.engage).ask(method, path, content=b"x" * 100_000, headers=headers)
    assert problem_of(response) == (401, kind)
    assert response.headers["www-authenticate"].startswith('Bearer realm="trc-engage"')
    assert TOKEN not in response.text
    assert before == all_of(community.engage)


def test_a_token_that_is_there_twice_is_none(community: Community) -> None:
    """Two Authorization headers are refused, since two servers could each go by another one."""
    visitor = alone(community.engage)
    twice = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer another-long-token")]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(name.lower().encode(), value.encode()) for name, value in twice]
        await visitor.app({**scope, "headers": [*scope["headers"], *headers]}, receive, send)

    assert problem_of(Visitor(app, visitor.headers).ask("POST", AWARDS, json=AWARD)) == (401, "token-wrong")


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_site_without_a_token_has_nothing_that_writes(community: Community, method: str, path: str) -> None:
    """A site without a token has no route that writes, and describes none."""
    visitor = let_in(create_app(community.engage, alone=True))
    before = all_of(community.engage)
    status, kind = problem_of(visitor.ask(method, path, json=AWARD, headers=BEARER))
    assert (status, kind) == ((405, "wrong-method") if path == "/api/members/bo" else (404, "unknown-path"))
    assert before == all_of(community.engage)
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
    (json.dumps({**AWARD, "who": "me"}).encode(), {}, 422, "invalid-value"),
    (json.dumps({name: AWARD[name] for name in ("source", "points", "key")}).encode(), {}, 422, "invalid-value"),
]


@pytest.mark.parametrize(("body", "headers", "status", "kind"), BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_body_that_cannot_be_used_changes_nothing(
    community: Community, body: bytes, headers: dict[str, str], status: int, kind: str
) -> None:
    """A body that cannot be used is refused with its problem, and with the field if a value is wrong."""
    before = all_of(community.engage)
    headers = {**BEARER, "Content-Type": "application/json", **headers}
    response = alone(community.engage).ask("POST", AWARDS, content=body, headers=headers)
    assert problem_of(response) == (status, kind)
    assert ("field" in response.json()) is (status == 422)
    assert before == all_of(community.engage)


def test_an_endless_body_is_not_read_to_its_end(community: Community) -> None:
    """A body without an end is refused at the size limit, and the connection is closed."""
    headers = {**BEARER, "Content-Type": "application/json"}
    response = alone(community.engage).ask("POST", AWARDS, content=endless(1_000_000), headers=headers)
    assert problem_of(response) == (413, "too-large")
    assert response.headers["connection"] == "close"


def test_a_whole_number_may_have_a_point(community: Community) -> None:
    """In JSON 5.0 is the integer 5."""
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
    """With the token too, a refused request gives its problem and changes nothing."""
    before = all_of(community.engage)
    # `%2F` and a lone surrogate must arrive unchanged.
    content = None if body is None else json.dumps(body)
    headers = {**BEARER, "Content-Type": "application/json"}
    response = alone(community.engage).ask(method, f"/api/{path}", content=content, headers=headers)
    assert problem_of(response) == (status, kind)
    assert (status == 405) is ("allow" in response.headers)
    assert before == all_of(community.engage)


def test_an_award_taken_back_cannot_be_awarded_again(community: Community) -> None:
    """The key of a reversed award cannot be used again."""
    visitor = alone(community.engage)
    assert visitor.ask("POST", AWARDS, json=AWARD, headers=BEARER).status_code == 201
    back = {"key": "k", "reason": "withdrawn", "by": "admin-7"}
    assert visitor.ask("POST", "/api/reversals", json=back, headers=BEARER).status_code == 201
    assert problem_of(visitor.ask("POST", AWARDS, json=AWARD, headers=BEARER)) == (409, "reversed")


def test_who_has_no_link_cannot_leave(community: Community) -> None:
    """A leave of a member without a Discord account is refused."""
    community.engage.enroll("cy")
    response = alone(community.engage).ask("POST", "/api/members/cy/leave", headers=BEARER)
    assert problem_of(response) == (409, "not-linked")
