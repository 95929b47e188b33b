"""The web command: it serves the API and the pages."""

import socket
from contextlib import closing
from importlib import import_module
from ipaddress import ip_address
from typing import Annotated, Any

import typer

from ..settings import SettingsError
from ..stores import check_store
from ..wiring import name_of_source, opened
from .options import BadData, command, option, settings_in_force

BACKLOG = 128

EXTRA = "trc-engage[web]"


@command(
    "trc-engage web                              prints a link; open it",
    "trc-engage web --earning 'A benchmark=50'   shows what your awards earn",
    "trc-engage web --host 0.0.0.0 --may-see trc_app.access:may_see",
)
def web(
    *,
    host: Annotated[str, option("ADDRESS", "The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, option("PORT", "The port; 0 picks a free one.", min=0, max=65_535)] = 8000,
    may_see: Annotated[str | None, option("MODULE:NAME", "A function that decides who may see whom.")] = None,
    earning: Annotated[list[str] | None, option("WHAT=POINTS", "Show what an award earns; repeatable.")] = None,
) -> None:
    """Serve the leaderboard, the members' pages and the JSON API.

    On the loopback address it prints a link with a token. The link opens one browser, and then a new link is
    printed. Browsers opened that way see everything, others nothing; requests from other machines or host
    names are refused. On any other address you must pass --may-see: a function that gets the request and a
    member id, and returns whether to show that member. Requests with TRC_ENGAGE_WEB_TOKEN (16 characters or
    more) see everything and can write. Stop it with SIGTERM or Ctrl-C.
    """
    settings = settings_in_force()
    _check_installed()
    from ..web.server import brand_of, earning_of, serve  # noqa: PLC0415  the extra is there by now

    hook = None if may_see is None else _hook(may_see)
    if hook is None and not _is_loopback(host):
        message = "to listen on an address other than loopback, pass --may-see MODULE:NAME"
        raise typer.BadParameter(message, param_hint="--host")
    earnings = [earning_of(one) for one in earning or ()]
    brand = brand_of(settings)
    check_store(settings)
    name = name_of_source(settings)
    with closing(_listening(host, port)) as listener, opened(settings, name=name) as engage:
        tokens = [one for one in (settings.web_token, settings.web_token_next) if one]
        read_token = settings.web_read_token
        serve(engage, listener, tokens=tokens, read_token=read_token, may_see=hook, earnings=earnings, brand=brand)


def _check_installed() -> None:
    try:
        for name in ("jinja2", "starlette", "uvicorn"):
            import_module(name)
    except ImportError as error:
        raise SettingsError(EXTRA, None, f"is not installed; pip install '{EXTRA}'") from error


def _listening(host: str, port: int) -> socket.socket:
    """Start to listen before anything else is opened."""
    # asyncio turns off Nagle's delay of 40 ms only for sockets whose protocol is TCP.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, proto=socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        why = str(error.strerror or error).partition(" (")[0]
        raise BadData(f"cannot listen on {host}, port {port} ({why}); choose another with --port") from error
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
