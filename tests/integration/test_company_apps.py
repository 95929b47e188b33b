"""The example apps on PostgreSQL, with four workers, bad requests and `kill -9`: rows are always written together."""

import secrets
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from threading import Lock
from typing import Any

import httpx
import psycopg
import pytest
from attrs import evolve, field, frozen
from psycopg.conninfo import make_conninfo

from support.command import ADA
from support.postgres import admin, server_dsn
from support.running_app import ROOT, App
from trc_engage import Engage
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.testing.mee6 import Mee6Server

WORKERS = 4
REQUESTS = 400
UNREAD = {"TRC_ENGAGE_GUILD_ID": "200000000000000001"}
"""A board on which no member is sought, so that nothing is requested."""
KILLED_AFTER = (40, 110, 180, 250, 320)
CLIENTS = 12
TRIES_MAX = 1_000
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Spares each request's client from reading certificates, which takes longer than the request."""


@frozen
class Kind:
    """An example: how it is set up and served, and where benchmarks go."""

    name: str
    folder: str
    set_up: tuple[tuple[str, ...], ...]
    served: str
    paths: tuple[str, ...] = ("/benchmarks",)


KINDS = [
    Kind("fastapi", "examples", (("fastapi_app.py",),), "fastapi_app:app", ("/benchmarks", "/async/benchmarks")),
    Kind("starlette", "examples", (("starlette_app.py",),), "starlette_app:app"),
    Kind(
        "django",
        "examples/django_app",
        (("manage.py", "migrate", "--run-syncdb", "--verbosity", "0"), ("manage.py", "run_due")),
        "manage:app",
    ),
]


@pytest.fixture
def database() -> Iterator[str]:
    """Yield the address of a new database."""
    name = f"app_{secrets.token_hex(6)}"
    admin().execute(f"CREATE DATABASE {name}".encode())
    dsn = make_conninfo(server_dsn(), dbname=name)
    yield psycopg_url(dsn)
    admin().execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def psycopg_url(dsn: str) -> str:
    """Return an address as a URL, which SQLAlchemy requires."""
    given = psycopg.conninfo.conninfo_to_dict(dsn)
    secret = f":{given['password']}" if given.get("password") else ""
    port = f"&port={given['port']}" if "port" in given else ""
    return f"postgresql://{given['user']}{secret}@/{given['dbname']}?host={given['host']}{port}"


def run(kind: Kind, database: str, *words: str, **variables: str) -> str:
    """Run a program of the example to its end, and return what it prints."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", *words],
        cwd=ROOT / kind.folder,
        env={"DATABASE_URL": database, "PYTHONPATH": ":".join(sys.path), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


@frozen
class Workers:
    """Processes that serve the app; each can be killed and replaced on its own."""

    kind: Kind
    database: str
    variables: Mapping[str, str] = field(factory=lambda: UNREAD)
    apps: list[App] = field(factory=list)

    def start(self) -> App:
        """Start a worker."""
        words = ("-m", "uvicorn", self.kind.served, "--app-dir", str(ROOT / self.kind.folder), "--port", "0")
        app = App(*words, DATABASE_URL=self.database, **self.variables)
        if app.url is None:
            app.end()
        assert app.url, "".join(app.told)
        return app

    def replace(self, number: int) -> None:
        """Kill a worker with SIGKILL, and start another in its place."""
        killed = self.apps[number]
        killed.process.send_signal(signal.SIGKILL)
        killed.end()
        self.apps[number] = self.start()


@contextmanager
def served(kind: Kind, database: str) -> Iterator[Workers]:
    """Set an example up, and yield its workers."""
    for words in kind.set_up:
        run(kind, database, *words)
    workers = Workers(kind, database)
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            workers.apps.extend(pool.map(lambda _: workers.start(), range(WORKERS)))
        yield workers
    finally:
        for app in workers.apps:
            app.end()


def answered(workers: Workers, number: int, send: Callable[[httpx.Client, str], httpx.Response]) -> httpx.Response:
    """Send the same request to one worker after another until there is an answer other than 503."""
    for attempt in range(TRIES_MAX):
        url = workers.apps[(number + attempt) % WORKERS].url
        try:
            with httpx.Client(base_url=str(url), timeout=60, trust_env=False, verify=NO_TLS) as client:
                answer = send(client, url or "")
        except httpx.TransportError:
            continue
        if answer.status_code != 503:
            return answer
    raise AssertionError(number)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_rows_entries_and_notifications_are_the_same(kind: Kind, database: str) -> None:
    """With a fifth of 400 requests invalid and five workers killed, no entry or notification is missing or doubled."""
    done, turn = count(1), Lock()

    def send(number: int) -> int:
        body = {"id": number, "member_id": f"m-{number % 7}", "score": 101 if number % 5 == 0 else 90}
        path = kind.paths[number % len(kind.paths)]
        status = answered(workers, number, lambda client, _: client.post(path, json=body)).status_code
        with turn:
            finished = next(done)
        if finished in KILLED_AFTER:
            workers.replace(KILLED_AFTER.index(finished) % WORKERS)
        return status

    with served(kind, database) as workers:
        for number in range(7):
            answer = answered(workers, number, lambda client, _, number=number: client.put(f"/members/m-{number}"))  # type: ignore[misc]
            assert answer.json() == {"outcome": "enrolled"}
        with ThreadPoolExecutor(CLIENTS) as pool:
            statuses = [*pool.map(send, range(REQUESTS))]
        assert statuses == [422 if number % 5 == 0 else 200 for number in range(REQUESTS)]
        standing = answered(workers, 0, lambda client, _: client.get("/members/m-1")).json()
        assert (standing["member_id"], standing["streak"]["current"]) == ("m-1", 0)
        assert answered(workers, 0, lambda client, _: client.get("/members/nobody")).status_code == 404
        told = "".join(line for app in workers.apps for line in app.told)
    assert "Traceback" not in told, told
    assert_together(database)


def assert_together(database: str) -> None:
    """Check that each benchmark has one entry and one notification, and that there are no others."""
    expected = {f"benchmark:{number}" for number in range(REQUESTS) if number % 5}
    with psycopg.connect(database) as connection, PostgresLedger.open(database, create=False) as ledger:
        entries = ledger.feed(after=0, limit=10_000)
        rows: list[Any] = connection.execute("SELECT id FROM benchmarks").fetchall()
        positions: list[Any] = connection.execute("SELECT position FROM notifications ORDER BY position").fetchall()
        assert [entry.position for entry in entries] == [position for (position,) in positions]
        assert sorted(f"benchmark:{number}" for (number,) in rows) == sorted(entry.key or "" for entry in entries)
        assert {entry.key for entry in entries} == expected
        assert Engage(ledger=ledger, clock=lambda: entries[-1].at).audit().is_healthy


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_it_reads_the_board(kind: Kind, database: str) -> None:
    """The app syncs a member who has a Discord id, by itself or by its cron command, and each error has its status."""
    for words in kind.set_up:
        run(kind, database, *words)
    with Mee6Server.start() as mee6:
        mee6.board.join(ADA, xp=12_340)
        variables = {"TRC_ENGAGE_GUILD_ID": mee6.guild_id, "TRC_ENGAGE_MEE6_URL": mee6.url}
        with PostgresLedger.open(database) as ledger:
            Engage(ledger=ledger, clock=lambda: datetime.now(UTC)).enroll("m-ada", discord_id=ADA)
        workers = Workers(kind, database, variables)
        app = workers.start()
        try:
            if kind.name == "django":
                assert run(kind, database, "manage.py", "run_due", **variables) == "synced, settled 0 days\n"
            standing = app.until("/members/m-ada", lambda told: told["discord"]["xp_total"])
            assert standing["discord"]["xp_total"] == 12_340
            assert_statuses(app)
            if kind.name == "fastapi":
                assert_a_download_pays(app)
        finally:
            app.end()


def assert_statuses(app: App) -> None:
    """Check that a taken Discord id and a used key are conflicts, and that an unknown member is not found."""
    first, other = {"id": 1, "member_id": "m-ada", "score": 90}, {"id": 1, "member_id": "m-bo", "score": 90}
    assert app.send("PUT", "/members/m-bo").status_code == 200
    assert app.send("PUT", f"/members/m-bo?discord_id={ADA}").status_code == 409
    sent = [app.send("POST", "/benchmarks", **body) for body in (first, other, {**first, "member_id": "nobody"})]
    assert [answer.status_code for answer in sent] == [200, 409, 404]


def assert_a_download_pays(app: App) -> None:
    """Check that the same request twice pays two downloads, because the key is an id from the database."""
    ids = [app.send("POST", "/downloads?member_id=m-bo").json()["id"] for _ in range(2)]
    assert (ids, app.get("/members/m-bo")["points"]) == ([1, 2], 10)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_failure_of_the_store_is_not_the_clients_fault(kind: Kind, database: str) -> None:
    """A request that fails because the store's schema is gone gets status 500."""
    for words in kind.set_up:
        run(kind, database, *words)
    app = Workers(kind, database).start()
    try:
        with psycopg.connect(database) as connection:
            connection.execute("DROP SCHEMA trc_engage CASCADE")
        assert app.send("POST", "/benchmarks", id=1, member_id="m-ada", score=90).status_code == 500
    finally:
        app.end()


def test_the_django_app_tests_itself(database: str) -> None:
    """The example's own tests, with Django's test case, pass on their own database."""
    (kind,) = (kind for kind in KINDS if kind.name == "django")
    told = run(kind, database, "manage.py", "test", "--verbosity", "1")
    assert "Ran 2 tests" in told
    assert "OK" in told


def test_django_shows_each_member_their_own_pages(database: str) -> None:
    """The mounted API and pages ask Django's session who a visitor is, and show members only to themselves."""
    (kind,) = (kind for kind in KINDS if kind.name == "django")
    for words in kind.set_up:
        run(kind, database, *words)
    log_in = (
        "import manage; from django.contrib.sessions.backends.db import SessionStore; "
        "session = SessionStore(); session['member_id'] = 'ada'; session.create(); print(session.session_key)"
    )
    cookie = {"Cookie": f"sessionid={run(kind, database, '-c', log_in).strip()}"}
    app = Workers(evolve(kind, served="pages:app"), database).start()
    try:
        assert [app.send("PUT", f"/members/{name}").status_code for name in ("ada", "bo")] == [200, 200]
        asked = [("ada", cookie), ("bo", cookie), ("ada", {})]
        with app.client() as client:
            answers = [client.get(f"/points/api/members/{name}", headers=headers) for name, headers in asked]
            assert [answer.status_code for answer in answers] == [200, 404, 404]
            assert 'href="/points/' in client.get("/points/members/ada", headers=cookie).text
    finally:
        app.end()
    assert "Traceback" not in "".join(app.told)
