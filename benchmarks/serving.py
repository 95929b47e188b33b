"""A member's summary over HTTP, compared with a bare Starlette route that runs the same SQL: two real servers."""

import asyncio
import random
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import measured
from population import PRAGMAS

from trc_engage import Engage
from trc_engage.adapters.sqlite import SqliteLedger

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKEN = "a-token-of-24-characters"  # noqa: S105  of a site that lives for the measure
REQUESTS = 4_000
CONNECTIONS = 8
WARMING = 200
SOMEBODY = "member-000007"


def bare_summaries(store: Path, _accounts: int) -> float:
    """Ask the bare route for random members."""
    return _asked("serve_bare", store, "/members/{}")


def site_summaries(store: Path, _accounts: int) -> float:
    """Ask the site for the same members."""
    return _asked("serve_site", store, "/api/members/{}")


def serve_bare(store: Path, _accounts: int) -> float:
    """Serve a route that runs the SQL of a summary and returns the rows."""
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import JSONResponse  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    statements, connected = statements_of_standing(store), connected_to(store)

    def summary(request: Request) -> JSONResponse:
        connection, me = connected(), {"me": request.path_params["member_id"]}
        return JSONResponse([connection.execute(statement, me).fetchall() for statement in statements])

    return _serve(Starlette(routes=[Route("/members/{member_id}", summary)]))


def serve_site(store: Path, _accounts: int) -> float:
    """Serve the site, as `trc-engage web` does."""
    from trc_engage.entrypoints.web import create_app  # noqa: PLC0415

    with SqliteLedger.open(store) as ledger:
        return _serve(create_app(Engage(ledger=ledger, clock=lambda: NOW), alone=True, token=TOKEN))


def connected_to(store: Path) -> Callable[[], sqlite3.Connection]:
    """Return a function that gives each thread its own connection."""
    local = threading.local()

    def connected() -> sqlite3.Connection:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(store, isolation_level=None)
            for pragma in PRAGMAS:
                local.connection.execute(pragma)
        connection: sqlite3.Connection = local.connection
        return connection

    return connected


def statements_of_standing(store: Path) -> list[str]:
    """Return the statements of a summary as SQLite received them, with a placeholder for the member."""
    told: list[str] = []
    with SqliteLedger.open(store) as ledger:
        with ledger._database.connection() as connection:  # noqa: SLF001
            traced: Any = connection
            traced.set_trace_callback(told.append)
        Engage(ledger=ledger, clock=lambda: NOW).standing(SOMEBODY)
    if not any(f"'{SOMEBODY}'" in one for one in told):
        raise RuntimeError(told)
    return [one.replace(f"'{SOMEBODY}'", ":me") for one in told if not one.startswith("--")]


def _serve(app: Any) -> float:
    import uvicorn  # noqa: PLC0415

    config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None, access_log=False, proxy_headers=False)
    # Created as TCP by name; otherwise asyncio keeps Nagle's delay of 40 ms.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
    return 0


def _asked(server: str, store: Path, path: str) -> float:
    """Return how long the requests take, over persistent connections."""
    with closing(sqlite3.connect(store)) as connection:
        members = [member_id for (member_id,) in connection.execute("SELECT member_id FROM members ORDER BY member_id")]
    chance = random.Random(1)
    heads = [
        f"GET {path.format(member_id)} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
        for member_id in chance.choices(members, k=REQUESTS)
    ]
    with _serving(server, store) as port:
        asyncio.run(_flood(port, heads[:WARMING]))
        return measured.timed(lambda: asyncio.run(_flood(port, heads)))


async def _flood(port: int, heads: list[bytes]) -> None:
    waiting = iter(heads)
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(_ask_on(port, waiting))


async def _ask_on(port: int, waiting: Iterator[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for head in waiting:
        writer.write(head)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer)
        _, _, rest = answer.lower().partition(b"content-length: ")
        await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
    writer.close()
    await writer.wait_closed()


@contextmanager
def _serving(server: str, store: Path) -> Iterator[int]:
    """Yield the port of a server in a separate process."""
    command = [sys.executable, measured.__file__, server, str(store), "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        if process.stdout is None:
            raise RuntimeError
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()
