"""Light or dark, remembered in a cookie; without one the system of whoever looks decides."""

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .links import link, root

COOKIE = "trc_engage_theme"
THEMES = ("light", "dark")
YEAR_SECONDS = 365 * 24 * 60 * 60
BODY_MAX = 8_192


def theme_of(request: Request) -> str | None:
    """Return the theme that was chosen, if any."""
    chosen = request.cookies.get(COOKIE)
    return chosen if chosen in THEMES else None


async def switch_theme(request: Request) -> Response:
    """Remember a theme, and go back to the page on which it was chosen."""
    sent = parse_qs((await _body(request)).decode(errors="replace"))
    theme, back = (sent.get(field, [""])[0] for field in ("theme", "back"))
    answer = RedirectResponse(back if _is_of(request, back) else link(request, "board"), 303)
    if theme in THEMES:
        path = f"{root(request)}/"
        answer.set_cookie(COOKIE, theme, YEAR_SECONDS, path=path, httponly=True, samesite="lax")
    return answer


async def _body(request: Request) -> bytes:
    """Return what was sent, as far as a theme can need it."""
    sent = b""
    async for piece in request.stream():
        sent += piece
        if len(sent) > BODY_MAX:
            return b""
    return sent


def _is_of(request: Request, path: str) -> bool:
    """Tell whether a path leads into this site and nowhere else."""
    begins = path.startswith(f"{root(request)}/") and not path.startswith("//")
    return begins and path.isascii() and path.isprintable() and "\\" not in path
