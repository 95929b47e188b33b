"""Troubles below the page: time, bytes and sockets."""

import socket
import struct
import zlib
from collections.abc import Iterator
from datetime import timedelta

from .answers import Answer
from .exchange import Exchange
from .trouble import Trouble

_BLANK = b" " * 2**20
_BOMB_BLOCKS = 1_024
_CLOCK_OFF = timedelta(days=365)


def _reset(exchange: Exchange) -> None:
    """Send half of the answer, then close with a reset instead of a goodbye."""
    raw = exchange.answer().raw(exchange.at)
    exchange.connection.sendall(raw[: len(raw) // 2])
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.connection.close()


def _refused_early(exchange: Exchange) -> None:
    """Say nothing; the connection is closed after it."""


def _timeout(exchange: Exchange) -> None:
    exchange.is_gone(None)


def _slow(exchange: Exchange) -> None:
    if not exchange.is_gone(exchange.slow_seconds):
        exchange.send(exchange.answer())


def _drip_headers(exchange: Exchange) -> None:
    exchange.drip(exchange.answer().raw(exchange.at))


def _drip_body(exchange: Exchange) -> None:
    answer = exchange.answer()
    exchange.connection.sendall(answer.head(exchange.at))
    exchange.drip(answer.body)


def _truncated(exchange: Exchange) -> None:
    raw = exchange.answer().raw(exchange.at)
    exchange.connection.sendall(raw[:-10])


def _endless_body(exchange: Exchange) -> None:
    """Send blanks between two rows for as long as anybody takes them."""
    answer = exchange.answer()
    exchange.connection.sendall(answer.open_head(exchange.at))
    exchange.connection.sendall(answer.body.partition(b"[")[0] + b"[")
    while True:
        exchange.connection.sendall(_BLANK)


def _gzip_bomb(exchange: Exchange) -> None:
    """Send a gibibyte of blanks as a mebibyte of gzip."""
    bomb = Answer(200, b"".join(_bomb()), headers=(("Content-Encoding", "gzip"),))
    exchange.send(bomb)


def _bomb() -> Iterator[bytes]:
    """Yield the beginning of a gzip stream; a flushed block can be repeated without compressing it anew."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    yield packer.compress(b'{"players":[') + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(_BLANK) + packer.flush(zlib.Z_FULL_FLUSH)
    yield from [block] * _BOMB_BLOCKS


def _clock_off(exchange: Exchange) -> None:
    exchange.connection.sendall(exchange.answer().raw(exchange.at - _CLOCK_OFF))


def _no_date(exchange: Exchange) -> None:
    exchange.connection.sendall(exchange.answer().raw(None))


BROKEN_WIRES = (
    Trouble("reset", "The connection is reset in mid-body.", 200, _reset, closes=True),
    Trouble("refused_early", "The connection is closed without an answer.", None, _refused_early, closes=True),
    Trouble("timeout", "No answer, ever.", None, _timeout, closes=True),
    Trouble("slow", "The right answer, after `slow_seconds`.", 200, _slow),
    Trouble("drip_headers", "The right answer, byte by byte.", 200, _drip_headers, closes=True),
    Trouble("drip_body", "The right answer, its body byte by byte.", 200, _drip_body, closes=True),
    Trouble("truncated", "The connection is closed ten bytes too early.", 200, _truncated, closes=True),
    Trouble("endless_body", "A body without an end.", 200, _endless_body, closes=True),
    Trouble("gzip_bomb", "A small body that inflates to a gibibyte.", 200, _gzip_bomb),
    Trouble("clock_off", "The right answer, dated a year ago.", 200, _clock_off),
    Trouble("no_date", "The right answer, undated.", 200, _no_date),
)
