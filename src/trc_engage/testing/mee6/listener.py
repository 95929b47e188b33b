"""The sockets: HTTP/1.1 on loopback, a thread for each connection, silent, quick to stop."""

import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Condition, Thread
from typing import Any, cast

LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.02
_STOP_SECONDS = 1.0

Answering = Callable[[str, Mapping[str, str], socket.socket], bool]
"""Target, headers (names in lower case) and connection; answers, and tells whether to hang up."""


class Listener(ThreadingHTTPServer):
    """Accepts connections and has each request answered."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answering: Answering) -> None:
        self.answering = answering
        self.error: BaseException | None = None
        self._open: set[socket.socket] = set()
        self._changed = Condition()
        super().__init__((LOOPBACK, port), _Handler)
        self._thread = Thread(
            target=self.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, name="mee6", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody, those still waiting for an answer too."""
        self.shutdown()
        self._thread.join()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=_STOP_SECONDS)
        self.server_close()

    def server_bind(self) -> None:
        """Bind without asking the resolver for this machine's name, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection before its thread begins, so that `stop` misses none."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection and forget it."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Keep the first error that is not a client going away, to be raised when the server stops."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self.error = self.error or error


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        listener = cast("Listener", self.server)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if listener.answering(self.path, headers, self.connection):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""
