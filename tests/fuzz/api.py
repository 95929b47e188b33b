"""Requests to the API: each is answered, or refused with a machine-readable problem and without changing anything."""

import asyncio
import json
from collections.abc import Callable
from functools import cache
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote_to_bytes

from attrs import define, field, frozen

from support.community import Community
from support.visitor import TOKEN
from trc_engage import Engage
from trc_engage.entrypoints.web import create_app
from trc_engage.entrypoints.web.endpoints import BYTES_MAX
from trc_engage.entrypoints.wire.problems import KINDS, MEDIA_TYPE, TYPE

from .begun import copied
from .oracle import Target, claim

BETWEEN_REQUESTS = b"\n---\n"
REQUESTS_MAX = 6
STATUSES = {status for status, _ in KINDS.values() if status < 500}
ADDRESS = ("127.0.0.1", 50_000)


@frozen
class Site:
    """An app, and the community behind it."""

    community: Community
    app: Any
    runner: asyncio.Runner = field(factory=asyncio.Runner)


@cache
def site() -> Site:
    """Return the one app; each input begins with a ledger of its own."""
    community = Community()
    engage = Engage(ledger=community.ledger, clock=lambda: community.now, allow_event_loop=True)
    return Site(community, create_app(engage, may_see=lambda *_: True, token=TOKEN))


def begun() -> Community:
    """Return a community of two, one of whom has an award."""
    community = Community()
    community.enroll("ada", "bo")
    community.award("ada", "benchmark:1")
    return community


def begin(community: Community) -> None:
    """Reset the ledger to its beginning."""
    vars(community.ledger).update(vars(copied(begun).ledger))


def ask(given: bytes) -> None:
    """Send requests one after the other: a line with method and path, header lines, and a body."""
    begin(site().community)
    for request in given.split(BETWEEN_REQUESTS)[:REQUESTS_MAX]:
        before = everything(site().community.engage)
        if refused(*parsed(request)):
            claim(everything(site().community.engage) == before, "something was written although it was refused")
    claim(not site().community.engage.audit().breaches, "the doctor finds a breach")


def parsed(request: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the scope and the body of a request, with the token unless another one is given."""
    head, _, body = request.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    path, _, query = target.partition(b"?")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    given = {name for name, _ in headers}
    defaults = {
        b"host": b"127.0.0.1",
        b"authorization": f"Bearer {TOKEN}".encode(),
        b"content-type": b"application/json",
    }
    headers += [(name, value) for name, value in defaults.items() if name not in given]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method.decode("latin-1").upper() or "POST",
        "scheme": "http",
        "path": "/api/" + unquote_to_bytes(path).decode("utf-8", "replace").lstrip("/"),
        "raw_path": b"/api/" + path.lstrip(b"/"),
        "root_path": "",
        "query_string": query,
        "headers": headers,
        "client": ADDRESS,
        "server": ADDRESS,
        "state": {},
    }
    return scope, body


@define
class Answer:
    """The answer that was sent."""

    status: int = 0
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b""

    async def send(self, message: Any) -> None:
        """Take in a part of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")


def refused(scope: dict[str, Any], body: bytes) -> bool:
    """Send a request, check the answer, and return whether it is a refusal."""
    answer, parts = Answer(), [body[: len(body) // 2], body[len(body) // 2 :]]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)} if parts else GONE

    with patch("anyio.to_thread.run_sync", at_once):
        site().runner.run(site().app(scope, receive, answer.send))
    claim(TOKEN.encode() not in answer.body, "the token is in the answer")
    if answer.status in {200, 201}:
        json.loads(answer.body)
        claim(answer.headers["content-type"] == "application/json", "the answer is not JSON")
        return False
    if answer.status == 304:
        return False
    claim(answer.status in STATUSES, f"status {answer.status} for {scope['method']} {scope['path']!a}")
    problem = json.loads(answer.body)
    claim(answer.headers["content-type"] == MEDIA_TYPE, "the refusal is no problem")
    claim(problem["type"].removeprefix(TYPE) in KINDS, f"there is no problem {problem['type']}")
    claim(problem["status"] == answer.status and problem["title"] and problem["detail"], "the problem is not complete")
    return True


async def at_once(function: Callable[[], object], **_: object) -> object:
    """Call a function right here: a thread would take most of the time."""
    return function()


GONE = {"type": "http.disconnect"}


def everything(engage: Engage) -> str:
    """Return everything a request could have changed."""
    return f"{engage.feed()} {engage.members()} {engage.excusals()}"


API = Target(
    "requests to the API",
    ask,
    ("entrypoints/web/api.py", "entrypoints/web/endpoints.py"),
    (
        *(
            b"POST members/ada/awards\n\n{",
            b"PUT members/cy\n\n{",
            b"POST members/ada/adjustments\n\n{",
            b"GET feed?after=",
        ),
        *(
            b"POST reversals\n\n{",
            b"POST excusals\n\n{",
            b"POST excusals/undo\n\n{",
            b"GET members/ada/why?day=",
            b"DELETE ",
        ),
        *(
            b"PUT members/ada/link\n\n{",
            b"POST members/ada/leave\n\n{}",
            b"POST members/ada/rejoin\n\n{",
            b"\n---\n",
            b"/forget",
        ),
        *(b'"source":"benchmark"', b'"points":', b'"key":"benchmark:1"', b'"at":"2026-03-02T09:00:00Z"', b'"name":"'),
        *(
            b'"counts_as_activity":false',
            b'"days":["2026-03-02"]',
            b'"by":"',
            b'"reason":"',
            b'"member_id":"ada"',
            b'"note":"',
        ),
        *(
            b'"discord_id":"80351110224678999"',
            b'"never_left":true',
            b"GET leaderboard?month=2026-03&by=streak",
            b"limit=1",
        ),
        *(
            b"\\u0000",
            b"\\ud800",
            b"1e400",
            b"5.0",
            b"NaN",
            b"null",
            b"true",
            b"-1",
            b"9007199254740993",
            b"+23:59",
            b"[[",
            b"%00",
        ),
        *(
            b"GET members?after=&status=none&name=a",
            b"GET members/ada/calendar?first=2026-01-01&last=",
            b"if-none-match: *",
        ),
        *(
            b"content-type: text/plain",
            b"authorization: Bearer ",
            b"GET milestones?after=",
            b"GET status",
            b"GET openapi.json",
        ),
    ),
    swollen_to=BYTES_MAX - 8 * 1024,
)
