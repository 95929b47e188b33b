"""A stand-in for Discord: a webhook on loopback that keeps the messages it gets, and fails on request."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, cast

from attrs import define, field, frozen

TOKEN = "wEbHoOk-cAnArY_0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"  # noqa: S105
PATH = f"/api/webhooks/900000000000000009/{TOKEN}"
DRIP_SECONDS = 0.05


@frozen
class Message:
    """One message that arrived, whatever the answer was."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    answered: str

    @property
    def document(self) -> Any:
        """The JSON that was sent."""
        return json.loads(self.body)

    @property
    def content(self) -> str:
        """The text that people would read."""
        return str(self.document["content"])

    @property
    def kind(self) -> str:
        """The kind of notice, by its title."""
        title = self.content.splitlines()[0]
        return "all_clear" if "All clear" in title else "reminder" if "Still so" in title else "alert"


def status(code: int, *headers: str) -> bytes:
    """Return a complete answer with this status."""
    return "\r\n".join([f"HTTP/1.1 {code} Told", *headers, "Content-Length: 0", "", ""]).encode()


@define(eq=False)
class Receiver:
    """Answers each message with 204 unless `trouble` is set."""

    server: ThreadingHTTPServer
    messages: list[Message] = field(factory=list)
    trouble: str = ""
    """`refuses`, `429`, `drips`, `hangs`, `redirects`, `nonsense`, or a status such as `500`; empty means none."""
    answers: bytes = b""
    """The bytes to answer every message with instead, if any."""
    on_message: Callable[[], object] | None = None
    """Called when a message has arrived, before it is answered."""
    over: Event = field(factory=Event)
    _lock: Lock = field(factory=Lock)

    @property
    def url(self) -> str:
        """The address of the webhook, with its secret."""
        return f"http://127.0.0.1:{self.server.server_address[1]}{PATH}"

    @property
    def taken(self) -> list[str]:
        """The kinds of the accepted notices, in order."""
        return [message.kind for message in self.messages if not message.answered]

    def receive(self, path: str, headers: Mapping[str, str], body: bytes, connection: socket.socket) -> None:
        """Keep a message and answer it."""
        with self._lock:
            self.messages.append(Message(path, headers, body, self.trouble))
        if self.on_message is not None:
            self.on_message()
        with suppress(OSError):
            self._answer(connection) if not self.answers else connection.sendall(self.answers)

    def _answer(self, connection: socket.socket) -> None:
        match self.trouble:
            case "":
                connection.sendall(status(204))
            case "refuses":
                connection.shutdown(socket.SHUT_RDWR)
            case "drips":
                while not self.over.wait(DRIP_SECONDS):
                    connection.sendall(b"H")
            case "hangs":
                self.over.wait()
            case "redirects":
                connection.sendall(status(302, f"Location: {self.url}/elsewhere"))
            case "nonsense":
                connection.sendall(f"{PATH}\r\n\r\n".encode())
            case "429":
                connection.sendall(status(429, "Retry-After: 3600"))
            case code:
                connection.sendall(status(int(code)))


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        receiver = cast("_Server", self.server).receiver
        receiver.receive(self.path, dict(self.headers.items()), body, self.connection)

    do_GET = do_POST  # noqa: N815  the library's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver


@contextmanager
def received() -> Iterator[Receiver]:
    """Run a receiver."""
    server = _Server(("127.0.0.1", 0), _Handler)
    receiver = server.receiver = Receiver(server)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
