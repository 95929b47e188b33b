"""A web app that embeds the core: members, benchmarks, standings, a leaderboard, the feed, and the pages.

It keeps its store in `example.db` (`TRC_ENGAGE_STORE`) and listens on port 8000 (`PORT`). With
`TRC_ENGAGE_GUILD_ID` it also reads that board, from MEE6 or from `TRC_ENGAGE_MEE6_URL`. Access control is left out:
who may call what is up to your app.
"""

import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import uvicorn
from cattrs.preconf.json import make_converter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from trc_engage import Engage, EngageError, InvalidValue, LedgerBusy
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.aio import AsyncEngage
from trc_engage.entrypoints.web import Earning, create_app
from trc_engage.entrypoints.wire import status_of
from trc_engage.ports import Clock
from trc_engage.upkeep import Upkeep

EARNINGS = [Earning("A benchmark", 50)]
converter = make_converter()


async def put_member(request: Request) -> Response:
    """Enroll a member, or update the name and the Discord link."""
    asked, engage = await body(request), request.state.points
    link = {field: asked.get(field) for field in ("discord_id", "name")}
    return shown(await engage.enroll(request.path_params["member_id"], **link))


async def post_benchmark(request: Request) -> Response:
    """Award points, once per key: a caller that got no answer sends the same again."""
    asked, engage = await body(request), request.state.points
    award = {field: asked.get(field) for field in ("member_id", "points", "key")}
    at = parsed("at", datetime.fromisoformat, asked["at"]) if "at" in asked else now()
    receipt = await engage.award(source="benchmark", at=at, **award)
    return shown(receipt, 201 if receipt.changed else 200)


def get_member(request: Request) -> Response:
    """Return a member's standing, including the streak."""
    return shown(request.state.engage.standing(request.path_params["member_id"]))


def get_history(request: Request) -> Response:
    """Return a member's entries, newest first."""
    limit = parsed("limit", int, request.query_params.get("limit", "50"))
    return shown(request.state.engage.history(request.path_params["member_id"], limit=limit))


def get_leaderboard(request: Request) -> Response:
    """Return the top of one month (`2026-03`), or of all time."""
    month = request.query_params.get("month")
    day = None if month is None else parsed("month", date.fromisoformat, f"{month}-01")
    return shown(request.state.engage.leaderboard(month=day))


def get_feed(request: Request) -> Response:
    """Return everyone's entries above a position, oldest first."""
    return shown(request.state.engage.feed(after=parsed("after", int, request.query_params.get("after", "0"))))


def post_sync(request: Request) -> Response:
    """Ask for a sync without waiting for it: a read may take minutes, and no request should."""
    request.state.upkeep.sync_soon()
    return Response(status_code=202)


def get_front(_: Request) -> Response:
    """Redirect to the leaderboard."""
    return RedirectResponse("/points/")


def may_see(_: Request, member_id: str) -> bool:
    """Return whether this visitor may see the member; in your app, ask the session."""
    return not member_id.startswith("private-")


def may_administer(request: Request) -> bool:
    """Return whether this visitor may see the system's state: only this machine may."""
    return request.client is not None and request.client.host == "127.0.0.1"


def problem(_: Request, error: Exception) -> Response:
    """Answer all errors of the core in one place, in the format of RFC 9457."""
    status = status_of(error)
    answer = shown({"title": type(error).__name__, "status": status, "detail": str(error)}, status)
    answer.headers["Content-Type"] = "application/problem+json"
    if isinstance(error, LedgerBusy):
        answer.headers["Retry-After"] = "1"
    return answer


def shown(value: object, status: int = 200) -> Response:
    """Return a value of the core as JSON."""
    return Response(converter.dumps(value), status, media_type="application/json")


async def body(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent; the core validates its values."""
    sent: dict[str, Any] = parsed("body", lambda text: {**json.loads(text)}, await request.body())
    return sent


def parsed(field: str, parse: Callable[[Any], Any], value: object) -> Any:
    """Return a parsed text; one that cannot be parsed is the caller's mistake."""
    try:
        return parse(value)
    except (TypeError, ValueError) as error:
        raise InvalidValue(field, value, f"it cannot be read ({error})") from error


def now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def app_for(store: str, guild_id: str | None = None, *, clock: Clock = now, **options: Any) -> Starlette:
    """Make the app; `options` are those of `Mee6Source.open`."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, object]]:
        async with AsyncExitStack() as stack:
            ledger = stack.enter_context(SqliteLedger.open(store))
            source = stack.enter_context(Mee6Source.open(guild_id, **options)) if guild_id else None
            engage = Engage(ledger=ledger, source=source, clock=clock)
            points = await stack.enter_async_context(AsyncEngage(engage))
            upkeep = await stack.enter_async_context(Upkeep(engage, stop_reading=source.stop if source else None))
            # The pages use this `Engage`, which only exists from here on.
            pages = create_app(engage, may_see=may_see, may_administer=may_administer, earnings=EARNINGS)
            app.router.routes.append(Mount("/points", pages))
            yield {"engage": engage, "points": points, "upkeep": upkeep}

    routes = [
        Route("/", get_front),
        Route("/members/{member_id}", put_member, methods=["PUT"]),
        Route("/members/{member_id}", get_member),
        Route("/members/{member_id}/history", get_history),
        Route("/benchmarks", post_benchmark, methods=["POST"]),
        Route("/leaderboard", get_leaderboard),
        Route("/feed", get_feed),
        Route("/sync", post_sync, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={EngageError: problem})


if __name__ == "__main__":
    logging.basicConfig()
    logging.getLogger("trc_engage").setLevel(logging.INFO)
    app = app_for(
        os.environ.get("TRC_ENGAGE_STORE") or "example.db",
        os.environ.get("TRC_ENGAGE_GUILD_ID"),
        base_url=os.environ.get("TRC_ENGAGE_MEE6_URL") or "https://mee6.xyz",
    )
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")))
