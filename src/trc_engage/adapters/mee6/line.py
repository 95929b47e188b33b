"""The connection under httpx, held so that it can be cut: at the deadline, or by `stop()`."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

WATCH_SECONDS_MIN = 0.02
"""How late the cut may be."""


class Line:
    """The one connection of a source.

    httpx limits each read and not their sum: a server that sends a byte now and then would hold it
    for ever. Shutting the socket down ends whatever waits on it, in any thread.
    """

    def __init__(self) -> None:
        self.stopped = False
        self.is_late = False
        self._socket: socket.socket | None = None
        self._handshaking: socket.socket | None = None
        # The only primitive that a signal handler may wake while the main thread waits on it.
        self._wake: SimpleQueue[None] = SimpleQueue()

    def stop(self) -> None:
        """End the request or the pause under way, for good; safe in a signal handler and in any thread."""
        self.stopped = True
        self._wake.put(None)
        self._cut()

    def pause(self, seconds: float) -> None:
        """Sleep, unless stopped."""
        with suppress(Empty):
            self._wake.get(timeout=seconds)

    @contextmanager
    def watched(self, seconds_left: Callable[[], float]) -> Iterator[None]:
        """Cut the connection when no seconds are left for what is done within; `is_late` tells."""
        self.is_late = False
        over = Event()

        def watch() -> None:
            while not over.wait(max(seconds_left(), WATCH_SECONDS_MIN)):
                if seconds_left() <= 0:
                    self.is_late = True
                    self._cut()

        watchdog = Thread(target=watch, name="mee6-watchdog", daemon=True)
        watchdog.start()
        try:
            yield
        finally:
            over.set()
            watchdog.join()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Follow httpcore from one socket to the next (its `trace` extension)."""
        match event:
            case "connection.connect_tcp.complete":
                self._hold(info["return_value"].get_extra_info("socket"))
            case "connection.start_tls.started" if self._socket is not None:
                # Wrapping takes the descriptor away from the plain socket before the handshake.
                self._handshaking = self._socket.dup()
                self._hold(self._handshaking)
            case "connection.start_tls.failed":
                self._drop_handshaking()
            case "connection.start_tls.complete":
                self._hold(info["return_value"].get_extra_info("socket"))
                self._drop_handshaking()

    def _hold(self, sock: socket.socket) -> None:
        self._socket = sock
        if self.stopped or self.is_late:
            self._cut()

    def _drop_handshaking(self) -> None:
        if self._handshaking is not None:
            self._handshaking.close()
            self._handshaking = None

    def _cut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                # Not SSLSocket's own: it would drop the encryption before the connection.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
