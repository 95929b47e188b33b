"""FastAPI with SQLAlchemy: points commit with the app's own rows, or not at all, in a sync or an async session.

To set it up and serve it:

    pip install 'trc-engage[postgres]' fastapi uvicorn 'sqlalchemy[asyncio]'
    export DATABASE_URL=postgresql://… TRC_ENGAGE_GUILD_ID=…
    python fastapi_app.py  # once: creates the tables
    uvicorn fastapi_app:app --workers 4
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import CheckConstraint, create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from trc_engage import Engage, EngageError, Entry
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.aio import AsyncEngage
from trc_engage.entrypoints.wire import as_json, status_of
from trc_engage.upkeep import Upkeep

DSN = os.environ["DATABASE_URL"]
SQLALCHEMY_URL = DSN.replace("postgresql://", "postgresql+psycopg://")


class Base(DeclarativeBase):
    """The app's own tables."""


class Benchmark(Base):
    """A benchmark that a member has run."""

    __tablename__ = "benchmarks"
    __table_args__ = (CheckConstraint("score <= 100"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[str]
    score: Mapped[int]


class Download(Base):
    """A download by a member."""

    __tablename__ = "downloads"
    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[str]


class Notification(Base):
    """A notification for a member, one for each entry."""

    __tablename__ = "notifications"
    position: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class Run(BaseModel):
    """The request body of a benchmark."""

    id: int
    member_id: str
    score: int

    @property
    def award(self) -> dict[str, Any]:
        """What the run pays, once for its key."""
        return {"source": "benchmark", "points": 50, "key": f"benchmark:{self.id}", "at": now()}

    def rows(self, entry: Entry) -> list[Base]:
        """Return the app's own rows that go with the entry."""
        text = f"+{entry.points} points for a benchmark"
        return [Benchmark(**self.model_dump()), Notification(position=entry.position, text=text)]


def now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


engine, async_engine = create_engine(SQLALCHEMY_URL), create_async_engine(SQLALCHEMY_URL)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, object]]:
    """Keep one `AsyncEngage` in each process, and let it do what is due."""
    with (
        PostgresLedger.open(DSN, create=False) as ledger,
        Mee6Source.open(os.environ["TRC_ENGAGE_GUILD_ID"], base_url=os.environ.get("TRC_ENGAGE_MEE6_URL")) as source,
    ):
        engage = Engage(ledger=ledger, source=source, clock=now)
        async with AsyncEngage(engage) as points, Upkeep(engage, stop_reading=source.stop):
            yield {"points": points}


app = FastAPI(lifespan=lifespan)


def session() -> Iterator[Session]:
    """Yield a session for one request; what it has not committed is rolled back."""
    with Session(engine) as lent:
        yield lent


async def async_session() -> AsyncIterator[AsyncSession]:
    """Yield an async session for one request."""
    async with AsyncSession(async_engine) as lent:
        yield lent


@app.post("/benchmarks")
def add_benchmark(run: Run, session: Annotated[Session, Depends(session)]) -> dict[str, str]:
    """Save a benchmark and award its points; sending it again changes nothing."""
    with PostgresLedger.open(connection=session) as ledger:
        receipt = Engage(ledger=ledger, clock=now).award(run.member_id, **run.award)
    if receipt.changed:
        session.add_all(run.rows(receipt.entry))
    session.commit()
    return {"outcome": receipt.outcome}


@app.post("/async/benchmarks")
async def add_benchmark_async(
    run: Run, request: Request, session: Annotated[AsyncSession, Depends(async_session)]
) -> dict[str, str]:
    """Do the same in a coroutine; nothing else may use the session while it is awaited."""
    connection = await session.connection()
    async with request.state.points.joined(lambda: PostgresLedger.open(connection=connection)) as joined:
        receipt = await joined.award(run.member_id, **run.award)
    if receipt.changed:
        session.add_all(run.rows(receipt.entry))
    await session.commit()
    return {"outcome": receipt.outcome}


@app.post("/downloads")
def add_download(member_id: str, session: Annotated[Session, Depends(session)]) -> dict[str, int]:
    """Save a download, whose id the database creates, and award its points; sending it again adds another one."""
    download = Download(member_id=member_id)
    session.add(download)
    session.flush()
    with PostgresLedger.open(connection=session) as ledger:
        engage = Engage(ledger=ledger, clock=now)
        engage.award(member_id, source="download", points=5, key=f"download:{download.id}", at=now())
    session.commit()
    return {"id": download.id}


@app.put("/members/{member_id}")
async def put_member(member_id: str, request: Request, discord_id: str | None = None) -> dict[str, str]:
    """Enroll a member; with a Discord id, XP earns points from the next sync on."""
    return {"outcome": (await request.state.points.enroll(member_id, discord_id=discord_id)).outcome}


@app.get("/members/{member_id}")
async def get_member(member_id: str, request: Request) -> dict[str, Any]:
    """Return a member's standing: `as_json` turns a `Standing` into a dictionary, as our own API does."""
    return as_json(await request.state.points.standing(member_id))


@app.exception_handler(EngageError)
@app.exception_handler(IntegrityError)
def problem(_: Request, error: Exception) -> JSONResponse:
    """Answer an error; an `EngageError` says what to do about it, and `status_of` returns its HTTP status."""
    if isinstance(error, IntegrityError):
        return JSONResponse({"detail": "the database refuses it"}, 422)
    return JSONResponse({"detail": str(error)}, status_of(error))


if __name__ == "__main__":
    PostgresLedger.open(DSN).close()
    Base.metadata.create_all(engine)
