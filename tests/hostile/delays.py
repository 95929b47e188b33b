"""Servers that take their time: the deadline ends every wait, whatever its cause."""

from collections.abc import Sequence

from .case import HURRIED, Case, stalled
from .pages import CHUNKED, FIRST, GOOD, JSON, PAGE, answer, chunks, head, made_up, rows
from .steps import asked, drip, flood, hold, send, serve
from .wire import Asked

LONG = head(JSON, "Content-Length: 100000")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
MIB_16 = 16 * 1024 * 1024


def _page_drip(asked: Asked) -> bytes:
    """Return full pages of new people forever, so that the read's deadline ends it, not a request's."""
    return answer(rows(*made_up(1_000 * asked.page, 1_000)))


CASES: Sequence[Case] = (
    stalled("silence", hold),
    stalled("drip_status_line", drip(GOOD)),
    stalled("drip_headers", send(b"HTTP/1.1 200 OK\r\n"), drip(b"X: y\r\n")),
    stalled("drip_header_value", send(b"HTTP/1.1 200 OK\r\nX: "), drip(b"y")),
    stalled("drip_body", send(LONG), drip(PAGE)),
    stalled("drip_blanks", send(LONG), drip(b" ")),
    stalled("drip_chunk_size", send(CHUNKED), drip(b"0000")),
    stalled("drip_chunk_extension", send(CHUNKED + b"5;"), drip(b"a")),
    stalled("drip_between_chunks", send(CHUNKED), drip(b"1\r\n \r\n", size=6)),
    stalled("drip_trailers", send(CHUNKED + chunks(PAGE) + b"0\r\n"), drip(b"X: y\r\n", size=6)),
    stalled("drip_continues", drip(CONTINUE, size=len(CONTINUE))),
    stalled("drip_processing", drip(b"HTTP/1.1 102 Processing\r\n\r\n", size=27)),
    stalled("drip_blank_lines", drip(b"\r\n"), says=""),
    stalled("hold_in_status_line", send(b"HTTP/1.1 20"), hold),
    stalled("hold_after_status_line", send(b"HTTP/1.1 200 OK\r\n"), hold),
    stalled("hold_in_headers", send(b"HTTP/1.1 200 OK\r\nContent-Ty"), hold),
    stalled("hold_before_body", send(LONG), hold),
    stalled("hold_in_body", send(GOOD[:-100]), hold),
    stalled("hold_before_last_byte", send(GOOD[:-1]), hold),
    stalled("hold_in_chunk", send(CHUNKED + chunks(PAGE)[:-100]), hold),
    stalled("hold_before_last_chunk", send(CHUNKED + chunks(PAGE)), hold),
    stalled("hold_in_trailers", send(CHUNKED + chunks(PAGE) + b"0\r\n"), hold),
    stalled("hold_whole_page_without_length", send(head(JSON) + PAGE), hold),
    stalled("flood_continues", flood(CONTINUE)),
    stalled("flood_processing", flood(b"HTTP/1.1 102 Processing\r\n\r\n")),
    stalled("flood_hints", flood(HINTS)),
    Case(
        "flood_tiny_chunks",
        "down",
        [[asked, send(CHUNKED), flood(b"1\r\n \r\n")]],
        "too slow",
        seconds=HURRIED,
        bytes_max=MIB_16,
    ),
    Case("drip_pages", "down", [[serve(_page_drip)]], "too slow", seconds=HURRIED, pages_max=100_000),
    Case("hold_second_page", "down", [[asked, send(answer(FIRST)), asked, hold]], "too slow", seconds=HURRIED),
    stalled(
        "hold_body_of_401",
        send(head(JSON, "Content-Length: 999", status="401 Unauthorized")),
        hold,
        outcome="private",
        says="give a valid token",
    ),
    stalled(
        "drip_body_of_429",
        send(head("Retry-After: 60", "Content-Length: 999", status="429 Slow Down")),
        drip(b"x"),
        outcome="rate_limited",
        says="fewer",
    ),
    stalled(
        "drip_body_of_403",
        send(head("Content-Length: 999", status="403 Forbidden")),
        drip(b"x"),
        outcome="blocked",
        says="403",
    ),
    stalled(
        "drip_body_of_404",
        send(head(JSON, "Transfer-Encoding: chunked", status="404 Not Found")),
        drip(b"1\r\n \r\n"),
        outcome="malformed",
        says="404",
    ),
    stalled(
        "drip_body_of_redirect",
        send(head("Location: /elsewhere", status="302 Found")),
        drip(b"x"),
        outcome="malformed",
        says="302",
    ),
    stalled(
        "drip_body_of_503",
        send(head("Retry-After: 60", "Content-Length: 999", status="503 Unavailable")),
        drip(b"x"),
        says="503",
    ),
)
