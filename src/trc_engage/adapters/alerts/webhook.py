"""Notices as messages in a Discord channel, through a webhook.

Over `http.client`: it follows nothing, asks no environment for a proxy, and logs nothing, neither the
address, which is a secret, nor the headers of a redirect, which would tell it as well.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPSConnection
from importlib import metadata
from socket import SHUT_RDWR
from threading import Thread
from typing import ClassVar, Self
from urllib.parse import urlsplit

from attrs import define, field

from ...core.errors import AlertFailed, InvalidValue
from ...core.incidents import Notice
from .message import content

SECONDS_MAX = 3.0
_RENEW = "set TRC_ENGAGE_ALERT_WEBHOOK anew (in Discord: channel settings, Integrations, Webhooks)"
_MEANINGS = {
    400: "Discord cannot use the message: look for a newer trc-engage",
    401: f"the webhook's token is wrong: {_RENEW}",
    403: f"Discord refuses it: {_RENEW}",
    404: f"the webhook was deleted: {_RENEW}",
    429: "Discord asks for fewer messages: the next run tries again",
}
_REDIRECTS = range(300, 400)


@define(eq=False)
class WebhookAlerts:
    """Posts each notice to a Discord webhook, over a connection of its own."""

    channel: ClassVar[str] = "webhook"
    _url: str = field(repr=False)
    _seconds: float = SECONDS_MAX

    @classmethod
    @contextmanager
    def open(cls, url: str, *, timeout: float = SECONDS_MAX) -> Iterator[Self]:
        """Prepare to send; `timeout` are the seconds for a whole message. Raises `InvalidValue`."""
        if not url.isascii() or not url.isprintable() or " " in url or not _is_address(url):
            raise InvalidValue("url", "…", "give the address of a Discord webhook: https, a host and a path")
        yield cls(url, timeout)

    def send(self, notice: Notice, /) -> None:
        """Deliver a notice before the time is over, whatever the other side does; raises `AlertFailed`."""
        post = _Post(self._url, self._seconds, {"content": content(notice), "allowed_mentions": {"parse": []}})
        thread = Thread(target=post.run, name="alert-webhook", daemon=True)
        thread.start()
        thread.join(self._seconds)
        if thread.is_alive():
            post.cut()
            raise AlertFailed(f"the webhook did not answer within {self._seconds:g} s; the next run tries again")
        if post.failed:
            raise AlertFailed(f"the webhook cannot be reached ({post.failed}); the next run tries again")
        if not 200 <= post.status < 300:
            raise AlertFailed(f"the webhook answered with status {post.status}: {_meaning(post.status)}")


@define(eq=False)
class _Post:
    """One message on its way, in a thread, since nothing else bounds a name service or a server that drips."""

    url: str = field(repr=False)
    seconds: float
    document: Mapping[str, object] = field(repr=False)
    status: int = field(default=0, init=False)
    failed: str = field(default="", init=False)
    """What kept it from being sent; empty if nothing did."""
    _connection: HTTPConnection | None = field(default=None, init=False, repr=False)

    def run(self) -> None:
        """Send it, and take note of the status; what else is answered is not read."""
        try:
            connection = self._connection = self._connected()
            address = urlsplit(self.url)
            target = f"{address.path}?{address.query}" if address.query else address.path
            headers = {"Content-Type": "application/json", "User-Agent": f"trc-engage/{metadata.version('trc-engage')}"}
            connection.request("POST", target, json.dumps(self.document), headers)
            self.status = connection.getresponse().status
        except Exception as error:
            # The error itself stays here: it may quote the address, or what the server said.
            reason = error.strerror if isinstance(error, OSError) else None
            self.failed = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
        finally:
            if self._connection is not None:
                self._connection.close()

    def cut(self) -> None:
        """End it at once."""
        sock = self._connection and self._connection.sock
        if sock:
            with suppress(OSError):
                sock.shutdown(SHUT_RDWR)

    def _connected(self) -> HTTPConnection:
        address = urlsplit(self.url)
        # Whoever waits ends it sooner, and says why.
        timeout = self.seconds + 1
        if address.scheme == "http":
            return HTTPConnection(address.netloc, timeout=timeout)
        import httpx  # noqa: PLC0415

        # The authorities that MEE6's certificate is checked by.
        context = httpx.create_ssl_context(trust_env=False)
        return HTTPSConnection(address.netloc, timeout=timeout, context=context)


def _is_address(url: str) -> bool:
    try:
        address = urlsplit(url)
        return address.scheme in {"http", "https"} and bool(address.hostname) and bool(address.path.strip("/"))
    except ValueError:
        return False


def _meaning(status: int) -> str:
    if status in _REDIRECTS:
        return f"a redirect, and none is followed: {_RENEW}"
    return _MEANINGS.get(status, "the next run tries again")
