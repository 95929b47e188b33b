"""Notices as messages in a Discord channel, through a webhook.

Over `http.client`: it follows nothing, asks no environment for a proxy, and logs nothing, neither the
address, which is a secret, nor the headers of a redirect, which would tell it as well.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from hashlib import blake2b
from http.client import HTTPConnection, HTTPSConnection
from importlib import metadata
from math import nan
from socket import SHUT_RDWR
from threading import Thread
from typing import ClassVar, Self
from urllib.parse import urlsplit

from attrs import define, field

from ...core.errors import AlertFailed, InvalidValue
from ...core.incidents import Notice
from .message import content

SECONDS_MAX = 3.0
ANSWER_BYTES_MAX = 4_096
"""Enough of an answer to find in it how long to wait."""
_RENEW = "set TRC_ENGAGE_ALERT_WEBHOOK anew (in Discord: channel settings, Integrations, Webhooks)"
_MEANINGS = {
    400: "Discord cannot use the message: look for a newer trc-engage",
    401: f"the webhook's token is wrong, and it is not used again: {_RENEW}",
    403: f"Discord refuses it: {_RENEW}",
    404: f"the webhook was deleted, and it is not used again: {_RENEW}",
    410: f"the webhook is gone, and it is not used again: {_RENEW}",
    429: "Discord asks for fewer messages: it is tried again once the time that it named is over",
}
_GONE = frozenset({401, 404, 410})
_TOO_MANY = 429
_REDIRECTS = range(300, 400)
_NO_BETTER = (400, 403, *_REDIRECTS)
"""Answers that the next run would only get again."""
SECONDS_ASKED_MAX = 1e6
CONTACT_FORM = r"https?://[!-'*-+\--~]+"
NO_CONTACT = "give the address of a page of yours: http or https, without blanks, commas and brackets"
_WAIT = timedelta(hours=1)
_WAIT_UNTOLD = timedelta(minutes=15)


@define(eq=False)
class WebhookAlerts:
    """Posts each notice to a Discord webhook, over a connection of its own."""

    channel: ClassVar[str] = "webhook"
    _url: str = field(repr=False)
    _seconds: float = SECONDS_MAX
    _contact: str | None = None

    @classmethod
    @contextmanager
    def open(cls, url: str, *, timeout: float = SECONDS_MAX, contact: str | None = None) -> Iterator[Self]:
        """Prepare to send; `timeout` are the seconds for a whole message. Raises `InvalidValue`.

        `contact` is the address of a page of whoever runs this: Discord asks for one in the User-Agent.
        """
        if not url.isascii() or not url.isprintable() or " " in url or not _is_address(url):
            raise InvalidValue("url", "…", "give the address of a Discord webhook: https, a host and a path")
        if contact is not None and (not re.fullmatch(CONTACT_FORM, contact) or not _has_host(contact)):
            raise InvalidValue("contact", contact, NO_CONTACT)
        yield cls(url, timeout, contact)

    @property
    def fingerprint(self) -> str:
        """What stands for the address, which cannot be found from it."""
        return blake2b(self._url.encode(), digest_size=16, person=b"trc-engage").hexdigest()

    def send(self, notice: Notice, /) -> None:
        """Deliver a notice before the time is over, whatever the other side does; raises `AlertFailed`."""
        document = {"content": content(notice), "allowed_mentions": {"parse": []}}
        post = _Post(self._url, self._seconds, document, user_agent(self._contact))
        thread = Thread(target=post.run, name="alert-webhook", daemon=True)
        thread.start()
        thread.join(self._seconds)
        if thread.is_alive():
            post.cut()
        if not post.status:
            late = f"the webhook did not answer within {self._seconds:g} s"
            why = f"the webhook cannot be reached ({post.failed})" if post.failed and not thread.is_alive() else late
            raise AlertFailed(f"{why}; the next run tries again", may_have_arrived=post.is_sent)
        if not 200 <= post.status < 300:
            raise _refusal(post)


@define(eq=False)
class _Post:
    """One message on its way, in a thread, since nothing else bounds a name service or a server that drips."""

    url: str = field(repr=False)
    seconds: float
    document: Mapping[str, object] = field(repr=False)
    user_agent: str
    status: int = field(default=0, init=False)
    headers: Mapping[str, str] = field(factory=dict, init=False)
    """Those of a refusal, in lower case …"""
    body: bytes = field(default=b"", init=False, repr=False)
    """… and as much of what it said as came."""
    is_sent: bool = field(default=False, init=False)
    """Whether all of it went out, whatever came back."""
    failed: str = field(default="", init=False)
    """What kept it from being sent; empty if nothing did."""
    _connection: HTTPConnection | None = field(default=None, init=False, repr=False)

    def run(self) -> None:
        """Send it, and take note of the status; of a refusal also how long to wait."""
        try:
            connection = self._connection = self._connected()
            address = urlsplit(self.url)
            target = f"{address.path}?{address.query}" if address.query else address.path
            headers = {"Content-Type": "application/json", "User-Agent": self.user_agent}
            connection.request("POST", target, json.dumps(self.document), headers)
            self.is_sent = True
            response = connection.getresponse()
            self.headers = {name.lower(): value for name, value in response.getheaders()}
            self.status = response.status
            if self.status == _TOO_MANY:
                self.body = response.read(ANSWER_BYTES_MAX)
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


def user_agent(contact: str | None) -> str:
    """Say who sends, in the form that Discord asks for; without an address of one's own none is made up."""
    try:
        version = metadata.version("trc-engage")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"DiscordBot ({contact or 'trc-engage'}, {version})"


def _refusal(post: _Post) -> AlertFailed:
    """Say what a refusal means, and whether and when to come back."""
    asked = [wait for wait in (_seconds(post.headers.get("retry-after")), _seconds(_told(post))) if wait is not None]
    wait = max(asked, default=None)
    if wait is None and post.status in _NO_BETTER:
        wait = _WAIT
    if wait is None and post.status == _TOO_MANY:
        wait = _WAIT_UNTOLD
    return AlertFailed(
        f"the webhook answered with status {post.status}: {_meaning(post.status)}",
        is_gone=post.status in _GONE,
        retry_after=wait,
        is_for_all=post.status == _TOO_MANY and post.headers.get("x-ratelimit-scope", "").lower() == "global",
    )


def _told(post: _Post) -> object:
    """Return what the body of a refusal names as a wait."""
    try:
        document = json.loads(post.body)
    except (ValueError, RecursionError):
        return None
    return document.get("retry_after") if isinstance(document, dict) else None


def _seconds(value: object) -> timedelta | None:
    """Take a wait in seconds as it may come; one that is none, or without end, is held within bounds later."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else nan
    except (ValueError, OverflowError):
        return None
    return timedelta(seconds=min(seconds, SECONDS_ASKED_MAX)) if seconds > 0 else None


def _has_host(address: str) -> bool:
    try:
        return bool(urlsplit(address).hostname)
    except ValueError:
        return False


def _meaning(status: int) -> str:
    if status in _REDIRECTS:
        return f"a redirect, and none is followed: {_RENEW}"
    return _MEANINGS.get(status, "the next run tries again")
