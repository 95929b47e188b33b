"""A board's pages, and the raw HTTP of an answer: a sync pays exactly what they say, or changes nothing."""

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import get_args

import httpcore
import httpx

from hostile.pages import BEFORE, EMPTY, GUILD
from support.community import QUARTER, Community
from trc_engage import Engage, SourceError
from trc_engage.adapters.boards import BoardSource
from trc_engage.adapters.lurkr import LurkrSource
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.core.boards import XP_MAX
from trc_engage.core.errors import SourceTrouble
from trc_engage.entrypoints.wording.alerts import describe_error

from .begun import Begin, copied
from .oracle import Target, check_message, claim

BETWEEN_PAGES = b"\n---\n"
PAGES_MAX = 12
KINDS = get_args(SourceTrouble)
TLS = ssl.create_default_context()
"""Creating it takes a hundred times as long as an answer."""


def begun(kind: type[BoardSource]) -> Community:
    """Return a community that read an earlier board of this kind a quarter of an hour ago."""
    community = Community()
    community.board_id = f"{kind.service.name.lower()}:{GUILD}"
    community.enroll(*BEFORE)
    community.sync(**BEFORE)
    community.now += QUARTER
    return community


SOURCES: Sequence[type[BoardSource]] = (Mee6Source, LurkrSource)
BEGUN: Mapping[type[BoardSource], Begin] = {kind: partial(begun, kind) for kind in SOURCES}


def read_pages(given: bytes) -> None:
    """Sync with a board of these pages, followed by empty ones."""
    pages = given.split(BETWEEN_PAGES)

    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        return httpx.Response(200, content=pages[number] if number < len(pages) else EMPTY)

    synced(Mee6Source, httpx.MockTransport(page), given)


def read_answer(given: bytes) -> None:
    """Sync with servers that send this to each request: one that behaves like MEE6, and one with rate limits."""
    for kind in SOURCES:
        synced(kind, sending(given), given)


def sending(raw: bytes) -> httpx.BaseTransport:
    """Return a transport that answers each request with these bytes, through all of httpx's parsing."""
    transport = httpx.HTTPTransport(verify=TLS, trust_env=False)
    backend = httpcore.MockBackend([raw[:100], raw[100:]])
    transport._pool = httpcore.ConnectionPool(ssl_context=TLS, network_backend=backend)
    return transport


@contextmanager
def unwatched(seconds_left: Callable[[], float]) -> Iterator[None]:  # noqa: ARG001  as the one it stands in for
    """Watch nothing, since the clock stands still: starting the thread would take most of the time."""
    yield


def synced(kind: type[BoardSource], transport: httpx.BaseTransport, given: bytes) -> None:
    """Read a board for a community that knows an earlier one, and check the result."""
    with kind.open(
        GUILD, transport=transport, page_gap=0, pages_max=PAGES_MAX, pause=lambda _: None, monotonic=lambda: 0.0
    ) as source:
        source._client.line.watched = unwatched  # type: ignore[method-assign]
        community = copied(BEGUN[kind])
        engage = Engage(ledger=community.ledger, source=source, clock=lambda: community.now)
        before = engage.feed()
        if not paid(engage.sync):
            claim(engage.feed() == before, "something was written although the board was refused")
    claim(not engage.audit().breaches, "the doctor finds a breach")
    for account in community.ledger.linked_accounts():
        xp = account.xp_total or 0
        claim(0 <= xp <= XP_MAX, f"nobody has {xp} XP")
        claim(
            xp in BEFORE.values() or str(xp).encode() in given.replace(b"\0", b""), f"the board says nothing of {xp} XP"
        )


def paid(sync: Callable[[], object]) -> bool:
    """Sync; return whether it succeeded, and check the error if it did not."""
    try:
        sync()
    except SourceError as error:
        claim(error.kind in KINDS, f"there is no kind {error.kind}")
        claim(error.retry_at is not None or error.kind not in {"rate_limited", "blocked"}, "no wait is kept")
        check_message(error.message)
        check_message(describe_error(error))
        return False
    return True


PAGE = Target(
    "pages of a board",
    read_pages,
    ("adapters/boards/paging.py",),
    (
        *(b'{"guild":{"id":"', b'"players":[', b'"id":"', b'"xp":', b'"id":"80351110224678900"', b'"detailed_xp":['),
        *(b"\n---\n", b"9007199254740992", b"-0", b"1e400", b"NaN", b"Infinity", b"null", b"true", b"[[", b"]]"),
        *(
            b"\\u0000",
            b"\\ud800",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"},{",
            b"99999999999999999999",
            b'"200000000000000001"',
        ),
    ),
)
HEADERS = Target(
    "HTTP around a page",
    read_answer,
    ("adapters/boards/responses.py",),
    (
        *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 429 Too Many Requests\r\n", b"HTTP/1.1 403 Forbidden\r\n", b"\r\n\r\n"),
        *(b"Retry-After: ", b"Date: Mon, 02 Mar 2026 09:15:00 GMT", b"Content-Type: text/html", b"Content-Length: "),
        *(b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"cf-mitigated: challenge", b"Location: "),
        *(
            b"X-RateLimit-Reset: ",
            b"X-RateLimit-Remaining: 0",
            b"503",
            b"404",
            b"401",
            b"302",
            b"1e9",
            b"0.5",
            b"-0000",
        ),
        *(b'{"error":{"message":"x"}}', b"just a moment", b"<html>", b"0\r\n\r\n", b"99999999999999999999", b"GMT"),
    ),
)
