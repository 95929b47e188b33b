"""Connections of all kinds that an app may hold can be joined, with few round trips, and reads on them never wait."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any

import django
import psycopg
import pytest
import sqlalchemy as sa
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from support.community import Community
from support.postgres import admin, opened_postgres, server_dsn
from support.wire import counted
from trc_engage import InvalidValue, LedgerBusy, LedgerFailed
from trc_engage.adapters.postgres import PostgresLedger

RUNS = "CREATE TABLE IF NOT EXISTS public.callers_runs (score INTEGER)"


@pytest.fixture
def community() -> Iterator[Community]:
    """Yield a community whose ledger is in a schema, with an opening and a gain, beside an empty table of the app."""
    admin().execute(RUNS)
    admin().execute("DELETE FROM public.callers_runs")
    with opened_postgres() as ledger:
        yield Community(ledger).begun()


@pytest.fixture
def place(community: Community) -> str:
    """Return the schema's name."""
    place: str = community.ledger._database._address.schema  # type: ignore[attr-defined]
    return place


def url(driver: str) -> sa.URL:
    """Return the server's address for SQLAlchemy."""
    given = {name: str(value) for name, value in conninfo_to_dict(server_dsn()).items()}
    query: dict[str, Sequence[str] | str] = {name: given[name] for name in ("host", "port") if name in given}
    return sa.URL.create(
        f"postgresql+{driver}", given["user"], given.get("password"), database=given["dbname"], query=query
    )


def both(joined: PostgresLedger, community: Community, key: str) -> None:
    """Award on the caller's connection, and check that other connections do not see it yet."""
    app = Community(joined)
    app.now = community.now
    assert app.award("ada", key).outcome == "awarded"
    assert (app.points("ada"), community.points("ada")) == (12, 2)


def runs() -> int:
    """Return the number of the app's own rows."""
    (count,) = admin().execute("SELECT count(*) FROM public.callers_runs").fetchone() or (0,)
    return int(count)


def assert_all_or_nothing(community: Community, committed: int) -> None:
    """Check that the app's rows and our awards are as many as committed."""
    entries = [entry for entry in community.engage.feed(limit=99) if entry.key]
    assert (runs(), len(entries), community.points("ada")) == (committed, committed, 2 + 10 * committed)


@pytest.mark.parametrize(
    "give", [lambda session: session, lambda session: session.connection()], ids=["session", "its"]
)
def test_a_session_of_sqlalchemy(community: Community, place: str, give: Callable[[Session], Any]) -> None:
    """An award on a session or its connection is committed or undone with it, and leaves no setting in the pool."""
    engine = sa.create_engine(url("psycopg"), pool_size=1)
    for end, committed in (("rollback", 0), ("commit", 1)):
        with Session(engine) as session:
            session.execute(sa.text("INSERT INTO public.callers_runs VALUES (1)"))
            both(PostgresLedger.open(connection=give(session), schema=place), community, "run:1")
            getattr(session, end)()
        assert_all_or_nothing(community, committed)
        with engine.connect() as connection:
            assert connection.scalar(sa.text("SHOW search_path")) == '"$user", public'
    engine.dispose()


def test_an_async_session_of_sqlalchemy(community: Community, place: str) -> None:
    """An AsyncSession's connection can be joined from a thread; the session itself is refused with that advice."""

    async def run() -> None:
        engine = create_async_engine(url("psycopg"))
        for end, committed in (("rollback", 0), ("commit", 1)):
            async with AsyncSession(engine) as session:
                with pytest.raises(InvalidValue, match=r"AsyncSession.*await session\.connection"):
                    PostgresLedger.open(connection=session, schema=place)
                await session.execute(sa.text("INSERT INTO public.callers_runs VALUES (1)"))
                given = await session.connection()
                joined = await asyncio.to_thread(PostgresLedger.open, connection=given, schema=place)
                await asyncio.to_thread(both, joined, community, "run:1")
                await getattr(session, end)()
            assert_all_or_nothing(community, committed)
        await engine.dispose()

    asyncio.run(run())


@pytest.mark.parametrize("autocommit", [False, True])
def test_an_async_connection_of_psycopg(community: Community, place: str, *, autocommit: bool) -> None:
    """An award joins an AsyncConnection's transaction or commits by itself; the connection's notice handlers stay."""

    async def run() -> None:
        heard: list[str] = []
        async with await psycopg.AsyncConnection.connect(server_dsn(), autocommit=autocommit) as connection:
            connection.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
            joined = await asyncio.to_thread(PostgresLedger.open, connection=connection, schema=place)
            await connection.rollback()
            for end, committed in ((psycopg.Rollback, 0), (None, 1)):
                async with connection.transaction() as block:
                    await connection.execute("INSERT INTO public.callers_runs VALUES (1)")
                    await asyncio.to_thread(both, joined, community, "run:1")
                    if end:
                        raise end(block)
                if not autocommit:
                    await connection.commit()
                assert_all_or_nothing(community, committed)
            await connection.execute("DO $$ BEGIN RAISE WARNING 'heard'; END $$")
            del joined
        assert heard == ["heard"]
        async with await psycopg.AsyncConnection.connect(server_dsn(), autocommit=True) as connection:
            joined = await asyncio.to_thread(PostgresLedger.open, connection=connection, schema=place)
            await asyncio.to_thread(Community(joined).award, "ada", "alone")
            assert community.engage.history("ada")[0].key == "alone"

    asyncio.run(run())


def test_a_transaction_that_begins_with_ours_is_as_its_owner_wants_it(community: Community, place: str) -> None:
    """An AsyncConnection that is set to REPEATABLE READ is refused even if our call would begin its transaction."""

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(server_dsn()) as connection:
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            joined = await asyncio.to_thread(PostgresLedger.open, connection=connection, schema=place)
            with pytest.raises(LedgerFailed, match="REPEATABLE READ"):
                await asyncio.to_thread(Community(joined).award, "ada", "late")

    asyncio.run(run())
    assert len(community.engage.feed()) == 2


@contextmanager
def django_connection() -> Iterator[Any]:
    """Yield Django's connection to the server."""
    given = conninfo_to_dict(server_dsn())
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    database = {name: given[key] for name, key in names.items() if key in given}
    if not settings.configured:
        settings.configure(USE_TZ=True)
        django.setup()
    from django.db import ConnectionHandler  # noqa: PLC0415  it reads the settings

    connection = ConnectionHandler({"default": {"ENGINE": "django.db.backends.postgresql", **database}})["default"]
    yield connection
    connection.close()


def test_djangos_connection(community: Community, place: str) -> None:
    """Within a Django transaction an award is committed or undone with it; in autocommit it is committed by itself."""
    with django_connection() as connection:
        joined = PostgresLedger.open(connection=connection, schema=place)
        for is_undone, committed in ((True, 0), (False, 1)):
            connection.set_autocommit(False)
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO public.callers_runs VALUES (1)")
            both(joined, community, "run:1")
            (connection.rollback if is_undone else connection.commit)()
            connection.set_autocommit(True)
            assert_all_or_nothing(community, committed)
        Community(joined).award("ada", "alone")
        assert community.engage.history("ada")[0].key == "alone"


def test_what_cannot_be_joined_is_refused(place: str) -> None:
    """A connection that cannot be joined is refused with what to pass instead, and without its host."""

    async def asyncpg_connection() -> None:
        given = conninfo_to_dict(server_dsn())
        connection = await import_module("asyncpg").connect(
            host=str(given["host"]),
            user=str(given["user"]),
            database=str(given["dbname"]),
            password=given.get("password"),
        )
        try:
            refused(connection, "asyncpg")
        finally:
            await connection.close()
        engine = create_async_engine(url("asyncpg"))
        async with AsyncSession(engine) as session:
            refused(await session.connection(), "asyncpg")
        await engine.dispose()

    def refused(given: object, kind: str) -> None:
        with pytest.raises(InvalidValue, match=rf"^connection.*{kind}.*give a connection of psycopg 3") as error:
            PostgresLedger.open(connection=given, schema=place)
        assert str(conninfo_to_dict(server_dsn())["host"]) not in str(error.value)

    asyncio.run(asyncpg_connection())
    with ExitStack() as stack:
        two = import_module("psycopg2").connect(server_dsn())
        stack.callback(two.close)
        refused(two, "psycopg2")
        old = sa.create_engine(url("psycopg2"))
        stack.callback(old.dispose)
        refused(stack.enter_context(Session(old)), "psycopg2")
        file = sa.create_engine("sqlite://")
        stack.callback(file.dispose)
        refused(stack.enter_context(file.connect()), "sqlite3")
    refused(server_dsn, "function")


def test_few_round_trips(community: Community, place: str) -> None:
    """Opening costs at most 2 round trips, `standing` and an award 4, a late award 10 and `run_state` 2."""
    community.run(timedelta(days=3))
    with psycopg.connect(server_dsn()) as connection:
        connection.execute("SELECT 1")
        with counted(connection) as opening:
            joined = PostgresLedger.open(connection=connection, schema=place)
        app = Community(joined)
        app.now = community.now
        with counted(connection) as standing:
            app.points("ada")
        with counted(connection) as award:
            app.award("ada", "today")
        with counted(connection) as late:
            assert app.award("ada", "late", at=app.now - timedelta(days=1)).outcome == "awarded"
        with counted(connection) as again:
            assert app.award("ada", "late", at=app.now - timedelta(days=1)).outcome == "unchanged"
        with counted(connection) as run:
            joined.run_state(app.now)
        counts = [trips.count for trips in (opening, standing, award, late, again, run)]
        assert all(0 < count <= most for count, most in zip(counts, (2, 4, 4, 10, 4, 2), strict=True)), counts


def test_reads_wait_for_nobody(community: Community, place: str) -> None:
    """No read waits for an award that is not committed yet, or sees anything of it."""
    with psycopg.connect(server_dsn()) as writer, psycopg.connect(server_dsn()) as connection:
        connection.execute("SET lock_timeout = 1")
        Community(PostgresLedger.open(connection=writer, schema=place)).award("ada", "uncommitted")
        app = Community(PostgresLedger.open(connection=connection, schema=place))
        app.now = community.now
        day = app.now.date()
        engage, ledger = app.engage, app.ledger
        reads: list[Callable[[], Any]] = [
            lambda: engage.standing("ada").points,
            lambda: engage.explain("ada", day, day),
            engage.status,
            engage.leaderboard,
            engage.longest_streaks,
            lambda: engage.rank("ada"),
            engage.feed,
            engage.members,
            lambda: engage.find("ada"),
            lambda: ledger.day_record(day),
            lambda: ledger.activity(day),
        ]
        (points, *_) = [read() for read in reads]
        assert points == 2
        assert len(engage.feed()) == 2


def test_what_is_read_is_of_one_state(community: Community, place: str) -> None:
    """While others commit as fast as they can, each read still sees balances and entries that agree."""
    rounds = 60

    def write(number: int) -> None:
        community.award("ada", f"crowd:{number}", points=1)

    with psycopg.connect(server_dsn()) as connection, ThreadPoolExecutor(1) as pool:
        joined = PostgresLedger.open(connection=connection, schema=place)
        app = Community(joined)
        app.now = community.now
        written = pool.map(write, range(rounds))
        while app.points("ada") < 2 + rounds:
            tally = joined.tally()
            state = joined.run_state()
            assert (tally.members, state.calendar.changes) == (1, 0)
            assert app.engage.audit().is_healthy
            connection.rollback()
        assert len([*written]) == rounds


def test_a_read_that_can_never_be_whole_says_so(
    community: Community, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that never finds a moment without commits gives up with `LedgerBusy`; the connection is still usable."""
    module = sys.modules["trc_engage.adapters.postgres.joined"]
    monkeypatch.setattr(module, "SEEN", "CAST(random() AS TEXT)")
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.0)
    with psycopg.connect(server_dsn()) as writer, psycopg.connect(server_dsn()) as connection:
        joined = PostgresLedger.open(connection=connection, schema=place)
        assert joined.members() == community.ledger.members()
        with pytest.raises(LedgerBusy, match="without a pause"):
            joined.run_state()
        Community(PostgresLedger.open(connection=writer, schema=place)).award("ada", "uncommitted")
        with pytest.raises(LedgerBusy, match="without a pause"):
            joined.members()
        assert connection.execute("SELECT 1").fetchone() == (1,)
