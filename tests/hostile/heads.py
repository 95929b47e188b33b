"""Valid heads with unusual content: too many headers, other types, other dates, waits."""

from collections.abc import Sequence
from datetime import timedelta

from trc_engage.testing.answers import http_date

from .case import Case, Outcome, broken, told
from .delays import CONTINUE, HINTS
from .pages import CHUNKED, GOOD, PAGE, answer, chunks, error_body, head
from .steps import asked, dated, flood, send

YEAR = timedelta(days=365)


def _with(name: str, outcome: Outcome, *headers: str, says: str = "") -> Case:
    return told(name, outcome, answer(PAGE, *headers), says)


def _many(count: int, line: str) -> list[str]:
    return [line.format(number) for number in range(count)]


def _typed(name: str, outcome: Outcome, content_type: str, body: bytes = PAGE, status: str = "200 OK") -> Case:
    return told(f"type_{name}", outcome, answer(body, f"Content-Type: {content_type}", status=status))


def _wait(name: str, *lines: str, status: str = "429 Too Many Requests", outcome: Outcome = "rate_limited") -> Case:
    headers = [f"Retry-After: {line}" for line in lines]
    return told(f"wait_{name}", outcome, answer(b"error code: 1015", *headers, status=status), tries=1)


def _off(name: str, by: timedelta, outcome: Outcome) -> Case:
    script = [asked, dated(lambda peer: answer(PAGE, f"Date: {http_date(peer.at + by)}"))]
    return Case(f"date_{name}", outcome, [script], "one of the clocks is wrong" if outcome == "clock" else "", tries=1)


def _date(name: str, text: str, outcome: Outcome = "paid") -> Case:
    return told(f"date_{name}", outcome, answer(PAGE, f"Date: {text}"))


FLOODS: Sequence[Case] = (
    _with("headers_10000", "down", *_many(10_000, "X-{}: some value")),
    _with("headers_1000", "paid", *_many(1_000, "X-{}: y")),
    _with("headers_alike_10000", "paid", *_many(10_000, "a:")),
    _with("header_of_a_megabyte", "down", "X-Name: " + "y" * 2**20),
    _with("header_of_90000", "paid", "X-Name: " + "y" * 90_000),
    Case("headers_endless", "down", [[asked, send(b"HTTP/1.1 200 OK\r\n"), flood(b"X: y\r\n")]], tries=3),
    Case("header_endless", "down", [[asked, send(b"HTTP/1.1 200 OK\r\nX: "), flood(b"y")]], tries=3),
    Case("trailers_endless", "down", [[asked, send(CHUNKED + b"0\r\n"), flood(b"X: y\r\n")]], tries=3),
    told("trailers", "paid", CHUNKED + chunks(PAGE) + b"0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n"),
    told("trailers_that_are_none", "down", CHUNKED + chunks(PAGE) + b"0\r\nno trailer\r\n\r\n"),
    told("continues_1000", "paid", CONTINUE * 1_000 + GOOD),
    told("processing_first", "paid", b"HTTP/1.1 102 Processing\r\n\r\n" + GOOD),
    told("hints_first", "paid", HINTS + GOOD),
    told("unheard_of_information_first", "paid", b"HTTP/1.1 199 Rumour\r\n\r\n" + GOOD),
    broken("information_only", "down", CONTINUE),
    broken(
        "another_protocol", "down", head("Upgrade: websocket", "Connection: Upgrade", status="101 Switching") + PAGE
    ),
    _with("cookies_500", "paid", *_many(500, "Set-Cookie: c{}=" + "v" * 100)),
    _with(
        "cookies_without_sense", "paid", "Set-Cookie: =;=;,,;expires=Thu, 99 Foo 99999", "Set-Cookie2: x=y; Version=z"
    ),
    _with("link_to_preload", "paid", "Link: <http://127.0.0.1:1/>; rel=preload", "Refresh: 0; url=http://127.0.0.1:1/"),
    _with("strict_transport", "paid", "Strict-Transport-Security: max-age=99999999", 'Alt-Svc: h3=":443"'),
    _with("connection_closes", "paid", "Connection: close"),
    _with("keep_alive_absurd", "paid", "Connection: keep-alive", "Keep-Alive: timeout=99999999999, max=-1"),
)

TYPES: Sequence[Case] = (
    _typed("html_around_json", "blocked", "text/html"),
    _typed("html", "blocked", "text/html; charset=UTF-8", b"<!DOCTYPE html><title>MEE6</title>"),
    _typed("html_as_json", "blocked", "application/json", b" \n<html><body>sign in</body></html>"),
    _typed("html_without_type", "blocked", "", b"<html><body>sign in</body></html>"),
    _typed("xhtml", "blocked", "application/xhtml+xml", b"<?xml version='1.0'?><html/>"),
    _typed("xml", "blocked", "application/xml", b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"),
    _typed("portal", "blocked", "text/html", b"<html><meta http-equiv=refresh content='0;url=http://login.lan/'>"),
    _typed("portal_511", "down", "text/html", b"<html>sign in</html>", "511 Network Authentication Required"),
    _typed("plain_text", "paid", "text/plain"),
    _typed("bytes", "paid", "application/octet-stream"),
    _typed("garbage", "paid", '\xe9;;;=;charset="utf-32'),
    _typed("of_another_charset", "paid", "application/json; charset=utf-16"),
    _typed("image", "malformed", "image/gif", b"GIF89a\x01\x00\x01\x00\x80\x00\x00"),
    told("type_twice", "blocked", answer(PAGE, "Content-Type: application/json", "Content-Type: text/html")),
    told("type_missing", "paid", head(f"Content-Length: {len(PAGE)}") + PAGE),
)

WAITS: Sequence[Case] = (
    _wait("none"),
    _wait("a_minute", "60"),
    _wait("zero", "0"),
    _wait("huge", "9" * 12),
    _wait("of_20_digits", "9" * 20),
    _wait("of_10000_digits", "9" * 10_000),
    _wait("negative", "-60"),
    _wait("fraction", "1.5"),
    _wait("exponent", "1e9"),
    _wait("infinite", "inf"),
    _wait("nan", "nan"),
    _wait("underscore", "6_0"),
    _wait("full_width_digits", "６０"),
    _wait("empty", ""),
    _wait("garbage", "soon"),
    _wait("with_unit", "60s"),
    _wait("twice", "5", "900"),
    _wait("listed", "5, 900"),
    _wait("date_in_the_past", "Thu, 01 Jan 1970 00:00:00 GMT"),
    _wait("date_in_the_future", "Fri, 31 Dec 9999 23:59:59 GMT"),
    _wait("date_beyond_time", "Fri, 31 Dec 9999 23:59:59 -2300"),
    _wait("date_in_year_0", "Sat, 01 Jan 0000 00:00:00 GMT"),
    _wait("date_with_absurd_zone", "Fri, 06 Mar 2026 12:00:00 +99999999"),
    _wait("date_without_end", "Fri, " * 10_000),
    _wait("iso_date", "2026-03-06T12:00:00Z"),
    _wait("with_503", "60", status="503 Unavailable", outcome="down"),
    _wait("with_403", "60", status="403 Forbidden", outcome="blocked"),
    told("wait_with_200", "paid", answer(PAGE, "Retry-After: 3600")),
    told(
        "wait_in_words_of_mee6",
        "rate_limited",
        answer(error_body(429, "slow"), "Retry-After: 9", status="429 No"),
        tries=1,
    ),
)

DATES: Sequence[Case] = (
    _off("right", timedelta(0), "paid"),
    _off("a_year_ago", -YEAR, "clock"),
    _off("a_year_ahead", YEAR, "clock"),
    _off("six_minutes_ago", -timedelta(minutes=6), "clock"),
    _off("four_minutes_ahead", timedelta(minutes=4), "paid"),
    _date("missing_value", ""),
    _date("garbage", "yesterday"),
    _date("numbers", "1772790000"),
    _date("with_absurd_zone", "Fri, 06 Mar 2026 12:00:00 +99999999"),
    _date("beyond_time", "Fri, 31 Dec 9999 23:59:59 -2300"),
    _date("in_year_9999", "Fri, 31 Dec 9999 23:59:59 GMT", "clock"),
    _date("in_year_10000", "Fri, 31 Dec 10000 23:59:59 GMT"),
    _date("epoch", "Thu, 01 Jan 1970 00:00:00 GMT", "clock"),
    _date("in_full_width_digits", "Fri, ０６ Mar ２０２６ 12:00:00 GMT", "clock"),
    _date("of_5000_digits", "Fri, 06 Mar " + "9" * 5_000 + " 12:00:00 GMT"),
    _date("of_blanks", " " * 50_000),
    _date("of_commas", "," * 50_000),
    _date("of_zones", "+" * 50_000),
)

CASES: Sequence[Case] = (*FLOODS, *TYPES, *WAITS, *DATES)
