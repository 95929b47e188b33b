"""One page's worth of HTTP under limits: time, bytes, tries."""

import logging
from contextlib import suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import metadata

import httpx
from attrs import define
from tenacity import RetryCallState, Retrying, retry_if_exception

from ...core.errors import EngageError, ReadStopped, SourceError
from .answer import OK, Answer, trouble
from .errors import HTTPX_ERRORS, translated
from .line import Line
from .pace import Budget, Pace
from .page import malformed

TRIES_MAX = 3
BACKOFF_SECONDS = 1.0
CONNECT_SECONDS_MAX = 10.0
READ_SECONDS_MAX = 20.0
TROUBLE_BYTES_MAX = 64 * 1024
"""Enough of a body to tell who speaks."""

logger = logging.getLogger(__name__)


@define(eq=False)
class Fetcher:
    """Asks one address for pages, one request at a time."""

    url: str
    client: httpx.Client
    line: Line
    pace: Pace
    bytes_max: int

    def page(self, number: int, limit: int, budget: Budget) -> Answer:
        """Return the answer that holds a page; `SourceError` for any trouble, after three tries if it may pass.

        `ReadStopped` as soon as the line is stopped. Of a back-off only what lies beyond the gap uses the budget up.
        """

        def back_off(seconds: float) -> None:
            budget.charge(self.pace.beyond_gap(seconds))
            self.pace.back_off(seconds)

        def gives_up(state: RetryCallState) -> bool:
            return state.attempt_number >= TRIES_MAX or self.pace.beyond_gap(state.upcoming_sleep) >= budget.left

        retrying = Retrying(
            retry=retry_if_exception(_may_pass),
            wait=self._backoff,
            stop=gives_up,
            sleep=back_off,
            before_sleep=_log,
            reraise=True,
        )
        return retrying(self._try, number, limit, budget)

    def _try(self, number: int, limit: int, budget: Budget) -> Answer:
        self._check_stopped()
        self.pace.await_turn()
        self._check_stopped()
        if budget.left <= 0:
            raise _too_slow(budget)
        try:
            with budget.spending():
                answer = self._receive(number, limit, budget.left)
        except (*HTTPX_ERRORS, OSError) as error:
            raise self._ended(budget) or translated(error) from error
        finally:
            self.pace.rest()
        self._check_stopped()
        if found := trouble(answer):
            raise found
        # A connection that was cut may look like an answer that ended.
        if ended := self._ended(budget):
            raise ended
        return answer

    def _receive(self, number: int, limit: int, seconds: float) -> Answer:
        timeout = httpx.Timeout(min(READ_SECONDS_MAX, seconds), connect=min(CONNECT_SECONDS_MAX, seconds))
        query = {"limit": limit, "page": number}
        extensions = {"trace": self.line.trace}
        with self.client.stream("GET", self.url, params=query, timeout=timeout, extensions=extensions) as response:
            body = self._page_body(response) if response.status_code == OK else _trouble_body(response)
            return Answer(response.status_code, response.headers, body)

    def _page_body(self, response: httpx.Response) -> bytearray:
        """Return the body as it came: nothing is inflated, and nothing endless is read to its end."""
        if _is_packed(response):
            raise malformed("it is compressed, although that was not asked for")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > self.bytes_max:
                raise malformed(f"it is longer than {self.bytes_max:,} bytes")
        return body

    def _ended(self, budget: Budget) -> EngageError | None:
        """Return why the request was ended from this side; None if it was not."""
        if self.line.stopped:
            return ReadStopped()
        if self.line.is_late or budget.left <= 0:
            return _too_slow(budget)
        return None

    def _check_stopped(self) -> None:
        if self.line.stopped:
            raise ReadStopped

    def _backoff(self, state: RetryCallState) -> float:
        return self.pace.jittered(BACKOFF_SECONDS * 2 ** (state.attempt_number - 1))


def new_client(token: str | None, contact: str, transport: httpx.BaseTransport | None) -> httpx.Client:
    """Return a client that says who it is and asks for plain JSON; the environment has no say in it.

    The token goes out raw: MEE6 knows no scheme such as Bearer. Without a `transport` it makes its own.
    Cookies are not kept, so that no answer has a say in a later request.
    """
    headers = {
        "User-Agent": f"trc-engage/{_version()} (+{contact})",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
    }
    if token is not None:
        headers["Authorization"] = token
    return httpx.Client(
        headers=headers,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        trust_env=False,
        follow_redirects=False,
        event_hooks={"response": [_forget_location]},
        transport=transport,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
    )


def _trouble_body(response: httpx.Response) -> bytearray:
    """Return as much of the body as came: the status alone tells that this is no page, and what to do."""
    body = bytearray()
    if not _is_packed(response):
        with suppress(*HTTPX_ERRORS, OSError):
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > TROUBLE_BYTES_MAX:
                    break
    return body


def _is_packed(response: httpx.Response) -> bool:
    encoding: str = response.headers.get("content-encoding", "identity")
    return encoding.lower() != "identity"


def _forget_location(response: httpx.Response) -> None:
    """Keep httpx from making up the request of a redirect that nobody will follow."""
    response.headers.pop("location", None)


def _version() -> str:
    try:
        return metadata.version("trc-engage")
    except metadata.PackageNotFoundError:
        return "0"


def _may_pass(error: BaseException) -> bool:
    """Tell whether another try is decent: not once the server said when to come back."""
    return isinstance(error, SourceError) and error.kind == "down" and error.retry_after is None


def _log(state: RetryCallState) -> None:
    error = state.outcome and state.outcome.exception()
    logger.info("try %d failed, trying again: %s", state.attempt_number, error)


def _too_slow(budget: Budget) -> SourceError:
    return SourceError(
        "down",
        f"MEE6 is too slow: its requests together took longer than {budget.total:g} s. The next sync tries again, "
        "so look at MEE6's status only if it lasts",
    )
