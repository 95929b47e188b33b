"""The site served alone: until a signal, and with limits for whoever connects, of which uvicorn has none."""

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import typer
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from ...engage import Engage
from ..daemon.logs import logged
from ..daemon.signals import stop_on_signals
from . import Earning, Login, create_app

HEAD_SECONDS = 10.0
"""Within which a request's head must be complete, of a new connection and of one that was kept."""
BODY_SECONDS = 10.0
"""Within which its body must be."""
ANSWER_SECONDS = 60.0
"""Within which it must be answered, and the answer read."""
CONNECTIONS_MAX = 500
FILES_WANTED = 4_096
FILES_APART = 400
"""Open files that are no connections: the store's, and connections that were taken and not yet counted."""
BACKLOG = 64
"""How many connections are taken at a time."""
SAME_AGAIN_SECONDS = 10.0


class GuardedProtocol(H11Protocol):
    """One connection, which is dropped when it keeps the server waiting; and the longest waiting if there are many."""

    connections_max = CONNECTIONS_MAX
    stage = ""
    """What is waited for …"""
    since = 0.0
    """… and since when."""
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, in the place of one that waits if there are too many."""
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > self.connections_max:
            guarded = [one for one in self.connections if isinstance(one, GuardedProtocol)]
            waiting = [one for one in guarded if one.stage != "answer"]
            min(waiting, key=lambda one: (not one.stage.startswith("head"), one.since), default=self).drop()

    def data_received(self, data: bytes) -> None:
        """Take what was sent."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for what is sent next; if it is there already, its time begins now."""
        self.stage = ""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def drop(self) -> None:
        """End the connection at once; to close it would wait for what was answered to be read."""
        self.connections.discard(self)
        self.transport.abort()

    def _watch(self) -> None:
        """Set another limit where another part of the exchange begins."""
        stage, seconds = self._part()
        if stage == self.stage or (self._deadline is not None and self.transport.is_closing()):
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self.stage, self.since = stage, self.loop.time()
        self._deadline = self.loop.call_later(seconds, self.drop)

    def _part(self) -> tuple[str, float]:
        """Return what is waited for, and how long it may take."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            return "head", HEAD_SECONDS
        if cycle.response_complete:
            # What was answered may still have to be read.
            is_read = self.transport.get_write_buffer_size() == 0
            return f"head {self.server_state.total_requests}", HEAD_SECONDS if is_read else ANSWER_SECONDS
        return ("body", BODY_SECONDS) if cycle.more_body else ("answer", ANSWER_SECONDS)


class Sparing(logging.Filter):
    """Lets the same message through once in a while: whoever sends rubbish fills no disk."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the message was not told just now."""
        now = time.monotonic()
        if now - self._told.get(record.msg, -SAME_AGAIN_SECONDS) < SAME_AGAIN_SECONDS:
            return False
        self._told[str(record.msg)] = now
        return True


def guards() -> dict[str, Any]:
    """Return the options of uvicorn that set the limits, once room is made for as many connections as may be open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft != resource.RLIM_INFINITY:
        # Or the server could take no connection any more, and say so without end.
        GuardedProtocol.connections_max = max(BACKLOG, min(CONNECTIONS_MAX, soft - FILES_APART))
    logging.getLogger("uvicorn.error").addFilter(Sparing())
    return {"http": GuardedProtocol, "backlog": BACKLOG}


GRACE_SECONDS = 3
"""How long requests that are under way may take once the end was asked for."""


def serve(engage: Engage, token: str | None, listener: socket.socket, hook: Any, earnings: Sequence[Earning]) -> None:
    """Serve until a signal asks for the end."""
    name, port = listener.getsockname()[:2]
    url = f"http://{f'[{name}]' if ':' in name else name}:{port}/"

    def announce(next_token: str) -> None:
        with suppress(OSError):
            typer.echo(f"opened; for another browser open {url}?token={next_token}")

    login = Login(announce)
    served = create_app(engage, may_see=hook, token=token, alone=hook is None, earnings=earnings, login=login)
    config = uvicorn.Config(
        served,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        # Whoever can set a header could be anybody, and the app believes what the connection says.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        **guards(),
    )
    with stop_on_signals(), logged("warning", as_json=False, secrets=(token,)):
        typer.echo(f"serving on {url} until SIGTERM or Ctrl-C")
        if hook is None:
            typer.echo(f"open {url}?token={login.token} (the link opens one browser; then the next is printed)")
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def earning_of(text: str) -> Earning:
    """Return what an award earns, as it is written on the command line."""
    what, _, points = text.rpartition("=")
    if not what.strip() or not (points.isascii() and points.isdigit()):
        raise typer.BadParameter(f"{text!r}: write it as WHAT=POINTS", param_hint="--earning")
    return Earning(what.strip(), int(points))
