# ruff: noqa: ARG002  the signatures are httpcore's
"""HTTP without a network: the real client's bytes go to a server in this process, and bytes come back."""

import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx
from attrs import define, field

from .clock import Clock

BYTES_MAX = 4 * 2**20
"""How long an endless body may get before the client must have hung up."""


@define(eq=False)
class Script:
    """A socket as the troubles of `trc_engage.testing.mee6` see it; it records what is sent, and when."""

    parts: list[tuple[float, bytes]] = field(factory=list)
    """Bytes, each after a delay in seconds."""
    ending: str = "open"
    """Whether the connection then is open, closed, reset, or hangs."""
    _delay: float = 0.0
    _timeout: float | None = None
    _size: int = 0

    def sendall(self, data: bytes) -> None:
        """Record bytes; too many of them break the pipe."""
        self._size += len(data)
        if self._size > BYTES_MAX:
            raise BrokenPipeError
        self.parts.append((self._delay, bytes(data)))
        self._delay = 0.0

    def settimeout(self, seconds: float | None) -> None:
        """Record how long the next `recv` waits."""
        self._timeout = seconds

    def recv(self, _size: int, _flags: int) -> bytes:
        """Wait for a client that sends nothing more; without a timeout the connection hangs."""
        if self._timeout is None:
            self.ending = "hang"
            return b""
        self._delay += self._timeout
        raise TimeoutError

    def setsockopt(self, *_: object) -> None:
        """Close with a reset."""
        self.ending = "reset"

    def close(self) -> None:
        """Close."""
        if self.ending == "open":
            self.ending = "closed"


class Stream(httpcore.NetworkStream):
    """One connection."""

    def __init__(self, clock: Clock, answer: Callable[[bytes], Script | None], is_cut: Callable[[], bool]) -> None:
        self._clock = clock
        self._answer = answer
        self._is_cut = is_cut
        self._request = b""
        self._script = Script()

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Take a request, and answer it once it is complete."""
        self._request += buffer
        if self._request.endswith(b"\r\n\r\n"):
            request, self._request = self._request, b""
            script = self._answer(request)
            if script is None:
                raise httpcore.WriteError("broken pipe")
            self._script = script

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes of the answer when they are due."""
        if self._is_cut():
            raise httpcore.ReadError("cut")
        if not self._script.parts:
            return self._end(timeout or 0.0)
        delay, data = self._script.parts.pop(0)
        if timeout is not None and delay > timeout:
            self._clock.sleep(timeout)
            raise httpcore.ReadTimeout("timed out")
        self._clock.sleep(delay)
        if len(data) > max_bytes:
            self._script.parts.insert(0, (0.0, data[max_bytes:]))
        return data[:max_bytes]

    def _end(self, timeout: float) -> bytes:
        if self._script.ending == "reset":
            raise httpcore.ReadError("reset by peer")
        if self._script.ending != "closed":
            self._clock.sleep(timeout)
            raise httpcore.ReadTimeout("timed out")
        return b""

    def close(self) -> None:
        """Hang up."""

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the stream itself, since no one can listen in."""
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return None, since there is no socket."""
        return None


class Network(httpcore.NetworkBackend):
    """The network to one server."""

    def __init__(
        self,
        clock: Clock,
        answer: Callable[[bytes], Script | None],
        is_reachable: Callable[[], bool],
        is_cut: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._answer = answer
        self._is_reachable = is_reachable
        self._is_cut = is_cut

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, if the server is reachable."""
        self._clock.sleep(0.05)
        if not self._is_reachable():
            raise httpcore.ConnectError("no route")
        return Stream(self._clock, self._answer, self._is_cut)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._clock.sleep(seconds)


class Transport(httpx.HTTPTransport):
    """httpx's own transport, over our network."""

    def __init__(self, network: Network) -> None:
        self._pool = httpcore.ConnectionPool(network_backend=network, max_connections=1)
