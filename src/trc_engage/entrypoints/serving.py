"""The web command: the API and the pages, served to this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import closing, suppress
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .arguments import examples
from .exits import BadData
from .settings import Settings, SettingsError
from .wiring import check_store, opened

if TYPE_CHECKING:
    from ..engage import Engage
    from .web import Earning

BACKLOG = 128
GRACE_SECONDS = 3
"""How long requests that are under way may take once the end was asked for."""
EXTRA = "trc-engage[web]"

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog=examples(
        "Examples:",
        "trc-engage web                              then open the link that it prints",
        "trc-engage web --earning 'A benchmark=50'   say what your awards earn",
        "trc-engage web --host 0.0.0.0 --may-see trc_app.access:may_see",
    )
)
def web(
    *,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="0 takes a free one.", min=0, max=65_535)] = 8000,
    may_see: Annotated[
        str | None, typer.Option(metavar="MODULE:NAME", help="The function that says who may see whom.")
    ] = None,
    earning: Annotated[
        list[str] | None, typer.Option(metavar="WHAT=POINTS", help="What an award earns, to be shown; repeatable.")
    ] = None,
) -> None:
    """Serve the leaderboard, the members' pages and the JSON API.

    Listening on this machine's own address it prints a link with a token that opens one browser, and then the
    next one. Whoever came in by one sees all, all others nothing, and requests that come from elsewhere or by
    another name are refused. On another address it needs --may-see: a function that is called with each request
    and a member's id and says whether that member may be seen. With TRC_ENGAGE_WEB_TOKEN (16 characters or more)
    whoever bears it sees all and can also write. SIGTERM and Ctrl-C end it.
    """
    settings = Settings.from_mapping(os.environ)
    _check_installed()
    hook = None if may_see is None else _hook(may_see)
    if hook is None and not _is_loopback(host):
        message = "on another address than loopback, say who may see whom with --may-see MODULE:NAME"
        raise typer.BadParameter(message, param_hint="--host")
    earnings = [_earning(one) for one in earning or ()]
    check_store(settings)
    with closing(_listening(host, port)) as listener, opened(settings) as engage:
        _serve(engage, settings.web_token, listener, hook, earnings)


def _serve(engage: Engage, token: str | None, listener: socket.socket, hook: Any, earnings: Sequence[Earning]) -> None:
    """Serve until a signal asks for the end."""
    import asyncio  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415

    from .guarding import guards  # noqa: PLC0415
    from .logs import logged  # noqa: PLC0415
    from .stopping import heeding_signals  # noqa: PLC0415
    from .web import Entrance, create_app  # noqa: PLC0415

    name, port = listener.getsockname()[:2]
    url = f"http://{f'[{name}]' if ':' in name else name}:{port}/"

    def announce(next_token: str) -> None:
        with suppress(OSError):
            typer.echo(f"opened; for another browser open {url}?token={next_token}")

    entrance = Entrance(announce)
    served = create_app(engage, may_see=hook, token=token, alone=hook is None, earnings=earnings, entrance=entrance)
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
    with heeding_signals(), logged("warning", as_json=False, secrets=(token,)):
        typer.echo(f"serving on {url} until SIGTERM or Ctrl-C")
        if hook is None:
            typer.echo(f"open {url}?token={entrance.token} (the link opens one browser; then the next is printed)")
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def _check_installed() -> None:
    try:
        for name in ("jinja2", "starlette", "uvicorn"):
            import_module(name)
    except ImportError as error:
        raise SettingsError(EXTRA, None, f"is not installed; pip install '{EXTRA}'") from error


def _listening(host: str, port: int) -> socket.socket:
    """Listen, before anything else is opened."""
    # asyncio turns Nagle's delay of 40 ms off only for a socket that says it is of TCP.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, proto=socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        why = str(error.strerror or error).partition(" (")[0]
        message = f"cannot listen on {host}, port {port} ({why}); choose another with --port"
        raise BadData(message) from error
    return listener


def _hook(text: str) -> Any:
    module, _, name = text.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise typer.BadParameter(f"{text!r} cannot be found ({error})", param_hint="--may-see") from error


def _earning(text: str) -> Earning:
    from .web import Earning  # noqa: PLC0415

    what, _, points = text.rpartition("=")
    if not what.strip() or not (points.isascii() and points.isdigit()):
        raise typer.BadParameter(f"{text!r}: write it as WHAT=POINTS", param_hint="--earning")
    return Earning(what.strip(), int(points))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
