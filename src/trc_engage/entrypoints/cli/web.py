"""The web command: serves the API and the pages."""

import re
import socket
import sys
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from importlib import import_module
from typing import Annotated, Any

import typer

from ..daemon.health import Health
from ..settings import Settings, SettingsError
from ..stores import check_store
from ..wiring import check_ready, name_of_source, opened
from .options import BadData, command, option, settings_in_force

BACKLOG = 128

EXTRA = "trc-engage[web]"
ROOT_FORM = r"(/[A-Za-z0-9._~-]+)+"


@command(
    "trc-engage web                              prints a link; open it",
    "trc-engage web --earning 'A benchmark=50'   shows what your awards earn",
    "trc-engage web --host 0.0.0.0 --may-see trc_app.access:may_see",
    "trc-engage web --public --root-path /points --allow-host club.example",
)
def web(
    *,
    host: Annotated[str, option("ADDRESS", "The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, option("PORT", "The port; 0 picks a free one.", min=0, max=65_535)] = 8000,
    may_see: Annotated[str | None, option("MODULE:NAME", "A function that decides who may see whom.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Show everybody the leaderboard, and nothing else.")] = False,
    root_path: Annotated[str, option("PATH", "The path below which a proxy serves it.")] = "",
    allow_host: Annotated[list[str] | None, option("HOST", "Refuse requests to other hosts; repeatable.")] = None,
    earning: Annotated[list[str] | None, option("WHAT=POINTS", "Show what an award earns; repeatable.")] = None,
) -> None:
    """Serve the leaderboard, the members' pages and the JSON API.

    On the loopback address it prints a link with a token. The link opens one browser, and then a new link is
    printed. Browsers opened that way see everything, others nothing; requests from other machines or host
    names are refused. On any other address, or behind a proxy, you must pass --may-see: a function that gets
    the request and a member id, and returns whether to show that member; or --public, which shows everybody
    the leaderboard and nothing else. Requests with TRC_ENGAGE_WEB_TOKEN (16 characters or more) see everything
    and can write, except with --public. Stop it with SIGTERM or Ctrl-C.
    """
    settings = settings_in_force()
    _check_installed()
    from ..web import access, server  # noqa: PLC0415  the extra is there by now

    if root_path and not re.fullmatch(ROOT_FORM, root_path):
        raise typer.BadParameter(f"{root_path!r}: give a path such as /points", param_hint="--root-path")
    is_open = bool(root_path or allow_host) or not access.is_loopback(host)
    options = dict(_access(settings, may_see, public=public, is_open=is_open), hosts=allow_host or ())
    options |= {"earnings": [server.earning_of(one) for one in earning or ()], "brand": server.brand_of(settings)}
    check_store(settings)
    name = name_of_source(settings)
    with (
        closing(listening(host, port, "choose another with --port")) as listener,
        opened(settings, name=name, read_only=public) as engage,
    ):
        health = Health(engage.status, partial(check_ready, settings))
        server.serve(engage, listener, health, root_path=root_path, secrets=settings.secrets, **options)


def _access(settings: Settings, may_see: str | None, *, public: bool, is_open: bool) -> Mapping[str, Any]:
    """Return who may see what, as options of the app; a public one gets no tokens, since they would open nothing."""
    if public and may_see is not None:
        raise typer.BadParameter("it cannot be combined with --may-see", param_hint="--public")
    if public:
        return {"public": True}
    if may_see is None and is_open:
        message = "to serve others than this machine, pass --may-see MODULE:NAME or --public"
        raise typer.BadParameter(message, param_hint="--host, --root-path or --allow-host")
    tokens = [one for one in (settings.web_token, settings.web_token_next) if one]
    hook = None if may_see is None else _hook(may_see)
    return {"may_see": hook, "alone": hook is None, "token": tokens, "read_token": settings.web_read_token}


def _check_installed() -> None:
    try:
        for name in ("jinja2", "starlette", "uvicorn"):
            import_module(name)
    except ImportError as error:
        raise SettingsError(EXTRA, None, f"is not installed; run {sys.executable} -m pip install '{EXTRA}'") from error


def listening(host: str, port: int, advice: str) -> socket.socket:
    """Start listening, before anything else is opened."""
    # asyncio turns off Nagle's delay of 40 ms only for sockets whose protocol is TCP.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, proto=socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        why = str(getattr(error, "strerror", None) or error).partition(" (")[0]
        raise BadData(f"cannot listen on {host}, port {port} ({why}); {advice}") from error
    return listener


def _hook(text: str) -> Any:
    module, _, name = text.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise typer.BadParameter(f"{text!r} cannot be found ({error})", param_hint="--may-see") from error
