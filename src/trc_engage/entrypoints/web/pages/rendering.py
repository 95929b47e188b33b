"""From values to a page."""

import re
from datetime import date
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...text import signed
from ..caching import answered
from ..site import Site
from .dress import piece
from .links import link
from .names import begun, clean, label
from .theme import theme_of

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Vary": "Cookie, Authorization"}
MEDIA_TYPE = "text/html"
MINUS = "\u2212"
_COMMAND = re.compile(r"`([^`]+)`")


async def rendered(request: Request, template: str, **values: Any) -> Response:
    """Return a page; `values` are what its template needs beside what all of them do."""
    administers = await Site.of(request).administers(request)
    text = await run_in_threadpool(rendered_text, request, template, administers=administers, **values)
    return answered(request, text.encode(), MEDIA_TYPE, HEADERS)


def rendered_text(request: Request, template: str, **values: Any) -> str:
    """Return the text of a page."""
    query = request.url.query
    return (
        environment()
        .get_template(template)
        .render(
            link=lambda page, **parts: link(request, page, **parts),
            dress=lambda name: link(request, "dress", query={"v": piece(name).tag}, name=name),
            theme=theme_of(request),
            here=f"{request.url.path}?{query}" if query else request.url.path,
            **values,
        )
    )


@cache
def environment() -> Environment:
    """Return what all templates are read with."""
    made = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "begun": begun,
        "clean": clean,
        "label": label,
        "number": lambda number: f"{number:,}".replace("-", MINUS),
        "signed": lambda number: signed(number).replace("-", MINUS),
        "weekday": lambda day: f"{day:%a} {dated(day)}",
        "dated": dated,
        "month": lambda day: f"{day:%B %Y}",
        "clock": lambda at: f"{at:%H:%M}",
        "ordinal": ordinal,
        "commands": commands,
    }
    return made


def dated(day: date) -> str:
    """Return a day as people write it.

    >>> dated(date(2026, 3, 2))
    '2 Mar 2026'
    """
    return f"{day.day} {day:%b %Y}"


def ordinal(number: int) -> str:
    """Return a rank in words.

    >>> [ordinal(number) for number in (1, 2, 3, 11, 22, 1013)]
    ['1st', '2nd', '3rd', '11th', '22nd', '1,013th']
    """
    teen = 10 < number % 100 < 14
    return f"{number:,}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def commands(text: str) -> Markup:
    """Return a sentence with what stands between backticks marked as code; all else is escaped."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(clean(text)))))  # noqa: S704  escaped in this line
