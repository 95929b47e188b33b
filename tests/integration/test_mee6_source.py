"""How a Mee6Source pages over real sockets, when it ends, and how politely it asks."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Thread

import pytest

from trc_engage import Board, Sought
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.testing.mee6 import Mee6Server

GUILD = "200000000000000001"
STARTED_AT = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
ABSENT = "999"
RAW = "ey.s3cret"


def member(number: int) -> str:
    """Return the id of the member at this place of the board, counted from 0."""
    return str(10**17 + number)


@pytest.fixture
def server() -> Iterator[Mee6Server]:
    with Mee6Server.start(guild_id=GUILD, clock=lambda: STARTED_AT) as server:
        yield server


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def source(server: Mee6Server, pauses: list[float]) -> Iterator[Mee6Source]:
    with Mee6Source.open(GUILD, base_url=server.url, pause=pauses.append, random=Random(1)) as source:
        yield source


def fill(server: Mee6Server, count: int) -> None:
    for number in range(count):
        server.board.join(member(number), xp=10 * (count - number))


def asked(server: Mee6Server) -> list[tuple[int | None, int | None]]:
    return [(request.page, request.limit) for request in server.requests]


def test_only_those_sought_are_kept(server: Mee6Server, source: Mee6Source) -> None:
    """Only the readings of the ids sought are kept; every other row is only counted (R1)."""
    fill(server, 5)

    board = source.read(frozenset({member(1), ABSENT}))

    assert Board({member(1): 40}, whole=True, rows=5, pages=3, server_at=STARTED_AT) == board


def test_nobody_sought_nothing_asked(server: Mee6Server, source: Mee6Source) -> None:
    """Without ids to look for, no request is made."""
    assert Board({}, whole=False, rows=0, pages=0) == source.read(frozenset())
    assert not server.requests


def test_the_read_ends_when_everyone_is_found(server: Mee6Server, source: Mee6Source) -> None:
    """The read ends with the page on which the last one is found, and does not claim to have seen the whole board."""
    fill(server, 2_500)

    board = source.read(frozenset({member(0), member(1_999)}))

    assert (board.whole, board.rows, board.pages) == (False, 2_000, 2)
    assert asked(server) == [(0, 1_000), (1, 1_000)]


def test_the_end_of_the_board_is_an_empty_page(server: Mee6Server, source: Mee6Source) -> None:
    """A short page is not the end; an empty page is, once a second request for it is empty too."""
    fill(server, 1_500)

    board = source.read(frozenset({member(0), ABSENT}))

    assert (board.whole, board.rows, board.missed) == (True, 1_500, frozenset())
    assert asked(server) == [(0, 1_000), (1, 1_000), (2, 1_000), (2, 1_000)]


def test_a_full_last_page_is_not_the_end(server: Mee6Server, source: Mee6Source) -> None:
    """A board of exactly one full page is read on to the empty page after it."""
    fill(server, 1_000)

    assert source.read(frozenset({ABSENT})).rows == 1_000
    assert [request.page for request in server.requests] == [0, 1, 1]


def test_an_empty_board_is_whole(server: Mee6Server, source: Mee6Source) -> None:
    """An empty page 0 is reported as a whole board without rows; whether to trust it is decided in the core (R10)."""
    board = source.read(frozenset({ABSENT}))

    assert Board({}, whole=True, rows=0, pages=2, server_at=STARTED_AT) == board
    assert [request.page for request in server.requests] == [0, 0]


def test_those_whose_absence_is_no_news_cost_no_further_request(server: Mee6Server, source: Mee6Source) -> None:
    """The empty page is asked for again only if an expected member is missing."""
    fill(server, 3)
    sought = Sought({member(0), ABSENT})
    sought.expected = frozenset({member(0)})

    board = source.read(sought)

    assert (board.whole, board.missed) == (True, frozenset())
    assert [request.page for request in server.requests] == [0, 1]


def test_a_clamping_server_is_read_by_its_own_limit(server: Mee6Server, source: Mee6Source) -> None:
    """Rows after a short first page show the server's limit: the sweep starts over with it, and later reads use it."""
    fill(server, 250)
    server.limit_max = 100

    board = source.read(frozenset({member(0), ABSENT}))
    assert (board.rows, board.missed) == (250, frozenset())
    assert asked(server) == [(0, 1_000), (1, 1_000), (0, 100), (1, 100), (2, 100), (3, 100), (3, 100)]
    server.requests.clear()

    source.read(frozenset({member(249)}))
    assert asked(server) == [(0, 100), (1, 100), (2, 100)]


def test_a_short_first_page_from_before_the_rush_does_not_shrink_the_pages(
    server: Mee6Server, source: Mee6Source
) -> None:
    """The limit learned is the length of the longer page, so a first page of one row does not lead to pages of one."""
    fill(server, 1)
    server.limit_max = 100
    rush = [member(number) for number in range(1, 150)]

    def arrive(_: int) -> None:
        while rush:
            server.board.join(rush.pop(), xp=5)

    server.between_pages = arrive

    board = source.read(frozenset({ABSENT}))

    assert (board.rows, board.missed) == (150, frozenset())
    assert asked(server) == [(0, 1_000), (1, 1_000), (0, 50), (1, 50), (2, 50), (3, 50), (3, 50)]


def test_a_limit_that_proves_wrong_is_not_remembered(server: Mee6Server, source: Mee6Source) -> None:
    """A limit that the following pages contradict is forgotten, so the next read asks for full pages."""
    fill(server, 12)
    server.limit_max = 6
    server.between_pages = lambda page: setattr(server, "limit_max", 5 if page else server.limit_max)

    source.read(frozenset({ABSENT}))
    server.requests.clear()
    source.read(frozenset({member(0)}))

    assert asked(server) == [(0, 1_000)]


def test_the_gap_lies_between_all_requests(server: Mee6Server, source: Mee6Source, pauses: list[float]) -> None:
    """Any two requests are 2 to 2.5 seconds apart, also across reads, with no gap before the first (R21)."""
    fill(server, 1_500)

    source.read(frozenset({member(1_499)}))
    source.read(frozenset({member(1_499)}))

    assert len(pauses) == 3
    assert all(1.9 < pause <= 2.5 for pause in pauses)
    assert len({round(pause, 2) for pause in pauses}) > 1


def test_the_source_says_who_it_is(server: Mee6Server) -> None:
    """Requests name the program, its version and a contact, ask for plain JSON, and carry no authorization."""
    fill(server, 1)
    with Mee6Source.open(GUILD, base_url=server.url, contact="mailto:ada@example.org") as source:
        source.read(frozenset({member(0)}))

    headers = server.requests[0].headers
    assert headers["user-agent"].startswith("trc-engage/")
    assert headers["user-agent"].endswith(" (+mailto:ada@example.org)")
    assert (headers["accept"], headers["accept-encoding"]) == ("application/json", "identity")
    assert "authorization" not in headers
    assert f"/api/plugins/levels/leaderboard/{GUILD}" == server.requests[0].path


def test_the_environment_has_no_say(server: Mee6Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy set in the environment is not used."""
    fill(server, 1)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Mee6Source.open(GUILD, base_url=server.url) as source:
        assert source.read(frozenset({member(0)})).readings == {member(0): 10}


def test_the_token_goes_out_raw(server: Mee6Server) -> None:
    """The token of a private board is sent as it is, without a scheme."""
    fill(server, 1)
    server.token = RAW
    with Mee6Source.open(GUILD, base_url=server.url, token=RAW) as source:
        assert source.read(frozenset({member(0)})).rows == 1


def test_threads_that_share_a_source_take_turns(server: Mee6Server) -> None:
    """Threads that share a source read one at a time, with the gap between their requests (R21)."""
    fill(server, 1)
    ends: list[float] = []
    with Mee6Source.open(GUILD, base_url=server.url, page_gap=0.2) as source:

        def read() -> None:
            source.read(frozenset({member(0)}))
            ends.append(time.monotonic())

        threads = [Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert ends[2] - ends[0] > 0.35


def test_progress_is_told_page_by_page(server: Mee6Server) -> None:
    """The callback gets the number of pages and of distinct rows after each page."""
    fill(server, 1_500)
    told: list[tuple[int, int]] = []
    with Mee6Source.open(
        GUILD, base_url=server.url, page_gap=0, on_page=lambda pages, rows: told.append((pages, rows))
    ) as source:
        source.read(frozenset({ABSENT}))

    assert told == [(1, 1_000), (2, 1_500), (3, 1_500), (4, 1_500)]


@pytest.mark.parametrize(("trouble", "server_at"), [("clock_off", STARTED_AT - timedelta(days=365)), ("no_date", None)])
def test_the_servers_time_is_told_as_it_is(
    server: Mee6Server, source: Mee6Source, trouble: str, server_at: datetime | None
) -> None:
    """The board's server time is that of the first answer, unchanged; the core compares it (R22)."""
    fill(server, 1_500)
    server.trouble(trouble, times=1)

    assert server_at == source.read(frozenset({member(1_499)})).server_at


@pytest.mark.parametrize("trouble", ["lone_surrogate", "few_bad_rows"])
def test_what_is_harmless_does_no_harm(server: Mee6Server, source: Mee6Source, trouble: str) -> None:
    """Lone surrogates in names and a few unusable rows do not affect the readings of the others."""
    fill(server, 9)
    server.trouble(trouble, times=1)

    assert source.read(frozenset({member(0), member(6)})).readings == {member(0): 90, member(6): 30}


def test_the_source_shows_its_guild_only(source: Mee6Source) -> None:
    """The source's repr shows its guild only, so it can be logged."""
    assert f"Mee6Source(guild_id='{GUILD}')" == repr(source)
