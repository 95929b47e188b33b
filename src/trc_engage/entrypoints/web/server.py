"""Serve a standalone site until a signal, with limits on slow and numerous clients that uvicorn lacks."""

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
from attrs import fields_dict
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from ...core.errors import InvalidValue
from ...engage import Engage
from ..daemon.health import METRICS, PATHS, Health
from ..daemon.logs import logged
from ..daemon.signals import stop_on_signals
from ..settings import Settings, SettingsError
from . import Brand, Earning, Login, Site, create_app
from .access import add_security_headers

HEAD_SECONDS = 10.0
"""For the complete head of a request, on a new or a kept-alive connection."""
BODY_SECONDS = 10.0
"""For its body."""
ANSWER_SECONDS = 60.0
"""For the answer, until the client has read it."""
CONNECTIONS_MAX = 500
FILES_WANTED = 4_096
FILES_APART = 400
"""Open files besides counted connections: the store's, and connections accepted but not yet counted."""
BACKLOG = 64
"""How many connections are accepted at a time."""
SAME_AGAIN_SECONDS = 10.0


class GuardedProtocol(H11Protocol):
    """One connection; dropped if it keeps the server waiting, or has waited longest when there are too many."""

    connections_max = CONNECTIONS_MAX
    stage = ""
    """What the server is waiting for."""
    since = 0.0
    """Since when, by the loop's clock."""
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection; if there are too many, drop the one that waits longest."""
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > self.connections_max:
            guarded = [one for one in self.connections if isinstance(one, GuardedProtocol)]
            waiting = [one for one in guarded if one.stage != "answer"]
            min(waiting, key=lambda one: (not one.stage.startswith("head"), one.since), default=self).drop()

    def data_received(self, data: bytes) -> None:
        """Handle data and update the deadline."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request; if it is there already, its time begins now."""
        self.stage = ""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def drop(self) -> None:
        """Abort the connection; closing it would wait until the response is read."""
        self.connections.discard(self)
        self.transport.abort()

    def _watch(self) -> None:
        """Set a new deadline when another part of the exchange begins."""
        stage, seconds = self._part()
        if stage == self.stage or (self._deadline is not None and self.transport.is_closing()):
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self.stage, self.since = stage, self.loop.time()
        self._deadline = self.loop.call_later(seconds, self.drop)

    def _part(self) -> tuple[str, float]:
        """Return what the server is waiting for, and how long it may take."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            return "head", HEAD_SECONDS
        if cycle.response_complete:
            # The client may not have read the response yet.
            is_read = self.transport.get_write_buffer_size() == 0
            return f"head {self.server_state.total_requests}", HEAD_SECONDS if is_read else ANSWER_SECONDS
        return ("body", BODY_SECONDS) if cycle.more_body else ("answer", ANSWER_SECONDS)


class RepeatFilter(logging.Filter):
    """Logs the same message at most every 10 seconds, so that garbage requests cannot fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._logged_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the message has not been logged in the last 10 seconds."""
        now = time.monotonic()
        if now - self._logged_at.get(record.msg, -SAME_AGAIN_SECONDS) < SAME_AGAIN_SECONDS:
            return False
        self._logged_at[str(record.msg)] = now
        return True


def guards() -> dict[str, Any]:
    """Return the options of uvicorn that set the limits, after raising the limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft != resource.RLIM_INFINITY:
        # Otherwise the server could accept no more connections, and would log that endlessly.
        GuardedProtocol.connections_max = max(BACKLOG, min(CONNECTIONS_MAX, soft - FILES_APART))
    logging.getLogger("uvicorn.error").addFilter(RepeatFilter())
    return {"http": GuardedProtocol, "backlog": BACKLOG}


GRACE_SECONDS = 3
"""For running requests after a signal."""


def serve(
    engage: Engage, listener: socket.socket, health: Health, *, root_path: str, secrets: Sequence[str], **options: Any
) -> None:
    """Serve until SIGTERM or Ctrl-C; `options` are those of `create_app`."""
    name, port = listener.getsockname()[:2]
    url = f"http://{f'[{name}]' if ':' in name else name}:{port}/"

    def announce(next_token: str) -> None:
        with suppress(OSError):
            typer.echo(f"opened; for another browser, open {url}?token={next_token}")

    login = Login(announce)
    app = create_app(engage, login=login, **options)
    config = uvicorn.Config(
        answering(health, app.state.site, below(root_path, app) if root_path else app),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        # Any client can set these headers, so the app trusts only the connection.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        **guards(),
    )
    with stop_on_signals() as stop, logged("warning", as_json=False, secrets=secrets):
        stop.on_signal(app.state.site.feed_watch.close)
        typer.echo(f"serving on {url} until SIGTERM or Ctrl-C")
        if options.get("alone"):
            typer.echo(f"open {url}?token={login.token} (the link opens one browser; then the next is printed)")
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def below(root: str, app: ASGIApp) -> ASGIApp:
    """Return an app served below a path, whether its proxy keeps that path or strips it."""

    async def rooted(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        rest = path.removeprefix(root) if f"{path}/".startswith(f"{root}/") else path
        await app({**scope, "root_path": root, "path": f"{root}{rest or '/'}"}, receive, send)

    return rooted


def answering(health: Health, site: Site, app: ASGIApp) -> ASGIApp:
    """Return an app that also answers monitors; metrics require a token or the session cookie."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_asked = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and path in PATHS
        if not is_asked or (path == METRICS and not site.has_entry(Request(scope))):
            await app(scope, receive, send)
            return
        status, media_type, body = await run_in_threadpool(health.answer, path)
        response = Response(body, status, media_type=media_type)
        add_security_headers(response.raw_headers)
        await response(scope, receive, send)

    return answered


def brand_of(settings: Settings) -> Brand:
    """Return the brand from the settings."""
    given = {name: getattr(settings, f"web_{name}") for name in fields_dict(Brand)}
    try:
        return Brand(**{name: value for name, value in given.items() if value is not None})
    except InvalidValue as error:
        raise SettingsError(f"TRC_ENGAGE_WEB_{error.field.upper()}", str(error.value), error.advice) from None


def earning_of(text: str) -> Earning:
    """Parse `WHAT=POINTS` from the command line."""
    what, _, points = text.rpartition("=")
    if not what.strip() or not (points.isascii() and points.isdigit()):
        raise typer.BadParameter(f"{text!r}: write it as WHAT=POINTS", param_hint="--earning")
    return Earning(what.strip(), int(points))
