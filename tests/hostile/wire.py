"""A server on loopback that sends exactly the scripted bytes, HTTP or not: one script for each connection."""

import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Condition, Lock, Thread
from typing import Self
from urllib.parse import parse_qs, urlsplit

from attrs import define, field, frozen

LOOPBACK = "127.0.0.1"
DRIP_SECONDS = 0.02
_JOIN_SECONDS = 5.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@frozen
class Asked:
    """A request that arrived."""

    page: int
    limit: int
    head: bytes


@define(eq=False)
class Peer:
    """The server's end of one connection."""

    connection: socket.socket
    at: datetime
    """The present time."""
    requests: list[Asked]
    """Every request so far, over all connections of the present scripts."""
    noted: Condition
    """Notified whenever a request is recorded."""
    _arrived: bytes = b""
    """What arrived after the last request: a client that was answered too early has already sent its next one."""

    def asked(self) -> Asked:
        """Await a request, and record it."""
        while b"\r\n\r\n" not in self._arrived:
            received = self.connection.recv(65_536)
            if not received:
                raise ConnectionResetError
            self._arrived += received
        head, end, self._arrived = self._arrived.partition(b"\r\n\r\n")
        query = parse_qs(urlsplit(head.split(b" ", 2)[1].decode()).query)
        asked = Asked(int(query["page"][0]), int(query["limit"][0]), head + end)
        with self.noted:
            self.requests.append(asked)
            self.noted.notify_all()
        return asked

    def send(self, raw: bytes) -> None:
        """Send all of it."""
        self.connection.sendall(raw)

    def is_gone(self, seconds: float | None) -> bool:
        """Wait, and return whether the client went away before the time was up."""
        self.connection.settimeout(seconds)
        try:
            self.connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return False
        except OSError:
            return True
        else:
            return True
        finally:
            self.connection.settimeout(None)

    def reset(self) -> None:
        """Close with a reset instead of a goodbye."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.connection.close()


Step = Callable[[Peer], object]
Script = Sequence[Step]


@define(eq=False)
class HostileServer:
    """Plays scripts, one for each connection in order; the last one serves all further connections."""

    _clock: Callable[[], datetime]
    requests: list[Asked] = field(factory=list, init=False)
    _scripts: Sequence[Script] = field(default=(), init=False)
    _connections: int = field(default=0, init=False)
    _open: dict[Thread, socket.socket] = field(factory=dict, init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _noted: Condition = field(factory=Condition, init=False)
    _listener: socket.socket = field(init=False)
    _accepting: Thread = field(init=False)
    error: BaseException | None = field(default=None, init=False)
    """The first error in a script, raised when the server stops."""

    def __attrs_post_init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0), backlog=128)
        self._accepting = Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"

    def play(self, *scripts: Script) -> None:
        """Play these scripts from the next connection on, and hang up on all earlier connections."""
        self._hang_up()
        with self._lock:
            self._scripts, self._connections, self.requests = scripts, 0, []

    def heard(self, least: int) -> list[Asked]:
        """Return the requests so far, once there are this many: a client may finish before its last one is recorded."""
        with self._noted:
            self._noted.wait_for(lambda: len(self.requests) >= least, _JOIN_SECONDS)
            return list(self.requests)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(_JOIN_SECONDS)
        self._hang_up()
        if self.error is not None:
            raise self.error

    def _hang_up(self) -> None:
        with self._lock:
            open_before = dict(self._open)
        for thread, connection in open_before.items():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(_JOIN_SECONDS)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    script = self._scripts[min(self._connections, len(self._scripts) - 1)]
                    self._connections += 1
                    peer = Peer(connection, self._clock(), self.requests, self._noted)
                    thread = Thread(target=self._play, args=(peer, script), daemon=True)
                    self._open[thread] = connection
                    thread.start()

    def _play(self, peer: Peer, script: Script) -> None:
        try:
            with peer.connection:
                for step in script:
                    step(peer)
        except OSError:
            pass
        except BaseException as error:
            self.error = self.error or error
        finally:
            with self._lock:
                for thread in [thread for thread, connection in self._open.items() if connection is peer.connection]:
                    del self._open[thread]
