"""What each visitor may see, and what those who may not see it get instead."""

from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from support.community import Community
from support.visitor import AWARD, AWARDS, BEARER, TOKEN, Visitor, all_of, alone, let_in, problem_of
from trc_engage import Engage, InvalidValue, LedgerBusy
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.aio import AsyncEngage
from trc_engage.core.reports import MemberFacts
from trc_engage.entrypoints.web import Earning, create_app


def sees_ada(_request: Request, member_id: str) -> bool:
    """Let everyone see Ada and no one else."""
    return member_id == "ada"


async def sees_ada_later(request: Request, member_id: str) -> bool:
    """Decide as `sees_ada`, as a coroutine."""
    return sees_ada(request, member_id)


def test_an_app_says_who_may_see_whom_or_does_not_start(community: Community) -> None:
    """An app without `may_see` does not start, unless it runs alone; both together are refused."""
    with pytest.raises(InvalidValue, match="may_see"):
        create_app(community.engage)
    with pytest.raises(InvalidValue, match="may_see"):
        create_app(community.engage, alone=True, may_see=sees_ada)


@pytest.mark.parametrize("token", ["", "short", "x" * 15, "x" * 201, "sixteen letters and spaces", "é" * 16])
def test_a_token_that_is_easily_guessed_is_refused_unseen(community: Community, token: str) -> None:
    """A token that is too short, too long or has spaces or non-ASCII letters is refused without being shown."""
    with pytest.raises(InvalidValue) as caught:
        create_app(community.engage, alone=True, token=token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("may_see", [sees_ada, sees_ada_later])
def test_who_may_not_be_seen_looks_like_somebody_who_is_not_there(community: Community, may_see: Any) -> None:
    """A request for a hidden member is answered as for an unknown one; `may_see` may be a coroutine."""
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
    """When reading, another `Authorization` header of the host's neither grants nor denies anything."""
    visitor = Visitor(
        create_app(community.engage, may_see=sees_ada, token=TOKEN), headers={"Authorization": "Bearer x"}
    )
    assert visitor.get("/api/members/ada").status_code == 200
    assert problem_of(visitor.get("/api/members/bo")) == (404, "unknown-member")


def test_a_hook_that_breaks_shows_nothing(community: Community) -> None:
    """An error in the hook becomes a 500 that shows nothing of it."""

    def broken(_request: Request, _member_id: str) -> bool:
        message = "secret-of-the-host"
        raise RuntimeError(message)

    response = Visitor(create_app(community.engage, may_see=broken)).get("/api/members/ada")
    assert problem_of(response) == (500, "failed")
    assert "secret" not in response.text
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_hook_may_refuse_in_its_own_way(community: Community) -> None:
    """An HTTPException of the hook keeps its status and headers."""

    def signs_in_first(_request: Request, _member_id: str) -> bool:
        raise HTTPException(401, headers={"WWW-Authenticate": "Cookie"})

    response = Visitor(create_app(community.engage, may_see=signs_in_first)).get("/api/members/ada")
    assert problem_of(response) == (401, "refused")
    assert response.headers["www-authenticate"] == "Cookie"


def test_the_status_is_for_admins(community: Community) -> None:
    """In a mounted app the status needs the token or the host's `may_administer`; others get a 404."""

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
    """A site that runs alone refuses other hosts, addresses and proxies even with the token, and writes nothing."""
    app = create_app(community.engage, alone=True, token=TOKEN)
    visitor = Visitor(app, headers={**BEARER, **headers}, address=address, url=url)
    for path in ("/api/members/ada", "/api/openapi.json", "/", "/members/ada"):
        assert problem_of(visitor.get(path)) == (403, "not-on-loopback")
    before = all_of(community.engage)
    assert problem_of(visitor.ask("POST", AWARDS, json=AWARD)) == (403, "not-on-loopback")
    assert before == all_of(community.engage)


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000", "http://127.8.8.8"])
def test_this_machine_has_several_names(community: Community, url: str) -> None:
    """Every loopback name and address of this machine is answered."""
    visitor = let_in(create_app(community.engage, alone=True), url=url, address="::1")
    assert visitor.get("/api/members/ada").status_code == 200


class BusyLedger(MemoryLedger):
    """A store that another process holds."""

    def facts(self, _member_id: str, _today: date, /) -> MemberFacts | None:
        """Raise `LedgerBusy`."""
        message = "somebody holds engage.db"
        raise LedgerBusy(message)


def test_a_busy_store_says_when_to_try_again() -> None:
    """A busy store gives a 503 with a Retry-After header, and no detail of the store."""
    response = alone(Community(BusyLedger()).engage).get("/api/members/ada")
    assert problem_of(response) == (503, "busy")
    assert response.headers["retry-after"] == "1"
    assert "engage.db" not in response.text


def test_a_store_that_failed_says_nothing_of_itself(community: Community, tmp_path: Path) -> None:
    """A failed store gives a 500 that shows nothing of it; the details are for the log."""
    visitor = alone(community.engage)
    assert visitor.get("/api/members/ada").status_code == 200
    (tmp_path / "engage.db").write_bytes(b"no database" * 1_000)
    response = visitor.get("/api/members/bo")
    assert problem_of(response) == (500, "store-failed")
    assert str(tmp_path) not in response.text


MISTAKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a hook that is no function": ({"may_see": True}, "may_see: True: give a function"),
    "a hook that takes no member": ({"may_see": lambda _: True}, "give a function of request and member_id"),
    "a hook of admins that takes nothing": (
        {"alone": True, "may_administer": lambda: True},
        "give a function of request",
    ),
    "two ways of access": ({"alone": True, "public": True}, "but not two of them"),
    "a hook beside public": ({"may_see": sees_ada, "public": True}, "may_see: 'a function': say who may see whom"),
    "one host as a text": ({"alone": True, "hosts": "club.example"}, "hosts: 'club.example': give a list of str"),
    "a number as earnings": ({"alone": True, "earnings": [5]}, "earnings: 5: give a list of Earning"),
    "a number as a token": ({"alone": True, "token": 5}, "token: '(not shown)': give 16 to 200"),
    "the read token again": (
        {"alone": True, "token": [TOKEN], "read_token": TOKEN},
        "read_token: '(not shown)': it must differ from the tokens that may write",
    ),
}


@pytest.mark.parametrize(("options", "says"), MISTAKEN.values(), ids=MISTAKEN)
def test_a_mistaken_option_is_named_when_the_app_is_made(
    community: Community, options: dict[str, Any], says: str
) -> None:
    """An option that cannot work is refused by its name, before the first request."""
    with pytest.raises(InvalidValue) as caught:
        create_app(community.engage, **options)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("what", "points", "says"),
    [("", 5, "what: '': give text"), ("a talk", "5", "points: '5': give a whole"), ("a talk", 0, "points: 0: give a")],
)
def test_a_mistaken_earning_is_refused_when_it_is_made(what: Any, points: Any, says: str) -> None:
    """What earns points has a name and one point or more."""
    with pytest.raises(InvalidValue) as caught:
        Earning(what, points)
    assert says in str(caught.value)


def test_an_app_of_coroutines_is_refused(community: Community) -> None:
    """An app takes an `Engage`; an `AsyncEngage` is refused by name."""
    with pytest.raises(InvalidValue, match=r"^engage: 'AsyncEngage'"):
        create_app(cast("Engage", AsyncEngage(community.engage)), alone=True)
