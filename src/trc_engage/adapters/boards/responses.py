"""The facts of a leaderboard service, the meaning of its responses, and the translation of httpx errors."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, get_origin

import httpx
from attrs import field, frozen
from cattrs import ClassValidationError, Converter, transform_error

from ...core.errors import SourceError, SourceTrouble, shortened


@frozen
class Service:
    """The facts of a service; JSON keys may be paths with dots, such as `user.id`.

    Where the board is:
    - `name`: the service's name in messages; in lower case, the beginning of each board's id.
    - `base_url`, `path`: its base URL and the path, with `{guild}` for the Discord server's id.

    What a page looks like:
    - `rows`: the key of the list of rows; "" if the answer is that list.
    - `id`, `xp`: the keys of the Discord id (a string) and of the total XP (a whole number, 0 or more) in a row.
    - `guild`: the key of the Discord server's id, which must be the one asked for; None if pages do not have it.

    How to ask for a page:
    - `page`, `page_first`: the page parameter, and the first page's number: 1 if that is `?page=1`.
    - `counts_rows`: True if that parameter skips rows instead of pages, as in `?offset=200`.
    - `limit`: the parameter for the rows per page, as in `?limit=1000`; None if the service decides.
    - `page_size`: the maximum number of rows per page.

    Who asks:
    - `token_header`, `token_form`: the header for a token, and its format, such as `Bearer {}`.
    - `user_agent`: that header, with `{version}` (of trc-engage) and `{contact}`.
    - `contact`: the default contact, where the service can reach you; may contain `{guild}`.

    What its answers mean:
    - `limits`: `X-RateLimit` if the headers `X-RateLimit-Remaining` and `X-RateLimit-Reset` give the requests left and
      the reset time (in seconds, or an instant since 1970); None if there are none.
    - `speaks`: whether the JSON object of a status 403 (private) or 404 (unknown guild) is the service's own; by
      default, any that is not empty. Otherwise, and for an empty or HTML body, it is a proxy's: a 403 is `blocked`, a
      404 `malformed`. With None, every 403 and 404 is the service's, except a proxy's check for robots.
    - `private`: what helps if a board is private: a sentence without its full stop, such as `Make it public`.
    - `unknown_guild`: what helps if there is no such board; it follows a colon, such as `check the guild's id`.
    """

    name: str
    base_url: str
    path: str
    rows: str
    id: str
    xp: str
    guild: str | None = None
    page: str = "page"
    page_first: int = 0
    counts_rows: bool = False
    limit: str | None = "limit"
    page_size: int = 1_000
    token_header: str = "Authorization"  # noqa: S105  the header's name
    token_form: str = "{}"  # noqa: S105
    user_agent: str = "trc-engage/{version} (+{contact})"
    contact: str = "https://discord.com/channels/{guild}"
    limits: str | None = None
    speaks: Callable[[Mapping[str, Any]], bool] | None = bool
    private: str = "Make it public"
    unknown_guild: str = "check the guild's id, and whether its members earn XP there"

    def query(self, number: int, limit: int) -> dict[str, int]:
        """Return the query parameters for a page, counted from 0."""
        sized = {} if self.limit is None else {self.limit: limit}
        return {**sized, self.page: self.page_first + number * (limit if self.counts_rows else 1)}

    def headers(self, version: str, contact: str, token: str | None) -> dict[str, str]:
        """Return the headers that identify the client."""
        agent = self.user_agent.format(version=version, contact=contact)
        return {"User-Agent": agent} | ({} if token is None else {self.token_header: self.token_form.format(token)})


OK = 200
_SERVER_ERRORS = range(500, 600)
_REDIRECTS = range(300, 400)
_SECONDS = re.compile(r"[0-9]{1,20}(\.[0-9]{1,9})?", re.ASCII)
_INSTANT_MIN = 1e9
"""From here on, a number of seconds is an instant: no wait is that long."""
_MILLISECONDS_MIN = 1e11
_CHALLENGE_MARKS = (b"just a moment", b"challenge-platform", b"cf-chl", b"cf_chl", b"checking your browser", b"captcha")

_PRIVATE = "{service.name} does not show this board: it is private{expired}. {service.private}"
_UNKNOWN_GUILD = "{service.name} has no leaderboard for this server: {service.unknown_guild}"
_RATE_LIMITED = (
    "{service.name} asks for fewer requests: wait. If it happens again, see whether something else reads "
    "{service.name} from this address, or a second deployment does"
)
_BLOCKED = (
    "{service.name}'s edge turns this client away (status {status}, as it does with robots): wait, it often passes. If "
    "it lasts, see whether this machine's address is blocked, and whether something else on it reads {service.name}"
)
_DOWN = (
    "{service.name} is in trouble (status {status}): the next sync tries again, so look at {service.name}'s status "
    "only if it lasts"
)
_REDIRECT = (
    "{service.name} sent a redirect (status {status}), which is not followed: check that its address is "
    "{service.name}'s own, and look for a newer trc-engage"
)
_NOT_FOUND = (
    "there is no leaderboard at this address (status 404, and not in {service.name}'s words): check that the address "
    "is {service.name}'s own, and look for a newer trc-engage"
)
_STRANGE = (
    "{service.name} answered with status {status}, which is not expected here: the next sync tries again; if it lasts, "
    "look for a newer trc-engage"
)
_ARGUMENTS = {_PRIVATE: "token", _UNKNOWN_GUILD: "guild_id", _REDIRECT: "base_url", _NOT_FOUND: "base_url"}


@frozen
class Answer:
    """A response: status, headers, and the body as far as it was read."""

    status: int
    headers: httpx.Headers
    body: bytes | bytearray = field(repr=False)

    @property
    def server_at(self) -> datetime | None:
        """The server's time, in UTC; None if its `Date` header is missing or unreadable."""
        return _http_date(self.headers.get("date", ""))

    @property
    def retry_after(self) -> timedelta | None:
        """How long the server asks to wait, unbounded but never negative; None if it does not ask.

        A date is compared with the server's own `Date`, so that neither clock has to be right.
        """
        text = self.headers.get("retry-after", "").strip()
        if _SECONDS.fullmatch(text):
            try:
                return timedelta(seconds=float(text))
            except OverflowError:
                return timedelta.max
        until = _http_date(text)
        if until is None:
            return None
        return max(until - (self.server_at or datetime.now(UTC)), timedelta(0))

    @property
    def document(self) -> Mapping[str, Any] | None:
        """The body as a JSON object; None if it is none, such as a proxy's."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    @property
    def is_for_browsers(self) -> bool:
        """Whether it is a web page."""
        return "html" in self.headers.get("content-type", "").lower() or self.body.lstrip()[:1] == b"<"

    @property
    def is_challenge(self) -> bool:
        """Whether a proxy asks for proof of a browser."""
        text = self.body.lower()
        return "cf-mitigated" in self.headers or any(mark in text for mark in _CHALLENGE_MARKS)

    def is_from(self, service: Service) -> bool:
        """Return whether the service itself answered and not a proxy."""
        if service.speaks is None:
            return not self.is_challenge
        document = self.document
        return document is not None and service.speaks(document)

    def until_reset(self, service: Service) -> timedelta | None:
        """Return how long until the rate limit resets, if the service says so.

        The header may give a number of seconds, or an instant in seconds or milliseconds since 1970.
        """
        text = self.headers.get(f"{service.limits}-reset", "").strip() if service.limits else ""
        if not _SECONDS.fullmatch(text):
            return None
        seconds = float(text)
        if seconds >= _INSTANT_MIN:
            at = seconds / 1_000 if seconds >= _MILLISECONDS_MIN else seconds
            seconds = max(at - (self.server_at or datetime.now(UTC)).timestamp(), 0.0)
        return timedelta(seconds=min(seconds, _INSTANT_MIN))

    def is_last(self, service: Service) -> bool:
        """Return whether no requests are left until the reset."""
        return bool(service.limits) and self.headers.get(f"{service.limits}-remaining", "").strip() == "0"


def trouble(answer: Answer, service: Service, *, has_token: bool = False) -> SourceError | None:
    """Return the error that an answer means, given whether a token was sent; None if it looks like a page."""
    kind, message = _meaning(answer, service)
    if kind is None:
        return None
    expired = ", or the token has expired" if has_token else ""
    text = message.format(status=answer.status, service=service, expired=expired)
    wait = answer.retry_after
    if wait is None and kind == "rate_limited":
        wait = answer.until_reset(service)
    return SourceError(kind, text, wait, argument=_ARGUMENTS.get(message))


def _meaning(answer: Answer, service: Service) -> tuple[SourceTrouble | None, str]:
    match answer.status:
        case 200:
            return ("blocked", _BLOCKED) if answer.is_for_browsers else (None, "")
        case 401:
            return "private", _PRIVATE
        case 403:
            return ("private", _PRIVATE) if answer.is_from(service) else ("blocked", _BLOCKED)
        case 404:
            return ("unknown_guild", _UNKNOWN_GUILD) if answer.is_from(service) else ("malformed", _NOT_FOUND)
        case 429:
            return "rate_limited", _RATE_LIMITED
        case 503 if answer.is_challenge:
            return "blocked", _BLOCKED
    return _meaning_at_large(answer.status)


def _meaning_at_large(status: int) -> tuple[SourceTrouble, str]:
    if status in _SERVER_ERRORS:
        return "down", _DOWN
    if status in _REDIRECTS:
        return "malformed", _REDIRECT
    return "malformed", _STRANGE


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
"""The base classes of all errors that httpx raises."""

_PASSES = "the next sync tries again, so look at {}'s status only if it lasts"
_MEANINGS: tuple[tuple[tuple[type[Exception], ...], SourceTrouble, str | None, str], ...] = (
    (
        (httpx.ConnectError,),
        "down",
        "base_url",
        "cannot be reached; check this machine's network, name service and certificates, and the address",
    ),
    ((httpx.TimeoutException,), "down", None, f"did not answer in time; {_PASSES}"),
    (
        (httpx.UnsupportedProtocol,),
        "malformed",
        "base_url",
        "cannot be asked over this protocol; give an address that begins with https://",
    ),
    ((httpx.TransportError, OSError), "down", None, f"broke off the connection; {_PASSES}"),
    (
        (Exception,),
        "malformed",
        "base_url",
        "did not answer in proper HTTP; check that the address is {}'s, and look for a newer trc-engage",
    ),
)


def translated(error: Exception, name: str) -> SourceError:
    """Return the `SourceError` for an error of httpx; the caller chains it."""
    _, kind, argument, meaning = next(row for row in _MEANINGS if isinstance(error, row[0]))
    # h11 may quote anything that the server sent, and the message is stored (R9).
    words = str(error).partition(": bytearray(")[0]
    return SourceError(
        kind, f"{name} {meaning.format(name)} ({type(error).__name__}: {shortened(words, 160)})", argument=argument
    )


FORMS = {str: "a text", list[Any]: "a list"}
Value = TypeVar("Value")


def _exact(value: Any, kind: Any) -> Any:
    if type(value) is not (get_origin(kind) or kind):
        # The value may name people; its type says enough.
        raise TypeError(f"{FORMS[kind]} was expected, not {value if value is None else type(value).__name__}")
    return value


STRICT = Converter(prefer_attrib_converters=True)
"""Accepts only values of the exact type, and converts nothing."""
STRICT.register_structure_hook(str, _exact)
STRICT.register_structure_hook_func(lambda kind: kind == list[Any], _exact)


def structured(kind: type[Value], found: Mapping[str, object], what: str, **names: str) -> Value:
    """Return a value of an attrs class; raises `SourceError` (malformed), which names the fields at fault.

    `what` begins the error's message; `names` are the service's own names of fields.
    """
    try:
        return STRICT.structure(found, kind)
    except ClassValidationError as error:
        texts = transform_error(
            error, format_exception=lambda flaw, _: "missing" if isinstance(flaw, KeyError) else str(flaw)
        )
        flaws = (text.rpartition(" @ $.") for text in texts)
        raise malformed(
            f"{what} ({'; '.join(f'{names.get(name, name)!r}: {flaw}' for flaw, _, name in flaws)})"
        ) from error


def malformed(what: str) -> SourceError:
    """Return the error for an answer that is not a leaderboard."""
    return SourceError(
        "malformed",
        f"the answer cannot be used: {what}. The next sync tries again; if it lasts, "
        "the API has changed: look for a newer trc-engage",
    )
