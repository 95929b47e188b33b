"""Random damage to bytes: flipped, lost, doubled, moved, and replaced by fragments that parsers stumble over."""

from collections.abc import Callable
from random import Random

WOUNDS_MAX = 4
SLICE_MAX = 40
_FRAGMENTS = (
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\0", b"\x1b", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf"),
    *(b"-", b"+", b".", b"e9", b"0", b"99999999999999999999", b"1e400", b"NaN", b"null", b"true", b"[]", b"{}"),
    *(rb"\ud800", rb"\u0000", b'"xp":', b'"id":', b'"players":[', b'"guild":{', b'"id":"80351110224678900",'),
    *(
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"0\r\n\r\n",
        b"HTTP/1.1 ",
        b"Content-Length: 7\r\n",
        b"Transfer-Encoding: chunked\r\n",
    ),
    *(
        b"Content-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"Retry-After: 1e9\r\n",
        b"Location: \xff\r\n",
        b"<html>",
    ),
)


def mutated(raw: bytes, chance: Random) -> bytes:
    """Return the bytes with one to four wounds."""
    for _ in range(chance.randint(1, WOUNDS_MAX)):
        raw = chance.choice(_WOUNDS)(raw, chance)
    return raw


def _slice(raw: bytes, chance: Random) -> tuple[int, int]:
    start = chance.randrange(len(raw) + 1)
    return start, min(len(raw), start + chance.randint(1, SLICE_MAX))


def _flip(raw: bytes, chance: Random) -> bytes:
    if not raw:
        return raw
    place = chance.randrange(len(raw))
    return raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(8)]) + raw[place + 1 :]


def _lose(raw: bytes, chance: Random) -> bytes:
    start, end = _slice(raw, chance)
    return raw[:start] + raw[end:]


def _double(raw: bytes, chance: Random) -> bytes:
    start, end = _slice(raw, chance)
    return raw[:end] + raw[start:]


def _move(raw: bytes, chance: Random) -> bytes:
    start, end = _slice(raw, chance)
    rest = raw[:start] + raw[end:]
    place = chance.randrange(len(rest) + 1)
    return rest[:place] + raw[start:end] + rest[place:]


def _insert(raw: bytes, chance: Random) -> bytes:
    place = chance.randrange(len(raw) + 1)
    return raw[:place] + chance.choice(_FRAGMENTS) + raw[place:]


def _replace(raw: bytes, chance: Random) -> bytes:
    start, end = _slice(raw, chance)
    return raw[:start] + chance.choice(_FRAGMENTS) + raw[end:]


def _cut(raw: bytes, chance: Random) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


_WOUNDS: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_flip, _flip, _lose, _double, _move, _insert, _insert, _replace, _replace),
    _cut,
)
