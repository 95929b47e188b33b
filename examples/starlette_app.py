"""Starlette with psycopg alone: points commit with the app's own rows, or not at all.

To set it up and serve it:

    pip install 'trc-engage[postgres]' starlette uvicorn
    export DATABASE_URL=postgresql://… TRC_ENGAGE_GUILD_ID=…
    python starlette_app.py  # once: creates the tables
    uvicorn starlette_app:app --workers 4
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from trc_engage import Engage, EngageError
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.aio import AsyncEngage
from trc_engage.entrypoints.wire import as_json, status_of
from trc_engage.upkeep import Upkeep

DSN = os.environ["DATABASE_URL"]
TABLES = """
CREATE TABLE benchmarks (id BIGINT PRIMARY KEY, member_id TEXT NOT NULL, score INTEGER NOT NULL CHECK (score <= 100));
CREATE TABLE notifications (position BIGINT PRIMARY KEY, text TEXT NOT NULL);
"""


def now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[dict[str, object]]:
    """Keep one `AsyncEngage` in each process, and let it do what is due."""
    with (
        PostgresLedger.open(DSN, create=False) as ledger,
        Mee6Source.open(os.environ["TRC_ENGAGE_GUILD_ID"], base_url=os.environ.get("TRC_ENGAGE_MEE6_URL")) as source,
    ):
        engage = Engage(ledger=ledger, source=source, clock=now)
        async with AsyncEngage(engage) as points, Upkeep(engage, stop_reading=source.stop):
            yield {"points": points}


async def add_benchmark(request: Request) -> JSONResponse:
    """Save a benchmark and award its points; sending it again changes nothing."""
    run = await request.json()
    # When it closes, the connection commits, or rolls back if anything was raised. So does one from a pool.
    async with await psycopg.AsyncConnection.connect(DSN) as connection:
        async with request.state.points.joined(lambda: PostgresLedger.open(connection=connection)) as joined:
            receipt = await joined.award(
                run["member_id"], source="benchmark", points=50, key=f"benchmark:{run['id']}", at=now()
            )
        if receipt.changed:
            text = f"+{receipt.entry.points} points for a benchmark"
            await connection.execute(
                "INSERT INTO benchmarks VALUES (%s, %s, %s)", [run["id"], run["member_id"], run["score"]]
            )
            await connection.execute("INSERT INTO notifications VALUES (%s, %s)", [receipt.entry.position, text])
    return JSONResponse({"outcome": receipt.outcome})


async def put_member(request: Request) -> JSONResponse:
    """Enroll a member; with a Discord id, XP earns points from the next sync on."""
    member_id, discord_id = request.path_params["member_id"], request.query_params.get("discord_id")
    enrollment = await request.state.points.enroll(member_id, discord_id=discord_id)
    return JSONResponse({"outcome": enrollment.outcome})


async def get_member(request: Request) -> JSONResponse:
    """Return a member's standing, as our own API does."""
    return JSONResponse(as_json(await request.state.points.standing(request.path_params["member_id"])))


def problem(_: Request, error: Exception) -> JSONResponse:
    """Answer an error; an `EngageError` says what to do about it, and `status_of` returns its HTTP status."""
    if isinstance(error, psycopg.IntegrityError):
        return JSONResponse({"detail": "the database refuses it"}, 422)
    return JSONResponse({"detail": str(error)}, status_of(error))


app = Starlette(
    routes=[
        Route("/benchmarks", add_benchmark, methods=["POST"]),
        Route("/members/{member_id}", put_member, methods=["PUT"]),
        Route("/members/{member_id}", get_member),
    ],
    lifespan=lifespan,
    exception_handlers={EngageError: problem, psycopg.IntegrityError: problem},
)

if __name__ == "__main__":
    PostgresLedger.open(DSN).close()
    with psycopg.connect(DSN) as connection:
        connection.execute(TABLES)
