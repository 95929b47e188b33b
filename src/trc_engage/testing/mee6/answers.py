"""What goes over the wire: whole answers, of MEE6 itself and of the edge in front of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus

from attrs import evolve, frozen

from .shapes import encoded

JSON = "application/json"
HTML = "text/html; charset=UTF-8"
TEXT = "text/plain; charset=UTF-8"


@frozen
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Sequence[tuple[str, str]] = ()

    def having(self, *headers: tuple[str, str]) -> "Answer":
        """Return this answer with further headers."""
        return evolve(self, headers=(*self.headers, *headers))

    def head(self, at: datetime | None) -> bytes:
        """Return the head for a body of this length; without an instant it has no Date."""
        return self.open_head(at, ("Content-Length", str(len(self.body))))

    def open_head(self, at: datetime | None, *framing: tuple[str, str]) -> bytes:
        """Return the head for a body that is framed in another way, or not at all."""
        date = () if at is None else (("Date", http_date(at)),)
        headers = (*date, ("Content-Type", self.content_type), ("Server", "cloudflare"), *framing, *self.headers)
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def raw(self, at: datetime | None) -> bytes:
        """Return head and body."""
        return self.head(at) + self.body


def http_date(at: datetime) -> str:
    """Return an instant as HTTP writes it."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def mee6_error(status: int, message: str) -> Answer:
    """Return an error that MEE6 itself tells: a JSON `error` object."""
    return Answer(status, encoded({"error": {"message": message}, "status_code": status}))


def edge_page(status: int, title: str, text: str) -> Answer:
    """Return a page of the edge: HTML for a person, which no client can read."""
    page = (
        f'<!DOCTYPE html>\n<html lang="en-US">\n<head><title>{title}</title>'
        f'<meta http-equiv="X-UA-Compatible" content="IE=Edge" /></head>\n'
        f'<body><div id="cf-wrapper"><h1>{title}</h1><p>{text}</p>'
        f"<p>Cloudflare Ray ID: <code>8c2f6e0a1b3d4f5a</code></p></div></body>\n</html>\n"
    )
    return Answer(status, page.encode(), HTML)


UNAUTHORIZED = mee6_error(
    401,
    "The server could not verify that you are authorized to access the URL requested. You either supplied the "
    "wrong credentials (e.g. a bad password), or your browser doesn't understand how to supply the credentials "
    "required.",
)
GUILD_NOT_FOUND = mee6_error(404, "Guild not found")
PATH_NOT_FOUND = mee6_error(
    404,
    "The requested URL was not found on the server. If you entered the URL manually please check your spelling "
    "and try again.",
)
BAD_QUERY = mee6_error(400, "limit and page must be whole numbers: limit from 1 on, page from 0 on")
RATE_LIMITED = Answer(429, b"error code: 1015", TEXT)
BLOCKED = edge_page(403, "Attention Required! | Cloudflare", "Sorry, you have been blocked")
