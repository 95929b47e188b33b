"""Every status but 200, with misleading bodies."""

from collections.abc import Sequence

from .case import Case, Outcome, told
from .pages import PAGE, answer, error_body, head

_HTML = b"<html><h1>Sorry</h1></html>"


def _status(status: int, outcome: Outcome, says: str = "", *, tries: int = 1) -> Case:
    """Return the case of a valid page under another status."""
    return told(
        f"status_{status}", outcome, answer(PAGE, status=f"{status} X"), says or f"status {status}", tries=tries
    )


def _bodiless(status: int) -> Case:
    return told(
        f"status_{status}_bare",
        "malformed",
        head("Content-Length: 0", status=f"{status} X"),
        f"status {status}",
        tries=1,
    )


def _redirect(name: str, location: str, status: int = 302, body: bytes = b"") -> Case:
    raw = answer(body, f"Location: {location}", status=f"{status} X")
    return told(f"redirect_{name}", "malformed", raw, "which is not followed", tries=1)


def _words(name: str, status: int, outcome: Outcome, body: bytes, *headers: str, tries: int = 1) -> Case:
    return told(f"words_{status}_{name}", outcome, answer(body, *headers, status=f"{status} X"), tries=tries)


STATUSES: Sequence[Case] = (
    *(_status(status, "malformed") for status in (201, 202, 203, 206, 207, 226, 299)),
    *(_bodiless(status) for status in (204, 205, 304)),
    *(_status(status, "malformed") for status in (300, 305, 306)),
    _status(401, "private", "give a valid token"),
    _status(403, "blocked"),
    _status(404, "malformed"),
    _status(429, "rate_limited", "fewer requests"),
    *(
        _status(status, "malformed")
        for status in (400, 402, 405, 407, 408, 409, 410, 418, 421, 425, 426, 428, 431, 451, 499)
    ),
    *(_status(status, "down", tries=3) for status in (500, 501, 502, 503, 504, 505, 520, 522, 525, 530, 599)),
    *(_status(status, "malformed") for status in (600, 777, 999)),
)

REDIRECTS: Sequence[Case] = (
    *(_redirect(str(status), "/elsewhere", status) for status in (301, 302, 303, 307, 308)),
    _redirect("to_itself", "?limit=1000&page=0"),
    _redirect("elsewhere", "http://127.0.0.1:1/"),
    _redirect("with_the_page", "/elsewhere", 302, PAGE),
    _redirect("to_a_file", "file:///etc/passwd"),
    _redirect("to_script", "javascript:alert(1)"),
    _redirect("to_data", "data:application/json,{}"),
    _redirect("to_no_host", "http://"),
    _redirect("to_half_an_address", "http://[::1"),
    _redirect("to_no_port", "http://127.0.0.1:99999999/"),
    _redirect("to_a_strange_host", "http://xn--\xe9\u202e.../"),
    _redirect("to_a_long_host", "http://" + "a" * 70_000 + "/"),
    _redirect("to_control_characters", "/\x01\x7f"),
    _redirect("to_half_a_character", "http://\udcff\udcfe/"),
    _redirect("to_nothing", ""),
    told("redirect_without_location", "malformed", answer(b"", status="302 X"), "which is not followed", tries=1),
    told("redirect_to_two", "malformed", answer(b"", "Location: /a", "Location: http://b", status="301 X"), tries=1),
)

WORDS: Sequence[Case] = (
    _words("html", 401, "private", _HTML),
    _words("empty", 401, "private", b""),
    _words("mee6", 403, "private", error_body(403, "Missing access")),
    _words("html", 403, "blocked", _HTML),
    _words("error_as_text", 403, "blocked", b'{"error": "denied"}'),
    _words("error_as_list", 403, "blocked", b'[{"error": {}}]'),
    _words("not_json", 403, "blocked", b'{"error": {'),
    _words("not_utf_8", 403, "blocked", b'{"error": {"message": "\xff"}}'),
    _words("mee6", 404, "unknown_guild", error_body(404, "Guild not found")),
    _words("html", 404, "malformed", _HTML),
    _words("empty", 404, "malformed", b""),
    _words("compressed", 404, "malformed", error_body(404, "Guild not found"), "Content-Encoding: br"),
    _words("challenge", 503, "blocked", b"<title>Just a moment...</title>"),
    _words("mitigated", 503, "blocked", b"", "cf-mitigated: challenge"),
    _words("mee6", 500, "down", error_body(500, "Internal Server Error"), tries=3),
    _words("mee6_says_401", 500, "down", error_body(401, "no"), tries=3),
    _words("hostile", 404, "unknown_guild", error_body(404, "\x1b]52;c;\x07 80351110224678900 ada")),
)

CASES: Sequence[Case] = (*STATUSES, *REDIRECTS, *WORDS)
