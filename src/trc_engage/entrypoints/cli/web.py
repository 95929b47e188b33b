"""The web command: the API and the pages, served to this machine."""

import os
import socket
from contextlib import closing
from importlib import import_module
from ipaddress import ip_address
from typing import Annotated, Any

import typer

from ..settings import Settings, SettingsError
from ..stores import check_store
from ..wiring import opened
from .options import BadData, examples

BACKLOG = 128

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
    from ..web.server import earning_of, serve  # noqa: PLC0415  the extra is there by now

    hook = None if may_see is None else _hook(may_see)
    if hook is None and not _is_loopback(host):
        message = "on another address than loopback, say who may see whom with --may-see MODULE:NAME"
        raise typer.BadParameter(message, param_hint="--host")
    earnings = [earning_of(one) for one in earning or ()]
    check_store(settings)
    with closing(_listening(host, port)) as listener, opened(settings) as engage:
        serve(engage, settings.web_token, listener, hook, earnings)


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


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
