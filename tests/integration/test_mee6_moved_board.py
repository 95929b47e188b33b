"""A board that changes while it is read: a member whose row was passed over is not reported as absent."""

from collections.abc import Callable, Iterator

import pytest

from support.services import SERVERS, source_of
from trc_engage import Sought
from trc_engage.adapters.boards import BoardSource
from trc_engage.testing.answers import encoded
from trc_engage.testing.boards import BoardServer, Trouble

GUILD = "200000000000000001"
LENGTH = 10
"""Rows of a page: the server clamps to it, and the source has learned it."""
NEVER = "999"


def member(number: int) -> str:
    """Return the id of the member at this place of the board, counted from 0."""
    return str(10**17 + number)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[BoardServer]:
    with request.param.start(guild_id=GUILD) as server:
        for number in range(35):
            server.board.join(member(number), xp=10_000 - 100 * number)
        server.limit_max = LENGTH
        yield server


@pytest.fixture
def source(server: BoardServer) -> Iterator[BoardSource]:
    with source_of(server).open(GUILD, base_url=server.url, page_gap=0) as source:
        source.read(frozenset({member(34)}))
        server.requests.clear()
        yield source


def sought(*expected: str, others: tuple[str, ...] = ()) -> Sought:
    ids = Sought({*expected, *others})
    ids.expected = frozenset(expected)
    return ids


def on_page(server: BoardServer, number: int, act: Callable[[], object], times: int = 1) -> None:
    """Do something each time this page is about to be sent, as often as given."""
    left = [act] * times

    def move(page: int) -> None:
        if page == number and left:
            left.pop()()

    server.between_pages = move


def asked(server: BoardServer) -> list[int | None]:
    return [request.page for request in server.requests]


def test_a_riser_is_found_by_a_second_sweep(server: BoardServer, source: BoardSource) -> None:
    """A member who rises past a page boundary is passed over; the duplicate row that this causes starts a new sweep."""
    on_page(server, 0, lambda: server.board.give(member(15), 9_000))

    board = source.read(sought(member(3), member(15)))

    assert board.readings == {member(3): 9_700, member(15): 17_500}
    assert (board.missed, board.whole, board.rows) == (frozenset(), True, 35)
    assert asked(server) == [0, 1, 2, 3, 4, 0]


def test_readings_of_a_later_sweep_are_newer(server: BoardServer, source: BoardSource) -> None:
    """The second sweep looks only for the missing, but readings that it sees on its way replace earlier ones."""

    def move() -> None:
        server.board.give(member(15), 9_000)
        server.board.give(member(3), 50)

    on_page(server, 0, move)

    assert source.read(sought(member(3), member(15))).readings[member(3)] == 9_750


def test_within_a_sweep_the_later_of_two_readings_is_newer(server: BoardServer, source: BoardSource) -> None:
    """A member who falls during a sweep is seen twice, and the second reading counts."""
    on_page(server, 0, lambda: server.board.remove(member(3), 9_000))

    assert source.read(sought(member(3), member(34))).readings[member(3)] == 700


def test_a_duplicate_is_no_matter_while_nobody_expected_is_missing(server: BoardServer, source: BoardSource) -> None:
    """No second sweep is made for a member whose absence is not news; the member stays absent."""
    on_page(server, 0, lambda: server.board.give(member(15), 9_000))

    board = source.read(sought(member(3), others=(member(15), NEVER)))

    assert (set(board.readings), board.missed) == ({member(3)}, frozenset())
    assert asked(server) == [0, 1, 2, 3, 4]


def test_a_calm_sweep_tells_who_is_absent(server: BoardServer, source: BoardSource) -> None:
    """A first sweep that was disturbed proves no absence; a second one that was not disturbed does."""
    on_page(server, 0, lambda: server.board.give(member(15), 9_000))

    board = source.read(sought(member(15), NEVER))

    assert (set(board.readings), board.missed, board.whole) == ({member(15)}, frozenset(), True)
    assert asked(server) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 4]


def test_who_is_missing_from_three_disturbed_sweeps_is_missed(server: BoardServer, source: BoardSource) -> None:
    """The board is read again at most twice; an expected member who is still missing then is reported as missed."""
    risers = iter(range(15, 25))
    on_page(server, 0, lambda: server.board.give(member(next(risers)), 20_000), times=3)

    board = source.read(sought(NEVER, member(3), others=("998",)))

    assert (board.missed, board.whole, set(board.readings)) == (frozenset({NEVER}), True, {member(3)})
    assert asked(server).count(0) == 3


def test_a_row_told_twice_on_one_page_is_no_move(server: BoardServer, source: BoardSource) -> None:
    """Only an id on two different pages proves that rows were passed over; the same id twice on one page does not."""
    rows = server.board.snapshot().rows
    body = encoded(server.payload(0, [*rows[:9], rows[3]]))
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    server.trouble(Trouble.raw("twice", head + body), page=0)

    board = source.read(sought(NEVER))

    assert (board.missed, board.rows) == (frozenset(), 34)
    assert asked(server) == [0, 1, 2, 3, 4, 4]


def test_for_a_plain_set_everyone_is_expected(server: BoardServer, source: BoardSource) -> None:
    """A plain set of ids gets the careful read: each of them is expected, so a missing one is reported as missed."""
    risers = iter(range(15, 25))
    on_page(server, 0, lambda: server.board.give(member(next(risers)), 20_000), times=3)

    assert source.read(frozenset({NEVER, member(3)})).missed == {NEVER}


def test_rows_on_the_page_that_was_empty_are_a_move(server: BoardServer, source: BoardSource) -> None:
    """Rows on the page that was empty a moment ago show that the board has grown, so it is swept again."""

    def grow() -> None:
        for number in range(35, 45):
            server.board.join(member(number), xp=1)

    on_page(server, 4, grow)

    board = source.read(sought(member(3), member(36)))

    assert (board.readings[member(36)], board.missed, board.rows) == (1, frozenset(), 45)
    assert asked(server) == [0, 1, 2, 3, 4, 4, 0, 1, 2, 3]


def test_rows_on_that_page_may_be_all_that_was_missing(server: BoardServer, source: BoardSource) -> None:
    """If the new rows hold everything that was missing, no further sweep is made."""

    def grow() -> None:
        for number in range(35, 45):
            server.board.join(member(number), xp=1)

    on_page(server, 4, grow)

    assert source.read(sought(member(3), member(42))).readings[member(42)] == 1
    assert asked(server) == [0, 1, 2, 3, 4, 4]
