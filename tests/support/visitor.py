"""A client of an ASGI app whose requests are real except for the wire."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
from attrs import field, frozen
from starlette.applications import Starlette

from trc_engage import Engage
from trc_engage.entrypoints.web import Earning, create_app

TOKEN = "a-token-of-24-characters"  # noqa: S105
BEARER = {"Authorization": f"Bearer {TOKEN}"}
EARNINGS = (Earning("A benchmark", 50), Earning("A download", 5))
URN = "urn:trc-engage:problem:"
AWARDS = "/api/members/bo/awards"
AWARD = {"source": "benchmark", "points": 5, "key": "k", "at": "2026-03-02T09:00:00Z"}


@frozen
class Visitor:
    """Sends requests to an app, from this machine unless another address is given."""

    app: Any
    headers: Mapping[str, str] = field(factory=dict)
    address: str = "127.0.0.1"
    url: str = "http://127.0.0.1:8000"

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the app's response, even if it is a server error."""
        return asyncio.run(self._ask(method, path, options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Return the response to a GET."""
        return self.ask("GET", path, **options)

    def told(self, path: str, **options: Any) -> Any:
        """Get a path and return its JSON, asserting status 200."""
        response = self.get(path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(self.address, 50_000))
        given = dict(options.pop("headers", {}))
        cookies = [one for one in (self.headers.get("Cookie"), given.pop("Cookie", None)) if one]
        headers = {**self.headers, **given, **({"Cookie": "; ".join(cookies)} if cookies else {})}
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
            return await client.request(method, path, headers=headers, **options)


def alone(engage: Any, **options: Any) -> Visitor:
    """Return a visitor who is signed in to a standalone site that accepts writes."""
    return let_in(create_app(engage, alone=True, token=TOKEN, earnings=EARNINGS, **options))


def let_in(app: Starlette, **options: Any) -> Visitor:
    """Return a visitor who signed in by the link of a standalone site."""
    visitor = Visitor(app, **options)
    opened = visitor.get("/", params={"token": app.state.login.token})
    assert opened.status_code == 303, opened.text
    return Visitor(app, {"Cookie": opened.headers["set-cookie"].partition(";")[0]}, **options)


def problem_of(response: httpx.Response) -> tuple[int, str]:
    """Assert that a response is a problem detail, and return its status and kind."""
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == response.status_code
    assert told["title"]
    assert told["detail"]
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    return response.status_code, str(told["type"]).removeprefix(URN)


async def endless(chunks: int, size: int = 8_192) -> AsyncIterator[bytes]:
    """Yield this many chunks without announcing how many there will be."""
    for _ in range(chunks):
        yield b" " * size


def all_of(engage: Engage) -> str:
    """Return everything that a request could have changed."""
    return f"{engage.feed()} {engage.members()}"
