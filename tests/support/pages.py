"""Pages as a visitor sees them."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from trc_engage import Engage
from trc_engage.entrypoints.web import create_app

from .markup import Element, read
from .visitor import Visitor

PLACE = "/points"
"""Where another app mounts the pages."""


def shown(visitor: Visitor, path: str, status: int = 200) -> Element:
    """Get a page and return its parsed HTML."""
    response = visitor.get(path)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return read(response.text)


def rows(table: Element) -> list[list[str]]:
    """Return the words of each cell, for each row of a table's body."""
    return [[cell.words for cell in row.parts if isinstance(cell, Element)] for row in table.one("tbody").all("tr")]


def mounted(engage: Engage, may_see: Callable[[Request, str], bool], **options: Any) -> Visitor:
    """Return a visitor of a site that mounts the pages."""
    app = create_app(engage, may_see=may_see, **options)
    return Visitor(Starlette(routes=[Mount(PLACE, app)]), url="https://site.example")
