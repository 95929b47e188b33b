"""Alert channels (the log, Sentry, a Discord webhook) and the heartbeat for an external monitor."""

import json
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from hashlib import blake2b
from http.client import HTTPConnection, HTTPSConnection
from importlib import metadata
from math import nan
from socket import SHUT_RDWR
from threading import Event, Thread
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import SplitResult, urlsplit

from attrs import define, field, frozen

from ..core.errors import AlertFailed, InvalidValue
from ..core.incidents import Describe, Message, Notice, NoticeKind, describe
from ..core.validation import PAGE_FORM

if TYPE_CHECKING:
    from sentry_sdk._types import LogLevelStr

__all__ = ["Heartbeat", "LogAlerts", "SentryAlerts", "WebhookAlerts"]

logger: logging.Logger = logging.getLogger("trc_engage.alerts")
heartbeats: logging.Logger = logging.getLogger("trc_engage.heartbeat")


@frozen
class LogAlerts:
    """Logs each notice as one line: as an error, or as a warning for an all-clear."""

    channel: ClassVar[str] = "log"
    describe: Describe = describe
    """How to word a notice; by default in plain words, as in the other channels."""

    def send(self, notice: Notice, /) -> None:
        """Log a notice; never fails."""
        level = logging.WARNING if notice.kind == "all_clear" else logging.ERROR
        message = self.describe(notice)
        text = " ".join(message.text.split())
        logger.log(level, "%s — %s", message.title, text, extra={"topic": notice.topic, "notice": notice.kind})


LENGTH_MAX = 2_000
"""Discord's limit, in UTF-16 units."""

_COMMAND = re.compile(r"(`(?:trc-engage|date|timedatectl)[^`]*`)")
"""Commands for an admin to copy, which stay marked as code; all other Markdown is escaped."""
_MARKS = re.compile(r"(?=[\\*_~|`<>@#\[\]])|(?<=:)(?=//)")


def content(message: Message) -> str:
    """Return the text to post, with the title in bold; too long a text is cut within its longest line."""
    lines = [message.title, *message.text.splitlines()]
    while (excess := _size(text := _marked(lines)) - LENGTH_MAX) > 0:
        longest = max(range(len(lines)), key=lambda number: len(lines[number]))
        # A character takes one or two units.
        lines[longest] = _cut(lines[longest], (excess + 1) // 2)
    return text


def _marked(lines: list[str]) -> str:
    title, *text = [_inert(line) for line in lines]
    return "\n".join([f"**{title}**", *text])


def _inert(line: str) -> str:
    printable = "".join(char for char in line if char.isprintable())
    pieces = _COMMAND.split(printable)
    return "".join(piece if number % 2 else _MARKS.sub(r"\\", piece) for number, piece in enumerate(pieces))


def _cut(line: str, number: int) -> str:
    """Remove `number` characters and insert an ellipsis, keeping mostly the end, which says what to do."""
    kept = max(len(line) - number - 1, 0)
    head = kept // 3
    return f"{line[:head]}…{line[len(line) - kept + head :]}"


def _size(message: str) -> int:
    return len(message) + sum(char > "\uffff" for char in message)


LEVELS: Final[dict[NoticeKind, "LogLevelStr"]] = {"alert": "error", "reminder": "warning", "all_clear": "info"}
SENTRY_SECONDS_MAX = 2.0
_GLANCE_SECONDS = 0.01


@frozen
class SentryAlerts:
    """Sends each notice as a Sentry message; those of one topic form one issue.

    It never initializes a client, which would replace the web app's own. If the transport counts what
    it `lost`, a notice that Sentry did not accept is tried again; otherwise only a late one is.
    """

    channel: ClassVar[str] = "sentry"
    timeout: float = SENTRY_SECONDS_MAX
    """The maximum time to deliver a notice, in seconds."""
    describe: Describe = describe

    def send(self, notice: Notice, /) -> None:
        """Send a notice, and wait until it is delivered; raises `AlertFailed`."""
        import sentry_sdk  # noqa: PLC0415

        client = sentry_sdk.get_client()
        if client.transport is None:
            raise AlertFailed("no Sentry client is set up: call `sentry_sdk.init` with a DSN first")
        lost, message = getattr(client.transport, "lost", 0), self.describe(notice)
        with sentry_sdk.new_scope() as scope:
            scope.fingerprint = ["trc-engage", notice.topic]
            scope.set_tag("topic", notice.topic)
            scope.set_tag("notice", notice.kind)
            scope.set_context("notice", {"since": notice.since.isoformat(), "text": message.text})
            sentry_sdk.capture_message(message.title, level=LEVELS[notice.kind])
        client.flush(self.timeout)
        if getattr(client.transport, "lost", 0) > lost:
            raise AlertFailed("Sentry did not take it; the next run tries again, so look at its DSN only if it lasts")
        late: list[int] = []
        client.flush(_GLANCE_SECONDS, lambda pending, _: late.append(pending))
        if late:
            raise AlertFailed(f"Sentry did not answer within {self.timeout:g} s; the next run tries again")


WEBHOOK_SECONDS_MAX = 3.0
ANSWER_BYTES_MAX = 4_096
"""How much of an answer to read, enough to find the wait in it."""
_RENEW = "make a new one (in Discord: channel settings, Integrations, Webhooks)"
_MEANINGS = {
    400: "Discord cannot use the message: look for a newer trc-engage",
    401: f"the webhook's token is wrong, so it is not used again: {_RENEW}",
    403: f"Discord refuses it: {_RENEW}",
    404: f"the webhook was deleted, so it is not used again: {_RENEW}",
    410: f"the webhook is gone, so it is not used again: {_RENEW}",
    429: "Discord asks for fewer messages: the next try comes after the wait that it asked for",
}
_MEANINGS |= dict.fromkeys(range(300, 400), f"a redirect, which is not followed: {_RENEW}")
_GONE = frozenset({401, 404, 410})
_TOO_MANY = 429
SECONDS_ASKED_MAX = 1e6
NO_CONTACT = "give the address of a page of yours: http or https, without user, password, blanks, commas and brackets"
_WAITS = {_TOO_MANY: timedelta(minutes=15)} | dict.fromkeys((400, 403, *range(300, 400)), timedelta(hours=1))
"""How long to wait if the answer does not say, because the next run would usually get the same answer."""


@define(eq=False)
class WebhookAlerts:
    """Posts each notice to a Discord webhook, over a new connection; the constructor raises `InvalidValue`.

    `timeout` is the time for a whole message, in seconds; `contact` is a URL of yours for the User-Agent, which Discord
    requires.
    """

    channel: ClassVar[str] = "webhook"
    _url: str = field(repr=False)
    _timeout: float = WEBHOOK_SECONDS_MAX
    _contact: str | None = None
    _describe: Describe = describe

    def __attrs_post_init__(self) -> None:
        url, contact = self._url, self._contact
        address = _web_address(url) if url.isascii() and url.isprintable() and " " not in url else None
        if address is None or not address.path.strip("/"):
            raise InvalidValue("url", "…", "give the address of a Discord webhook: https, a host and a path")
        if contact is not None and (not re.fullmatch(PAGE_FORM, contact) or not _web_address(contact)):
            raise InvalidValue("contact", "…" if "@" in contact else contact, NO_CONTACT)

    @property
    def fingerprint(self) -> str:
        """A one-way hash of the URL."""
        return blake2b(self._url.encode(), digest_size=16, person=b"trc-engage").hexdigest()

    def send(self, notice: Notice, /) -> None:
        """Deliver a notice within the timeout, however the server behaves; raises `AlertFailed`."""
        document = {"content": content(self._describe(notice)), "allowed_mentions": {"parse": []}}
        post = _Request(self._url, self._timeout, user_agent(self._contact), document)
        if failed := post.ended():
            raise AlertFailed(f"the webhook {failed}; the next run tries again", may_have_arrived=post.is_sent)
        if not post.is_taken:
            raise _refusal(post)


@define(eq=False)
class _Request:
    """A request in a thread: the only way to bound slow DNS, or a server that sends a byte at a time."""

    url: str = field(repr=False)
    seconds: float
    user_agent: str
    document: Mapping[str, object] | None = field(default=None, repr=False)
    """The JSON to POST; None for a GET."""
    status: int = field(default=0, init=False)
    headers: Mapping[str, str] = field(factory=dict, init=False)
    """The response's headers; names are in lower case."""
    body: bytes = field(default=b"", init=False, repr=False)
    """The start of the response's body, read only for status 429."""
    is_sent: bool = field(default=False, init=False)
    """Whether the whole request went out, whatever came back."""
    failed: str = field(default="", init=False)
    """The error that ended the request; empty if none did."""
    _connection: HTTPConnection | None = field(default=None, init=False, repr=False)

    @property
    def is_taken(self) -> bool:
        """Whether the status is a success."""
        return 200 <= self.status < 300

    def ended(self) -> str:
        """Send the request and cut it off after `seconds`; return why there was no answer, empty if there was one."""
        thread = Thread(target=self.run, name="alert-request", daemon=True)
        thread.start()
        thread.join(self.seconds)
        # Check once: after the cut, the thread ends with an error of its own.
        is_late = thread.is_alive()
        if is_late:
            self.cut()
        if self.status:
            return ""
        late = f"did not answer within {self.seconds:g} s"
        return f"cannot be reached ({self.failed})" if self.failed and not is_late else late

    def run(self) -> None:
        """Send the request and keep the status and headers of the response."""
        try:
            connection = self._connection = self._connected()
            address = urlsplit(self.url)
            target = f"{address.path}?{address.query}" if address.query else address.path
            headers = {"User-Agent": self.user_agent}
            if self.document is None:
                connection.request("GET", target, headers=headers)
            else:
                headers["Content-Type"] = "application/json"
                connection.request("POST", target, json.dumps(self.document), headers)
            self.is_sent = True
            response = connection.getresponse()
            self.headers = {name.lower(): value for name, value in response.getheaders()}
            self.status = response.status
            if self.status == _TOO_MANY:
                self.body = response.read(ANSWER_BYTES_MAX)
        except Exception as error:
            # Do not pass on the error itself: it may quote the URL or the server's answer.
            reason = error.strerror if isinstance(error, OSError) else None
            self.failed = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
        finally:
            if self._connection is not None:
                self._connection.close()

    def cut(self) -> None:
        """End the request at once."""
        sock = self._connection and self._connection.sock
        if sock:
            with suppress(OSError):
                sock.shutdown(SHUT_RDWR)

    def _connected(self) -> HTTPConnection:
        address = urlsplit(self.url)
        # The waiting thread ends it sooner, and says why.
        timeout = self.seconds + 1
        if address.scheme == "http":
            return HTTPConnection(address.netloc, timeout=timeout)
        import httpx  # noqa: PLC0415

        # The same certificate authorities as for the boards.
        context = httpx.create_ssl_context(trust_env=False)
        return HTTPSConnection(address.netloc, timeout=timeout, context=context)


HEARTBEAT_SECONDS_MAX = 10.0


@define(eq=False)
class Heartbeat:
    """Calls a URL after each good run, so that an external monitor notices when the calls stop.

    Runs in its own thread. Failures affect nothing else and are logged once until a call succeeds.
    """

    _url: str | None = field(repr=False)
    """None: no monitor is configured."""
    _seconds: float = HEARTBEAT_SECONDS_MAX
    _is_failing: bool = field(default=False, init=False)
    _is_stopped: bool = field(default=False, init=False)
    _idle: Event = field(factory=Event, init=False)

    def __attrs_post_init__(self) -> None:
        self._idle.set()

    def beat(self) -> None:
        """Call the URL, unless the last call is still in progress."""
        if self._url is None or self._is_stopped or not self._idle.is_set():
            return
        self._idle.clear()
        Thread(target=self._call, args=[self._url], name="heartbeat", daemon=True).start()

    def stop(self) -> None:
        """Stop waiting for calls."""
        self._is_stopped = True
        self._idle.set()

    def close(self) -> None:
        """Wait until the last call has ended, at the latest a second after its timeout."""
        self._idle.wait(self._seconds + 1)

    def _call(self, url: str) -> None:
        request = _Request(url, self._seconds, "trc-engage")
        failed = request.ended() or ("" if request.is_taken else f"answered with status {request.status}")
        if failed and not self._is_failing:
            heartbeats.warning(
                "the heartbeat's address %s; runs go on, and this is not logged again until it ends", failed
            )
        elif self._is_failing and not failed:
            heartbeats.info("the heartbeat's address answers again")
        self._is_failing = bool(failed)
        self._idle.set()


def _web_address(url: str) -> SplitResult | None:
    """Return the parts of an http(s) URL with a host; None for any other."""
    try:
        address = urlsplit(url)
        is_whole = address.scheme in {"http", "https"} and address.hostname
    except ValueError:
        return None
    return address if is_whole else None


def user_agent(contact: str | None) -> str:
    """Return the User-Agent in Discord's format; without a `contact`, it names only trc-engage."""
    try:
        version = metadata.version("trc-engage")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"DiscordBot ({contact or 'trc-engage'}, {version})"


def _refusal(post: _Request) -> AlertFailed:
    """Return the error for a refusal, with whether and when to try again."""
    asked = filter(None, (_seconds(post.headers.get("retry-after")), _seconds(_named_in(post.body))))
    return AlertFailed(
        f"the webhook answered with status {post.status}: {_MEANINGS.get(post.status, 'the next run tries again')}",
        is_gone=post.status in _GONE,
        retry_after=max(asked, default=_WAITS.get(post.status)),
        is_for_all=post.status == _TOO_MANY and post.headers.get("x-ratelimit-scope", "").lower() == "global",
    )


def _named_in(body: bytes) -> object:
    """Return the `retry_after` of a response's JSON body."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document.get("retry_after") if isinstance(document, dict) else None


def _seconds(value: object) -> timedelta | None:
    """Return a wait in seconds, at most `SECONDS_ASKED_MAX`; None if it is not a positive number."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else nan
    except (ValueError, OverflowError):
        return None
    return timedelta(seconds=min(seconds, SECONDS_ASKED_MAX)) if seconds > 0 else None
