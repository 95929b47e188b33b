"""Page rendering: templates, links, names and themes."""

import re
from collections.abc import Set
from datetime import date, datetime
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any
from unicodedata import category
from urllib.parse import parse_qs, quote, urlencode
from zoneinfo import ZoneInfo, available_timezones

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ....core.reports import Found, Rank, Standing
from ...wording import name_of, signed
from ..access import Site
from ..brand import Brand
from ..endpoints import Endpoint, body_of, tagged

TAG_BYTES = 6


@cache
def asset(name: str, brand: Brand) -> tuple[bytes, str]:
    """Return a static file, and a tag of its content; the stylesheet ends with the brand's colors."""
    content = (files(__package__) / "static" / name).read_bytes()
    if name == "pages.css":
        content += brand.css.encode()
    return content, blake2b(content, digest_size=TAG_BYTES).hexdigest()


def root(request: Request) -> str:
    """Return the path that the site is mounted under, without a trailing slash."""
    return quote(str(request.scope.get("root_path", "")).rstrip("/"))


def link(request: Request, page: str, /, *, query: dict[str, str] | None = None, **parts: str) -> str:
    """Return the path of a page; `url_for` would ask the app that this one is mounted in."""
    quoted = {name: quote(value, safe="") for name, value in parts.items()}
    path = root(request) + str(request.app.url_path_for(page, **quoted))
    return f"{path}?{urlencode(query)}" if query else path


LONG = 40
"""Longer names are clipped in lists."""
_BIDI_MARKS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
"""Marks that change the direction of what follows; the pages isolate each name and need none."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters by their category, but invisible."""


@frozen
class Label:
    """A member's name on a page."""

    text: str
    is_placeholder: bool = False
    """Whether it was made from the id, because no name is visible."""

    @property
    def is_long(self) -> bool:
        """Whether lists clip it."""
        return len(self.text) > LONG


def label(one: Rank | Standing | Found) -> Label:
    """Return a member's label: the name, or the id if nothing of the name is visible."""
    text = clean((name_of(one) if isinstance(one, Standing) else one.name) or "")
    return Label(text) if is_visible(text) else Label(f"Member {clean(one.member_id)}", is_placeholder=True)


def clean(text: str) -> str:
    """Return text on one line, without control characters and without marks that change its direction.

    >>> clean("Ada" + chr(0x202E) + chr(0) + chr(10) + "Lovelace")
    'Ada Lovelace'
    """
    kept = (char if char.isspace() or category(char) not in {"Cc", "Cs"} else "" for char in _BIDI_MARKS.sub("", text))
    return " ".join("".join(kept).split())


def capitalized(text: str) -> str:
    """Return clean text with its first letter in upper case."""
    cleaned = clean(text)
    return f"{cleaned[:1].upper()}{cleaned[1:]}"


def is_visible(text: str) -> bool:
    """Return whether a text has a visible character: a letter, a digit or a sign, not marks alone."""
    return any(category(char)[0] in "LNPS" and char not in _BLANK for char in text)


THEMES = ("light", "dark")
YEAR_SECONDS = 365 * 24 * 60 * 60


@cache
def choices(name: str) -> Set[str]:
    """Return the themes, or the time zones: UTC and those that this machine knows by the name of a place."""
    places = (zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return {"theme": {*THEMES}, "zone": {"UTC", *places}}[name]


def choice(request: Request, name: str) -> str | None:
    """Return the theme or the zone that was chosen, if any."""
    chosen = request.cookies.get(f"trc_engage_{name}")
    return chosen if chosen in choices(name) else None


async def choose(request: Request) -> Response:
    """Set a cookie with the theme or the zone, and redirect back to the page."""
    sent = parse_qs((await body_of(request)).decode(errors="replace"))
    back = sent.get("back", [""])[0]
    answer = RedirectResponse(back if _is_path_of(request, back) else link(request, "board"), 303)
    for name in ("theme", "zone"):
        if (chosen := sent.get(name, [""])[0]) in choices(name):
            path = f"{root(request)}/"
            answer.set_cookie(f"trc_engage_{name}", chosen, YEAR_SECONDS, path=path, httponly=True, samesite="lax")
    return answer


def _is_path_of(request: Request, path: str) -> bool:
    """Return whether a path leads to a page of this site."""
    begins = path.startswith(f"{root(request)}/") and not path.startswith("//")
    return begins and path.isascii() and path.isprintable() and "\\" not in path


POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Vary": "Cookie, Authorization"}
MEDIA_TYPE = "text/html"
MINUS = "\u2212"
_COMMAND = re.compile(r"`([^`]+)`")


class Page(Endpoint):
    """A page: its handler returns what the template of the same name shows."""

    def respond(self, request: Request, value: Any) -> Response:
        """Return the page, or the redirect that the handler made."""
        if isinstance(value, Response):
            return value
        text = render(request, f"{self.handler.__name__}.html", administers=request.state.administers, **value)
        return tagged(request, text.encode(), MEDIA_TYPE, HEADERS)


def render(request: Request, template: str, **values: Any) -> str:
    """Return the HTML of a page; `values` are for its template alone."""
    path, query, site = request.url.path, request.url.query, Site.of(request)
    return (
        environment()
        .get_template(template)
        .render(
            link=lambda page, **parts: link(request, page, **parts),
            static=lambda name: link(request, "static", query={"v": asset(name, site.brand)[1]}, name=name),
            theme=choice(request, "theme"),
            zone=choice(request, "zone") or "UTC",
            brand=site.brand,
            public=site.public,
            here=f"{path}?{query}" if query else path,
            **values,
        )
    )


@cache
def environment() -> Environment:
    """Return the environment that all templates share."""
    made = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "capitalized": capitalized,
        "clean": clean,
        "label": label,
        "number": lambda number: f"{number:,}".replace("-", MINUS),
        "signed": lambda number: signed(number).replace("-", MINUS),
        "weekday": lambda day: f"{day:%a} {dated(day)}",
        "dated": dated,
        "month": lambda day: f"{day:%B %Y}",
        "clock": lambda at: f"{at:%H:%M}",
        "local": local,
        "ordinal": ordinal,
        "commands": commands,
    }
    return made


@pass_context
def local(context: Context, at: datetime) -> datetime:
    """Return an instant in the reader's chosen zone; days stay UTC."""
    return at.astimezone(ZoneInfo(context["zone"]))


def dated(day: date) -> str:
    """Return a day as people write it.

    >>> dated(date(2026, 3, 2))
    '2 Mar 2026'
    """
    return f"{day.day} {day:%b %Y}"


def ordinal(number: int) -> str:
    """Return a rank as an ordinal.

    >>> [ordinal(number) for number in (1, 2, 3, 11, 22, 1013)]
    ['1st', '2nd', '3rd', '11th', '22nd', '1,013th']
    """
    teen = 10 < number % 100 < 14
    return f"{number:,}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def commands(text: str) -> Markup:
    """Return HTML in which commands in backticks are marked as code; everything else is escaped."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(clean(text)))))  # noqa: S704  escaped in this line
