"""A valid page of the board, the HTTP around it, and how to spoil both."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from support.community import IDS, MONDAY
from trc_engage.testing.answers import encoded
from trc_engage.testing.mee6 import YEARS, Leaderboard, page_payload

GUILD = "200000000000000001"
BEFORE = {"ada": 1_000, "bo": 500, "cy": 50}
NOW = {**BEFORE, "ada": 1_250}
"""What the board shows while a case runs: two points for Ada, and nothing else."""
STRANGERS = 20
JSON = "Content-Type: application/json"

Payload = dict[str, Any]


def board(xp: dict[str, int]) -> Leaderboard:
    """Return a board with these members, and strangers above, between and below them."""
    board = Leaderboard(lambda: MONDAY)
    for name, total in xp.items():
        board.join(IDS[name], username=f"{name} ⛵", xp=total)
    for number in range(STRANGERS):
        board.join(str(700_000_000_000_000_000 + number), username=f"stranger {number}", xp=60 + 97 * number)
    return board


def payload(xp: dict[str, int] = NOW, page: int = 0, limit: int = 1_000, year: int = YEARS[-1]) -> Payload:
    """Return a page as MEE6 would send it."""
    return page_payload(year, GUILD, page, board(xp).snapshot().page(page, limit), 1.0)


PAGE = encoded(payload())
EMPTY = encoded({**payload(), "players": []})


def spoilt(spoil: Callable[[Payload], object]) -> bytes:
    """Return the valid page after a change to it."""
    page = payload()
    spoil(page)
    return encoded(page)


def row_of(page: Payload, name: str) -> Payload:
    """Return a member's row."""
    return next(row for row in page["players"] if row["id"] == IDS[name])


def rows(*players: Payload) -> bytes:
    """Return a page of only these rows."""
    return encoded({**payload(), "players": list(players)})


def row(name: str, xp: int) -> Payload:
    """Return the smallest valid row."""
    return {"id": IDS[name], "xp": xp}


def made_up(first: int, count: int) -> Sequence[Payload]:
    """Return the rows of people who do not exist."""
    return [{"id": str(900_000_000_000_000_000 + number), "xp": 7} for number in range(first, first + count)]


CY = row("cy", NOW["cy"])
FIRST = rows(row("ada", NOW["ada"]), row("bo", NOW["bo"]), *made_up(0, 998))
"""A full first page, without Cy."""
SECOND = rows(CY, *made_up(998, 9))


def head(*headers: str, status: str = "200 OK", version: str = "HTTP/1.1") -> bytes:
    """Return a head with exactly these headers, including its end."""
    return "\r\n".join([f"{version} {status}".rstrip(), *headers, "", ""]).encode("utf-8", "surrogateescape")


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return an answer with the right length, as JSON unless the headers give another type."""
    if not any(header.lower().startswith("content-type") for header in headers):
        headers = (JSON, *headers)
    return head(f"Content-Length: {len(body)}", *headers, status=status) + body


def chunks(body: bytes, size: int = 500) -> bytes:
    """Return a body in chunks, without the last chunk, which ends it."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


CHUNKED = head(JSON, "Transfer-Encoding: chunked")
LAST_CHUNK = b"0\r\n\r\n"
GOOD = answer(PAGE)


def error_body(status: int, message: str) -> bytes:
    """Return an error as MEE6 words it."""
    return json.dumps({"status_code": status, "error": {"message": message}}).encode()
