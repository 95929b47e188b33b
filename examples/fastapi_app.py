"""FastAPI with SQLAlchemy: points commit with the app's own rows, or not at all; with a session, sync or async.

Once: `DATABASE_URL=postgresql://… python fastapi_app.py`, then `uvicorn fastapi_app:app --workers 4`.
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

from trc_engage import Engage, EngageError, Entry, InvalidValue, LedgerBusy, UnknownMember
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.aio import AsyncEngage
from trc_engage.entrypoints.wire.members import Member
from trc_engage.upkeep import Upkeep

DSN = os.environ["DATABASE_URL"]
SQLALCHEMY_URL = DSN.replace("postgresql://", "postgresql+psycopg://")
STATUSES = {UnknownMember: 404, InvalidValue: 422, IntegrityError: 422, LedgerBusy: 503}


class Base(DeclarativeBase):
    """The app's own tables."""


class Benchmark(Base):
    """A benchmark that a member has run."""

    __tablename__ = "benchmarks"
    __table_args__ = (CheckConstraint("score <= 100"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[str]
    score: Mapped[int]


class Notification(Base):
    """What the member is to be told, once for each entry."""

    __tablename__ = "notifications"
    position: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class Run(BaseModel):
    """What is sent."""

    id: int
    member_id: str
    score: int

    @property
    def award(self) -> dict[str, Any]:
        """What the run pays, once for its key."""
        return {"source": "benchmark", "points": 50, "key": f"benchmark:{self.id}", "at": now()}

    def rows(self, entry: Entry) -> list[Base]:
        """Return what goes with the entry."""
        text = f"+{entry.points} points for a benchmark"
        return [Benchmark(**self.model_dump()), Notification(position=entry.position, text=text)]


def now() -> datetime:
    """Return what time it is."""
    return datetime.now(UTC)


engine, async_engine = create_engine(SQLALCHEMY_URL), create_async_engine(SQLALCHEMY_URL)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, object]]:
    """Keep one `AsyncEngage` for each process, and let it do what is due."""
    with PostgresLedger.open(DSN, create=False) as ledger:
        engage = Engage(ledger=ledger, clock=now)
        async with AsyncEngage(engage) as points, Upkeep(engage):
            yield {"points": points}


app = FastAPI(lifespan=lifespan)


def session() -> Iterator[Session]:
    """Lend a session for one request; what it has not committed is rolled back."""
    with Session(engine) as lent:
        yield lent


async def async_session() -> AsyncIterator[AsyncSession]:
    """Lend an async one."""
    async with AsyncSession(async_engine) as lent:
        yield lent


@app.post("/benchmarks")
def add_benchmark(run: Run, session: Annotated[Session, Depends(session)]) -> dict[str, str]:
    """Keep a benchmark and pay for it; the same one again changes nothing."""
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
    """Do the same in a coroutine; while it is awaited, nobody else may use the session."""
    connection = await session.connection()
    async with request.state.points.joined(lambda: PostgresLedger.open(connection=connection)) as joined:
        receipt = await joined.award(run.member_id, **run.award)
    if receipt.changed:
        session.add_all(run.rows(receipt.entry))
    await session.commit()
    return {"outcome": receipt.outcome}


@app.put("/members/{member_id}")
async def put_member(member_id: str, request: Request) -> dict[str, str]:
    """Enroll a member."""
    return {"outcome": (await request.state.points.enroll(member_id)).outcome}


@app.get("/members/{member_id}")
async def get_member(member_id: str, request: Request) -> dict[str, Any]:
    """Return where a member stands: `Member.of` makes JSON of a `Standing`, as our own API does."""
    return Member.of(await request.state.points.standing(member_id))


@app.exception_handler(EngageError)
@app.exception_handler(IntegrityError)
def problem(_: Request, error: Exception) -> JSONResponse:
    """Answer an error; an `EngageError` says what to do about it."""
    detail = str(error) if isinstance(error, EngageError) else "the database refuses it"
    status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
    return JSONResponse({"detail": detail}, status)


if __name__ == "__main__":
    PostgresLedger.open(DSN).close()
    Base.metadata.create_all(engine)
