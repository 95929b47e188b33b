"""What an answer's headers, status and body mean, and what every error of httpx becomes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given, strategies as st

from trc_engage import EngageError
from trc_engage.adapters.boards.responses import HTTPX_ERRORS, Answer, translated, trouble
from trc_engage.adapters.mee6 import SERVICE

SENT = "Fri, 06 Mar 2026 12:00:00 GMT"
SENT_AT = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Answer(status, httpx.Headers(raw), body)


@pytest.mark.parametrize(
    ("date", "server_at"),
    [
        (SENT, SENT_AT),
        ("Fri, 06 Mar 2026 14:00:00 +0200", SENT_AT),
        ("Fri, 06 Mar 2026 12:00:00 -0000", SENT_AT),
        ("", None),
        ("soon", None),
        ("Fri, 99 Mar 2026 12:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -0100", None),
    ],
)
def test_a_date_is_read_or_none(date: str, server_at: datetime | None) -> None:
    """A Date header is read as an instant in UTC; one that makes no sense is None."""
    assert server_at == answer(date=date).server_at


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta(0)),
        ("1.5", timedelta(seconds=1.5)),
        ("999999999999", timedelta(seconds=999_999_999_999)),
        ("99999999999999999999", timedelta.max),
        ("Fri, 06 Mar 2026 12:01:30 GMT", timedelta(seconds=90)),
        ("Fri, 06 Mar 2026 11:00:00 GMT", timedelta(0)),
        ("-5", None),
        ("1e9", None),
        ("١٢", None),
        ("9" * 5_000, None),
        ("later", None),
        ("", None),
    ],
)
def test_a_wait_is_told_raw(retry_after: str, wait: timedelta | None) -> None:
    """A requested wait is returned without limits, and one that makes no sense is None."""
    assert wait == answer(429, date=SENT, retry_after=retry_after).retry_after


def test_a_wait_until_a_date_needs_no_date() -> None:
    """Without a Date header, a wait until a date counts from the real time."""
    wait = answer(429, retry_after="Fri, 31 Dec 9999 23:59:59 GMT").retry_after

    assert wait is not None
    assert wait > timedelta(days=365 * 1_000)


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    st.text("0123456789:, GMTFri", max_size=40),
)
def test_no_header_can_break_in(date: str, retry_after: str) -> None:
    """Whatever the headers contain, the time is in UTC or None, and the wait is at least zero or None."""
    told = answer(429, date=date, retry_after=retry_after)

    assert told.server_at is None or told.server_at.tzinfo is UTC
    assert told.retry_after is None or told.retry_after >= timedelta(0)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"", "private"),
        (403, b'{"status_code": 403, "error": {"message": "no"}}', "private"),
        (403, b'{"error": "no"}', "blocked"),
        (403, b"error code: 1020", "blocked"),
        (404, b'{"status_code": 404, "error": {"message": "Guild not found"}}', "unknown_guild"),
        (404, b"<html>", "malformed"),
        (429, b"error code: 1015", "rate_limited"),
        (200, b" \n<!doctype html>", "blocked"),
        (200, b"{}", None),
        (503, b"<title>Just a moment...</title>", "blocked"),
        (503, b"<html>", "down"),
        (520, b"", "down"),
        (301, b"", "malformed"),
        (204, b"", "malformed"),
        (418, b"[" * 100_000, "malformed"),
        (404, b"[" * 100_000, "malformed"),
    ],
)
def test_status_and_body_tell_the_trouble(status: int, body: bytes, kind: str | None) -> None:
    """A JSON error object comes from MEE6 itself; any other body comes from the servers in front of it."""
    found = trouble(answer(status, body), SERVICE)

    assert kind == (found and found.kind)


@given(st.integers(100, 999).filter(lambda status: status != 200), st.binary(max_size=50))
def test_every_other_status_is_trouble(status: int, body: bytes) -> None:
    """Every status but 200 is an error, and no message has an unfilled placeholder."""
    found = trouble(answer(status, body), SERVICE)

    assert found is not None
    assert "{" not in str(found)


def subclasses(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from subclasses(child)


def made(kind: type[Exception]) -> Exception:
    """Create an error without its own arguments, which differ from class to class."""
    error = kind.__new__(kind, "why")
    Exception.__init__(error, "why")
    return error


EVERY = sorted({kind for root in HTTPX_ERRORS for kind in subclasses(root)}, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_of_httpx_has_a_meaning(kind: type[Exception]) -> None:
    """Transport errors may pass and become `down`; the others become `malformed`."""
    error = translated(made(kind), "MEE6")

    passing = issubclass(kind, httpx.TransportError) and kind is not httpx.UnsupportedProtocol
    assert error.kind == ("down" if passing else "malformed")
    assert f"({kind.__name__}: 'why')" in str(error)


def test_no_error_of_httpx_is_left_out() -> None:
    """Every exception that httpx exports is among those that are translated."""
    exported = {value for value in vars(httpx).values() if isinstance(value, type) and issubclass(value, Exception)}

    assert set() == {kind for kind in exported if not issubclass(kind, HTTPX_ERRORS)}
    assert not any(issubclass(kind, EngageError) for kind in exported)


def test_an_error_of_the_system_may_pass() -> None:
    """An error of the operating system, such as a socket's, becomes `down`."""
    assert translated(OSError(24, "Too many open files"), "MEE6").kind == "down"
