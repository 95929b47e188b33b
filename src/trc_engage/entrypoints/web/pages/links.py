"""Where the pages stand, mounted or not."""

from urllib.parse import quote, urlencode

from starlette.requests import Request


def root(request: Request) -> str:
    """Return the path that the site is mounted under, without a slash at its end."""
    return quote(str(request.scope.get("root_path", "")).rstrip("/"))


def link(request: Request, page: str, /, *, query: dict[str, str] | None = None, **parts: str) -> str:
    """Return the path of a page of this site; of the site itself, since `url_for` asks the app it is mounted in."""
    quoted = {name: quote(value, safe="") for name, value in parts.items()}
    path = root(request) + str(request.app.url_path_for(page, **quoted))
    return f"{path}?{urlencode(query)}" if query else path
