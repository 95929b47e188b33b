"""Bodies that are too big, compressed, or not JSON."""

import gzip
import zlib
from collections.abc import Sequence

from trc_engage.adapters.boards.paging import VALUES_MAX

from .case import BYTES_MAX, SECONDS_LONG, Case, body, told
from .pages import CHUNKED, GOOD, JSON, LAST_CHUNK, PAGE, answer, chunks, head
from .steps import asked, flood, send

MIB_16 = 16 * 1024 * 1024
DEPTH = 10_000
_BLANK = b" " * 2**20


def _bomb(bits: int) -> bytes:
    """Return 64 MiB of blanks, compressed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    return b"".join([*(packer.compress(_BLANK) for _ in range(64)), packer.flush()])


GZIP = _bomb(zlib.MAX_WBITS | 16)
DEFLATE = _bomb(zlib.MAX_WBITS)


def _packed(name: str, encoding: str, raw: bytes) -> Case:
    return told(name, "malformed", answer(raw, f"Content-Encoding: {encoding}"), "compressed", tries=1)


def _endless(name: str, start: bytes, block: bytes) -> Case:
    return Case(name, "malformed", [[asked, send(start), flood(block)]], "longer than 262,144 bytes", tries=1)


def _padded(length: int) -> bytes:
    return PAGE + b" " * (length - len(PAGE))


def _filled(name: str, unit: bytes, says: str, *, values: int = VALUES_MAX - 1_000) -> Case:
    """Return an answer as long as the default cap allows, filled with this many small values."""
    count = min(values, (MIB_16 - len(PAGE)) // len(unit))
    raw = PAGE.replace(b'"players":[', b'"players":[' + unit * count, 1)
    padded = raw + b" " * (MIB_16 - len(raw))
    return Case(name, "malformed", [[asked, send(answer(padded))]], says, bytes_max=MIB_16, seconds=SECONDS_LONG)


def _texts(name: str, start: str, filling: str) -> Case:
    """Return an answer as long as the default cap allows, with one text in place of the XP."""
    text = start + filling * ((MIB_16 - len(PAGE) - 9) // len(filling.encode()))
    raw = PAGE.replace(b'"xp":1250', b'"xp":"%s"' % text.encode(), 1)
    return Case(name, "malformed", [[asked, send(answer(raw))]], "its xp is a str", bytes_max=MIB_16)


PACKED: Sequence[Case] = (
    _packed("gzip_bomb", "gzip", GZIP),
    _packed("x_gzip_bomb", "x-gzip", GZIP),
    _packed("deflate_bomb", "deflate", DEFLATE),
    _packed("double_gzip_bomb", "gzip, gzip", gzip.compress(GZIP)),
    _packed("gzip_page", "gzip", gzip.compress(PAGE)),
    _packed("gzip_in_name_only", "gzip", PAGE),
    _packed("brotli", "br", b"\x1b\xff\xff\xff" + b"\x00" * 100),
    _packed("zstd", "zstd", b"\x28\xb5\x2f\xfd" + b"\x00" * 100),
    _packed("unheard_of_encoding", "pied-piper", PAGE),
    body("gzip_undeclared", "malformed", gzip.compress(PAGE), "not valid JSON"),
    body("gzip_bomb_undeclared", "malformed", GZIP, "not valid JSON"),
    told("identity_declared", "paid", answer(PAGE, "Content-Encoding: identity")),
    told("identity_in_capitals", "paid", answer(PAGE, "Content-Encoding: IDENTITY")),
    told("gzip_bomb_with_429", "rate_limited", answer(GZIP, "Content-Encoding: gzip", status="429 Slow Down"), tries=1),
    told("gzip_bomb_with_502", "down", answer(GZIP, "Content-Encoding: gzip", status="502 Bad Gateway"), tries=3),
    told("gzip_as_transfer", "down", head(JSON, "Transfer-Encoding: gzip, chunked") + chunks(GZIP) + LAST_CHUNK),
)

SIZES: Sequence[Case] = (
    _endless("endless_without_length", head(JSON) + b'{"players":[', b" "),
    _endless("endless_chunks", CHUNKED, b"10000\r\n" + b" " * 2**16 + b"\r\n"),
    _endless("endless_under_a_length", head(JSON, "Content-Length: 9999999999"), b"[" * 1_000),
    _endless("endless_after_the_page", head(JSON) + PAGE, b"\n"),
    body("one_byte_too_long", "malformed", _padded(BYTES_MAX + 1), "longer than 262,144 bytes"),
    body("as_long_as_can_be", "paid", _padded(BYTES_MAX)),
    told("chunks_of_one_byte", "paid", CHUNKED + chunks(PAGE, 1) + LAST_CHUNK),
    Case(
        "endless_401",
        "private",
        [[asked, send(head(JSON, status="401 Unauthorized")), flood(b"x")]],
        tries=1,
    ),
    Case("endless_429", "rate_limited", [[asked, send(head(status="429 Slow Down")), flood(b"x")]], tries=1),
    Case("endless_500", "down", [[asked, send(head(status="500 Oops")), flood(b"x")]], "status 500", tries=3),
    _filled("full_of_objects", b"{},", "rows cannot be used"),
    _filled("full_of_lists", b"[],", "rows cannot be used"),
    _filled("full_of_fractions", b"1.5,", "rows cannot be used"),
    _filled("overfull_of_objects", b"{},", "more than 1,000,000 values", values=MIB_16),
    _texts("full_of_text", "", "\xa0"),
    _texts("full_of_wide_text", "\U0001f600", "a"),
    Case("tiny_chunks", "malformed", [[asked, send(CHUNKED), flood(b"4\r\n    \r\n")]], "longer than 262,144 bytes"),
)


def _text(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


_PAGE_TEXT = PAGE.decode()

JSONS: Sequence[Case] = (
    body("depth_of_lists", "malformed", b"[" * DEPTH + b"]" * DEPTH, "not valid JSON"),
    body("depth_of_objects", "malformed", b'{"a":' * DEPTH + b"1" + b"}" * DEPTH, "not valid JSON"),
    body("depth_unclosed", "malformed", b"[" * 100_000, "not valid JSON"),
    body("depth_in_players", "malformed", b'{"players":' + b"[" * DEPTH + b"]" * DEPTH + b"}", "not valid JSON"),
    body(
        "depth_in_what_is_not_needed",
        "malformed",
        PAGE.replace(b'"admin":false', b'"admin":' + b"[" * DEPTH + b"]" * DEPTH, 1),
        "not valid JSON",
    ),
    told(
        "depth_in_an_error", "unknown_guild", answer(b'{"error":{"a":' + b"[" * 50 + b"]" * 50 + b"}}", status="404 No")
    ),
    told("depth_in_a_strange_error", "malformed", answer(b'{"error":' * DEPTH, status="404 No"), "status 404"),
    body("depth_of_fifty_unneeded", "paid", PAGE.replace(b'"admin":false', b'"admin":' + b"[" * 50 + b"]" * 50, 1)),
    body("empty", "malformed", b"", "not valid JSON"),
    body("blank", "malformed", b" \r\n\t", "not valid JSON"),
    body("null", "malformed", b"null", "not a leaderboard"),
    body("true", "malformed", b"true", "not a leaderboard"),
    body("number", "malformed", b"42", "not a leaderboard"),
    body("text", "malformed", b'"players"', "not a leaderboard"),
    body("list", "malformed", b"[" + PAGE + b"]", "not a leaderboard"),
    body("two_documents", "malformed", PAGE + PAGE, "not valid JSON"),
    body("trailing_garbage", "malformed", PAGE + b"<!-- cached -->", "not valid JSON"),
    body("trailing_nul", "malformed", PAGE + b"\0", "not valid JSON"),
    body("trailing_comma", "malformed", PAGE[:-1] + b",}", "not valid JSON"),
    body("comment", "malformed", b"/* MEE6 */" + PAGE, "not valid JSON"),
    body("single_quotes", "malformed", PAGE.replace(b'"', b"'"), "not valid JSON"),
    body("jsonp", "malformed", b"callback(" + PAGE + b")", "not valid JSON"),
    body("guarded_json", "malformed", b")]}',\n" + PAGE, "not valid JSON"),
    body("php_warning_before", "malformed", b"Warning: Undefined index in line 4\n" + PAGE, "not valid JSON"),
    body("bom", "paid", b"\xef\xbb\xbf" + PAGE),
    body("two_boms", "malformed", b"\xef\xbb\xbf" * 2 + PAGE, "not valid JSON"),
    body("utf_16", "paid", _text(_PAGE_TEXT, "utf-16")),
    body("utf_16_le_without_bom", "paid", _text(_PAGE_TEXT, "utf-16-le")),
    body("utf_16_cut_in_half_a_character", "malformed", _text(_PAGE_TEXT, "utf-16")[:-1], "not valid JSON"),
    body("utf_32", "paid", _text(_PAGE_TEXT, "utf-32-be")),
    body("utf_7", "paid", _text(_PAGE_TEXT, "utf-7")),
    body("ebcdic", "malformed", _text("{}", "cp500"), "not valid JSON"),
    body("latin_1", "malformed", PAGE.replace("⛵".encode(), b"\xe9"), "not valid JSON"),
    body("invalid_utf_8", "malformed", PAGE.replace("⛵".encode(), b"\xff\xfe"), "not valid JSON"),
    body("overlong_utf_8", "malformed", PAGE.replace("⛵".encode(), b"\xc0\xaf"), "not valid JSON"),
    body("utf_8_cut_in_mid_character", "malformed", PAGE[: PAGE.index("⛵".encode()) + 1], "not valid JSON"),
    body("raw_surrogate", "paid", PAGE.replace("⛵".encode(), b"\xed\xa0\x80")),
    body("raw_control_characters", "malformed", PAGE.replace("⛵".encode(), b"\x01\x1b[2J"), "not valid JSON"),
    body("raw_nul", "malformed", PAGE.replace("⛵".encode(), b"\0"), "not valid JSON"),
    body("raw_newline", "malformed", PAGE.replace("⛵".encode(), b"\n"), "not valid JSON"),
    body("bad_escape", "malformed", PAGE.replace("⛵".encode(), rb"\x41"), "not valid JSON"),
    body("all_escaped", "paid", GOOD.split(b"\r\n\r\n", 1)[1].replace("⛵".encode(), rb"\u26f5")),
)

CASES: Sequence[Case] = (*PACKED, *SIZES, *JSONS)
