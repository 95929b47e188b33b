"""HTTP that breaks off, contradicts itself, or is not HTTP at all."""

from collections.abc import Sequence

from .case import Case, Outcome, broken
from .pages import CHUNKED, GOOD, JSON, LAST_CHUNK, PAGE, answer, chunks, head
from .steps import asked, half_close, hold, reset, send
from .wire import Step

HEAD, _, _ = GOOD.partition(b"\r\n\r\n")
IN_CHUNKS = CHUNKED + chunks(PAGE) + LAST_CHUNK
IN_NAME = GOOD.index("⛵".encode()) + 1


def _cut(name: str, raw: bytes, says: str = "broke off the connection") -> Case:
    """Return the case of an answer that is cut off after these bytes."""
    return broken(f"cut_{name}", "down", raw, says, tries=3)


def _reset(name: str, *before: Step) -> Case:
    return Case(f"reset_{name}", "down", [[*before, reset]], "broke off the connection" if before else "")


def _sized(name: str, length: str, outcome: Outcome, *more: str, tries: int | None = None) -> Case:
    return broken(f"length_{name}", outcome, head(JSON, f"Content-Length: {length}", *more) + PAGE, tries=tries)


def _chunk(name: str, raw: bytes, outcome: Outcome = "down") -> Case:
    return broken(f"chunk_{name}", outcome, CHUNKED + raw + LAST_CHUNK)


def _opening(name: str, line: bytes, outcome: Outcome = "down") -> Case:
    """Return the case of an answer with another status line."""
    return broken(f"opening_{name}", outcome, GOOD.replace(b"HTTP/1.1 200 OK", line, 1))


def _header(name: str, line: bytes, outcome: Outcome = "down") -> Case:
    return broken(f"header_{name}", outcome, GOOD.replace(b"\r\n", b"\r\n" + line + b"\r\n", 1))


CUTS: Sequence[Case] = (
    _cut("before_the_first_byte", b""),
    _cut("in_status_line", b"HTTP/1.1 2"),
    _cut("after_status_line", b"HTTP/1.1 200 OK\r\n"),
    _cut("in_header_name", b"HTTP/1.1 200 OK\r\nContent-Le"),
    _cut("in_header_value", b"HTTP/1.1 200 OK\r\nContent-Length: 4"),
    _cut("after_a_header", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"),
    _cut("before_blank_line", HEAD + b"\r\n"),
    _cut("after_head", HEAD + b"\r\n\r\n"),
    _cut("after_first_byte", HEAD + b"\r\n\r\n{"),
    _cut("in_body", GOOD[: len(GOOD) // 2]),
    _cut("in_mid_character", GOOD[:IN_NAME]),
    _cut("before_last_brace", GOOD[:-1]),
    _cut("in_chunk_size", CHUNKED + b"1f"),
    _cut("after_chunk_size", CHUNKED + b"1f\r\n"),
    _cut("in_chunk", IN_CHUNKS[: len(IN_CHUNKS) // 2]),
    _cut("before_chunk_end", CHUNKED + b"1\r\n{"),
    _cut("before_last_chunk", IN_CHUNKS[: -len(LAST_CHUNK)]),
    _cut("in_last_chunk", IN_CHUNKS[:-2]),
    _cut("before_last_byte_of_chunks", IN_CHUNKS[:-1]),
    broken("cut_without_length", "malformed", head(JSON) + PAGE[:-1], "not valid JSON"),
    broken("cut_with_right_length", "malformed", answer(PAGE[:-1]), "not valid JSON"),
    broken("cut_body_of_401", "private", answer(b"{}", status="401 No")[:-1], tries=1),
    broken("cut_body_of_429", "rate_limited", answer(b"error", "Retry-After: 60", status="429 Slow")[:-1], tries=1),
    broken("cut_body_of_404", "malformed", answer(b"{}", status="404 No")[:-1], tries=1),
    _reset("before_request"),
    _reset("after_request", asked),
    _reset("in_status_line", asked, send(b"HTTP/1.1 2")),
    _reset("in_headers", asked, send(b"HTTP/1.1 200 OK\r\nContent-Le")),
    _reset("after_head", asked, send(HEAD + b"\r\n\r\n")),
    _reset("in_body", asked, send(GOOD[:-9])),
    _reset("in_chunk", asked, send(IN_CHUNKS[:-99])),
    Case("half_closed_after_the_page", "paid", [[asked, send(GOOD), half_close, hold]]),
    Case("half_closed_in_the_page", "down", [[asked, send(GOOD[:-9]), half_close, hold]], tries=3),
    Case("half_closed_without_length", "paid", [[asked, send(head(JSON) + PAGE), half_close, hold]]),
    Case("half_closed_at_once", "down", [[half_close, asked, hold]], tries=3),
)

LENGTHS: Sequence[Case] = (
    _sized("too_long", str(len(PAGE) + 1), "down", tries=3),
    _sized("too_short", str(len(PAGE) - 1), "malformed", tries=1),
    _sized("zero", "0", "malformed"),
    _sized("negative", "-1", "down"),
    _sized("garbage", "many", "down"),
    _sized("hexadecimal", "0xff", "down"),
    _sized("fraction", "99.5", "down"),
    _sized("underscore", "9_000", "down"),
    _sized("full_width_digits", "９９", "down"),
    _sized("2_to_the_64", "18446744073709551616", "down"),
    _sized("of_1000_digits", "9" * 1_000, "down"),
    _sized("twice_alike", str(len(PAGE)), "paid", f"Content-Length: {len(PAGE)}"),
    _sized("twice_otherwise", str(len(PAGE)), "down", "Content-Length: 5"),
    _sized("listed_otherwise", f"{len(PAGE)}, 5", "down"),
    broken(
        "length_against_chunks",
        "paid",
        head(JSON, "Content-Length: 5", "Transfer-Encoding: chunked") + IN_CHUNKS.partition(b"\r\n\r\n")[2],
    ),
    broken("length_told_by_the_end", "paid", head(JSON) + PAGE),
    broken("length_with_http_1_0", "paid", head(JSON, version="HTTP/1.0") + PAGE),
    _chunk("size_garbage", b"xyz\r\n"),
    _chunk("size_negative", b"-5\r\n12345\r\n"),
    _chunk("size_prefixed", b"0x5\r\n12345\r\n"),
    _chunk("size_empty", b"\r\n"),
    _chunk("size_2_to_the_64", b"10000000000000000\r\n"),
    _chunk("size_of_30_digits", b"f" * 30 + b"\r\n"),
    _chunk("size_of_200000_digits", b"0" * 200_000 + b"\r\n"),
    _chunk("longer_than_told", b"2\r\n{   }\r\n"),
    _chunk("extension", chunks(PAGE).replace(b"\r\n", b';a="b"\r\n', 1), "paid"),
    _chunk("of_200000_extensions", b"1;" + b"a" * 200_000 + b"\r\n{\r\n"),
    broken("chunks_for_http_1_0", "paid", IN_CHUNKS.replace(b"HTTP/1.1", b"HTTP/1.0", 1)),
    broken(
        "transfer_of_transfer", "down", head(JSON, "Transfer-Encoding: chunked, chunked") + chunks(PAGE) + LAST_CHUNK
    ),
    broken("transfer_unheard_of", "down", head(JSON, "Transfer-Encoding: carrier-pigeon") + PAGE),
)

OPENINGS: Sequence[Case] = (
    broken("opening_http_0_9", "down", PAGE),
    broken("opening_http_2_preface", "down", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    broken(
        "opening_http_2_settings", "down", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00\x03\x00\x00\x00\x64" * 3
    ),
    broken("opening_tls_alert", "down", b"\x15\x03\x01\x00\x02\x02\x46"),
    broken("opening_tls_greeting", "down", b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76" + bytes(range(118))),
    broken("opening_ssh", "down", b"SSH-2.0-OpenSSH_9.6\r\n"),
    broken("opening_smtp", "down", b"220 mail.example.org ESMTP\r\n"),
    broken("opening_noise", "down", bytes(range(256)) * 400),
    broken("opening_endless_line", "down", b"H" * 200_000),
    broken("opening_blank_lines", "down", b"\r\n" * 5_000 + GOOD),
    _opening("http_2", b"HTTP/2 200"),
    _opening("http_2_0", b"HTTP/2.0 200 OK", "paid"),
    _opening("http_9_9", b"HTTP/9.9 200 OK", "paid"),
    _opening("http_10_1", b"HTTP/10.1 200 OK"),
    _opening("icy", b"ICY 200 OK"),
    _opening("lower_case", b"http/1.1 200 ok"),
    _opening("no_version", b"200 OK"),
    _opening("no_reason", b"HTTP/1.1 200", "paid"),
    _opening("reason_in_latin_1", b"HTTP/1.1 200 Gen\xe9ral", "paid"),
    _opening("reason_with_nul", b"HTTP/1.1 200 O\x00K"),
    _opening("reason_of_90000", b"HTTP/1.1 200 " + b"O" * 90_000, "paid"),
    _opening("status_000", b"HTTP/1.1 000 OK"),
    _opening("status_099", b"HTTP/1.1 099 OK"),
    _opening("status_20", b"HTTP/1.1 20 OK"),
    _opening("status_2000", b"HTTP/1.1 2000 OK"),
    _opening("status_in_words", b"HTTP/1.1 two-hundred OK"),
    _opening("status_negative", b"HTTP/1.1 -200 OK"),
    _header("without_colon", b"garbage"),
    _header("without_name", b": value"),
    _header("with_space_before_colon", b"X-Name : value"),
    _header("with_nul", b"X-Name: a\x00b"),
    _header("with_lone_return", b"X-Name: a\rSet-Cookie: b"),
    _header("in_latin_1", b"X-Name: caf\xe9 \xff", "paid"),
    _header("in_utf_8", "X-Name: ⛵".encode(), "paid"),
    _header("folded", b"X-Name: a\r\n b\r\n\tc", "paid"),
    _header("folded_first", b" folded"),
    _header("empty", b"X-Name:", "paid"),
    broken("header_lines_end_without_return", "paid", GOOD[: len(HEAD) + 4].replace(b"\r\n", b"\n") + PAGE),
)

CASES: Sequence[Case] = (*CUTS, *LENGTHS, *OPENINGS)
