"""A board's server in trouble: each error's kind, how often the request is tried, and that the token stays secret."""

import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from support.services import SERVERS, source_of
from trc_engage import SourceError
from trc_engage.adapters.boards import BoardSource
from trc_engage.entrypoints.wording.alerts import describe_error
from trc_engage.testing.boards import TROUBLES, BoardServer

GUILD = "200000000000000001"
ADA = "80351110224678911"
RAW = "ey.s3cret-token"
STARTED_AT = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[BoardServer]:
    with request.param.start(guild_id=GUILD, clock=lambda: STARTED_AT) as server:
        for number in range(20):
            server.board.join(str(int(ADA) + number), xp=1_000 - number)
        server.token = RAW
        yield server


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def source(server: BoardServer, pauses: list[float]) -> Iterator[BoardSource]:
    with source_of(server).open(
        GUILD, base_url=server.url, token=RAW, page_gap=0, deadline_seconds=20, pages_max=10, pause=pauses.append
    ) as source:
        yield source


@pytest.fixture
def hurried(server: BoardServer) -> Iterator[BoardSource]:
    with source_of(server).open(GUILD, base_url=server.url, token=RAW, page_gap=0, deadline_seconds=0.6) as source:
        yield source


def error_of(source: BoardSource, *sought: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source.read(frozenset(sought or {ADA}))
    return caught.value


@pytest.mark.parametrize(
    ("trouble", "kind", "says", "requests"),
    [
        ("private", "private", "give a valid token. The token is set in TRC_ENGAGE_MEE6_TOKEN", 1),
        ("unknown_guild", "unknown_guild", "The server's id is set in TRC_ENGAGE_GUILD_ID", 1),
        ("rate_limited", "rate_limited", "fewer requests", 1),
        ("rate_limited_html", "rate_limited", "fewer requests", 1),
        ("rate_limited_json", "rate_limited", "fewer requests", 1),
        ("blocked", "blocked", "turns this client away (status 403", 1),
        ("challenge_200", "blocked", "turns this client away (status 200", 1),
        ("challenge_403", "blocked", "turns this client away (status 403", 1),
        ("challenge_503", "blocked", "turns this client away (status 503", 1),
        ("html_200", "blocked", "turns this client away (status 200", 1),
        ("redirect", "malformed", "redirect (status 302)", 1),
        ("bad_gateway", "down", "status 502", 3),
        ("unavailable", "down", "status 503", 3),
        ("gateway_timeout", "down", "status 504", 3),
        ("internal_error", "down", "status 500", 3),
        ("reset", "down", "broke off the connection", 3),
        ("refused_early", "down", "broke off the connection", 3),
        ("truncated", "down", "broke off the connection", 3),
        ("gzip_bomb", "malformed", "compressed", 1),
        ("endless_body", "malformed", "longer than 16,777,216 bytes", 1),
        ("empty_body", "malformed", "not valid JSON", 1),
        ("not_json", "malformed", "not valid JSON", 1),
        ("not_utf8", "malformed", "UnicodeDecodeError", 1),
        ("deep_json", "malformed", "RecursionError", 1),
        ("nan_xp", "malformed", "NaN is not JSON", 1),
        ("duplicate_keys", "malformed", "xp is given twice", 1),
        ("no_guild", "malformed", "'guild.id'", 1),
        ("wrong_guild", "malformed", "to guild '200000000000000002', but guild '200000000000000001'", 1),
        ("rows_missing", "malformed", "'players'", 1),
        ("rows_not_list", "malformed", "a list was expected", 1),
        ("ids_as_numbers", "malformed", "linked member cannot be used: its id is a int,", 1),
        ("lone_surrogate_id", "malformed", "20 of 20 rows cannot be used", 1),
        ("xp_null", "malformed", "linked member cannot be used", 1),
        ("xp_text", "malformed", "linked member cannot be used", 1),
        ("xp_float", "malformed", "linked member cannot be used", 1),
        ("xp_negative", "malformed", "linked member cannot be used", 1),
        ("xp_boolean", "malformed", "linked member cannot be used", 1),
        ("xp_huge", "malformed", "linked member cannot be used", 1),
        ("xp_endless", "malformed", "not valid JSON", 1),
    ],
)
def test_each_trouble_has_a_kind(
    server: BoardServer,
    source: BoardSource,
    trouble: str,
    kind: str,
    says: str,
    requests: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each trouble has its kind and message; one that may pass is tried three times, and a refusal only once."""
    if trouble in {"no_guild", "wrong_guild"} and server.dialect.guild is None:
        pytest.skip("its pages do not say whose they are")
    name = source.service.name
    monkeypatch.setenv("TRC_ENGAGE_SOURCE", name)
    says = says.replace("MEE6", name.upper()).replace("players", server.dialect.rows)
    server.trouble(trouble)

    error = error_of(source)

    assert error.kind == kind
    assert says in describe_error(error)
    assert len(describe_error(error)) < 400
    assert len(server.requests) == requests


def test_a_trouble_that_passes_is_no_trouble(server: BoardServer, source: BoardSource, pauses: list[float]) -> None:
    """Two failures in a row are retried, the second after a longer back-off than the first."""
    server.trouble("bad_gateway", times=1)
    server.trouble("reset", times=1)

    assert source.read(frozenset({ADA})).pages == 1
    first, second = pauses
    assert 0.9 < first <= 1.25
    assert 1.9 < second <= 2.5


def test_a_retry_keeps_the_gap_as_well(server: BoardServer, pauses: list[float]) -> None:
    """A retry never comes sooner than the gap between requests allows."""
    server.trouble("bad_gateway", times=1)
    with source_of(server).open(GUILD, base_url=server.url, token=RAW, page_gap=7, pause=pauses.append) as source:
        source.read(frozenset({ADA}))

    assert len(pauses) == 1
    assert 6.9 < pauses[0] <= 8.75


@pytest.mark.parametrize(
    ("trouble", "wait"),
    [
        ("rate_limited", None),
        ("rate_limited_seconds", timedelta(seconds=120)),
        ("rate_limited_date", timedelta(seconds=90)),
        ("rate_limited_absurd", timedelta(seconds=999_999_999_999)),
    ],
)
def test_a_wait_asked_for_comes_out_raw(
    server: BoardServer, source: BoardSource, trouble: str, wait: timedelta | None
) -> None:
    """The error has the wait that the server asked for, unclamped; a date is counted from the server's own clock."""
    server.trouble(trouble)

    assert wait == error_of(source).retry_after


def test_trouble_on_a_later_page_fails_the_read(server: BoardServer, source: BoardSource) -> None:
    """Trouble on a later page fails the whole read."""
    server.trouble("not_json", page=1)

    assert error_of(source, ADA, "999").kind == "malformed"


@pytest.mark.parametrize(
    ("trouble", "says", "requests"),
    [("endless_pages", "did not end within 10 pages", 10), ("page_ignored", "pages repeat each other", 6)],
)
def test_an_endless_board_is_given_up(
    server: BoardServer, source: BoardSource, trouble: str, says: str, requests: int
) -> None:
    """Neither new rows without end nor the same rows over and over keep a read going forever."""
    server.trouble(trouble)

    error = error_of(source, "999")

    if trouble == "page_ignored" and server.dialect.limit is None:
        requests -= 2  # The two requests by which MEE6's limit is learned.
    assert (error.kind, says in str(error), len(server.requests)) == ("malformed", True, requests)


def test_a_server_that_is_not_there_is_down(source: BoardSource, server: BoardServer, pauses: list[float]) -> None:
    """A server that cannot be reached is tried three times, and the error is `down` with a cause."""
    server.stop()

    error = error_of(source)

    assert (error.kind, "cannot be reached" in str(error), len(pauses)) == ("down", True, 2)
    assert error.__cause__ is not None


@pytest.mark.parametrize("trouble", ["none", *TROUBLES])
def test_the_token_shows_nowhere(
    server: BoardServer, hurried: BoardSource, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    """The token appears in no log record at any level, no error, cause or traceback, and no repr."""
    caplog.set_level(logging.NOTSET)
    logging.getLogger("httpx").setLevel(logging.NOTSET)
    if trouble != "none":
        server.trouble(trouble)
    shown = [repr(hurried)]

    try:
        shown.append(repr(hurried.read(frozenset({ADA, "999"}))))
    except SourceError as error:
        shown += traceback.format_exception(error)
        shown += [repr(error), repr(error.args), repr(error.__cause__), repr(getattr(error.__cause__, "request", ""))]

    assert server.requests[0].headers[server.dialect.token_header.lower()] == RAW
    assert len(caplog.records) > 3
    assert RAW not in "".join(shown) + caplog.text
