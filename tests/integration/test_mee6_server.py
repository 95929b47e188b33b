"""The local MEE6 server that is shipped for tests: its board and its pages."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from trc_engage.testing.mee6 import Mee6Server

ADA, BOB, CYD, DAN = ("80351110224678911", "80351110224678912", "80351110224678913", "80351110224678914")
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
RAW_TOKEN = "a.b.c"  # noqa: S105  no one's
FIRST_AT = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


class SetClock:
    """A clock that stands still until it is moved."""

    at = FIRST_AT

    def __call__(self) -> datetime:
        """Return the instant that it is set to."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Move it forward."""
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def server(clock: SetClock) -> Iterator[Mee6Server]:
    with Mee6Server.start(clock=clock) as server:
        for discord_id, name, xp in (
            (ADA, "Ada", 4_000),
            (BOB, "Bob", 3_000),
            (CYD, "Cyd", 2_000),
            (DAN, "Dan", 1_000),
        ):
            server.board.join(discord_id, username=name, xp=xp)
        yield server


@pytest.fixture
def client(server: Mee6Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=10, trust_env=False, verify=NO_TLS) as client:
        yield client


def get(client: httpx.Client, guild_id: str = "200000000000000001", /, **query: int) -> httpx.Response:
    return client.get(f"/api/plugins/levels/leaderboard/{guild_id}", params=query)


def players(client: httpx.Client, **query: int) -> list[tuple[str, Any]]:
    return [(player["id"], player["xp"]) for player in get(client, **query).raise_for_status().json()["players"]]


def test_first_message_of_a_minute_earns(server: Mee6Server, clock: SetClock) -> None:
    """The first message of a minute earns 15 to 25 XP, and further ones within 60 seconds earn nothing."""
    gained = []
    for _ in range(200):
        gained.append(server.board.post(ADA, messages=3))
        clock.advance(59)
        assert server.board.post(ADA) == 0
        clock.advance(1)
    assert set(gained) == set(range(15, 26))
    assert server.board.xp(ADA) == 4_000 + sum(gained)


def test_rate_multiplies(server: Mee6Server) -> None:
    """The server's rate multiplies what a message earns."""
    server.board.rate = 3.0
    assert 45 <= server.board.post(ADA) <= 75


def test_seed_decides() -> None:
    """The same seed gives the same XP for the same messages, and another seed gives other XP."""
    first, second, other = (Mee6Server.start(seed=seed) for seed in (7, 7, 8))
    with first, second, other:
        gained = []
        for server in (first, second, other):
            ids = [str(1_000 + number) for number in range(20)]
            for discord_id in ids:
                server.board.join(discord_id)
            gained.append([server.board.post(discord_id) for discord_id in ids])
    assert gained[0] == gained[1] != gained[2]


def test_never_earned_is_not_on_the_board(server: Mee6Server, client: httpx.Client) -> None:
    """A member who never earned XP has no row, and gets one with the first message."""
    server.board.join("9", username="Eve")
    assert "9" not in dict(players(client))
    gained = server.board.post("9")
    row = get(client).json()["players"][-1]
    assert (row["id"], row["xp"], row["message_count"]) == ("9", gained, 1)


def test_who_left_stays(server: Mee6Server, client: httpx.Client) -> None:
    """A member who leaves the server keeps row and XP, cannot post, and returns with the same XP."""
    server.board.leave(ADA)
    assert players(client)[0] == (ADA, 4_000)
    with pytest.raises(ValueError, match="left the server"):
        server.board.post(ADA)
    server.board.join(ADA)
    assert server.board.xp(ADA) == 4_000


def test_admin_moves_xp(server: Mee6Server, client: httpx.Client) -> None:
    """An admin can give and remove XP, never below 0; a row that fell to 0 stays."""
    server.board.give(DAN, 500)
    server.board.remove(CYD, 9_999)
    assert players(client) == [(ADA, 4_000), (BOB, 3_000), (DAN, 1_500), (CYD, 0)] == server.board.rows()


def test_resets(server: Mee6Server, client: httpx.Client) -> None:
    """A reset member's row disappears; after a reset of the whole board, page 0 is empty."""
    server.board.reset_member(ADA)
    assert players(client) == [(BOB, 3_000), (CYD, 2_000), (DAN, 1_000)]
    server.board.reset()
    assert players(client) == []


def test_load(server: Mee6Server, client: httpx.Client) -> None:
    """A loaded page is served again as it was, in the shape of its year."""
    server.board.join("9", username="\u202eEve \x1b[31m\ud83d", avatar="", xp=5)
    server.shape = 2019
    page = get(client).json()
    server.board.reset()
    server.board.load(page)
    assert get(client).json() == page


def test_pages(client: httpx.Client) -> None:
    """Pages are cut by offset, and a page past the end is an empty list, not an error."""
    cut = [[discord_id for discord_id, _ in players(client, limit=3, page=page)] for page in range(3)]
    assert cut == [[ADA, BOB, CYD], [DAN], []]


def test_limit_is_100_unless_told(server: Mee6Server, client: httpx.Client) -> None:
    """A page has 100 rows by default, and a limit above the server's maximum is clamped to that."""
    for number in range(200):
        server.board.join(str(1_000 + number), xp=1 + number % 7)
    server.limit_max = 150
    assert [len(players(client)), len(players(client, limit=1_000)), len(players(client, limit=1_000, page=1))] == [
        100,
        150,
        54,
    ]


@pytest.mark.parametrize("query", ["limit=0", "limit=many", "limit=-1", "page=-1", "page=", "page=1_0"])
def test_bad_query(client: httpx.Client, query: str) -> None:
    """A limit or page that is not a valid number is answered with 400 and MEE6's JSON error."""
    response = client.get(f"/api/plugins/levels/leaderboard/200000000000000001?{query}")
    assert (response.status_code, list(response.json()["error"])) == (400, ["message"])


def test_refusals(server: Mee6Server, client: httpx.Client) -> None:
    """Another guild, a missing or wrong token and an empty User-Agent are refused, the last one by the edge in HTML."""
    assert get(client, "42").json() == {"status_code": 404, "error": {"message": "Guild not found"}}
    server.token = RAW_TOKEN
    assert get(client).status_code == 401
    client.headers["Authorization"] = f"Bearer {RAW_TOKEN}"
    assert get(client).status_code == 401
    client.headers["Authorization"] = RAW_TOKEN
    assert get(client).status_code == 200
    client.headers["User-Agent"] = ""
    assert (get(client).status_code, get(client).headers["Content-Type"]) == (403, "text/html; charset=UTF-8")


SHAPES = [
    (2019, set(), set()),
    (2020, {"xp_rate", "xp_per_message"}, {"message_count"}),
    (2021, {"xp_rate", "xp_per_message", "is_member"}, {"message_count"}),
    (2022, {"xp_rate", "xp_per_message", "is_member"}, {"message_count"}),
    (2023, {"xp_rate", "xp_per_message", "is_member", "country"}, {"message_count"}),
    (
        2024,
        {"xp_rate", "xp_per_message", "is_member", "country", "monetize_options"},
        {"message_count", "monetize_xp_boost", "is_monetize_subscriber"},
    ),
]


@pytest.mark.parametrize(("year", "page_fields", "player_fields"), SHAPES)
def test_shapes(
    server: Mee6Server, client: httpx.Client, year: int, page_fields: set[str], player_fields: set[str]
) -> None:
    """Every year's page has the same players, ids and XP, plus the fields that MEE6 had added by then."""
    server.shape = year
    page = get(client).json()
    player = page["players"][0]
    added_to_page = {"xp_rate", "xp_per_message", "is_member", "country", "monetize_options"} & set(page)
    assert added_to_page == page_fields
    assert {"message_count", "monetize_xp_boost", "is_monetize_subscriber"} & set(player) == player_fields
    assert (player["id"], player["xp"], player["level"], player["detailed_xp"]) == (ADA, 4_000, 9, [280, 955, 4_000])
    assert player["discriminator"] == ("8911" if year < 2023 else "0")


def test_board_moves_between_pages(server: Mee6Server, client: httpx.Client) -> None:
    """A member who rises past a page boundary between two requests is missed, and another one is seen twice."""
    server.between_pages = lambda page: server.board.give(DAN, 9_000) if page == 0 else None
    seen = [discord_id for page in range(3) for discord_id, _ in players(client, limit=2, page=page)]
    assert seen == [ADA, BOB, BOB, CYD]


def test_throttle(server: Mee6Server, client: httpx.Client, clock: SetClock) -> None:
    """Requests beyond the limit are refused by the edge until the minute is over."""
    server.throttle(requests=2, per_seconds=60, retry_after="30")
    statuses = [get(client).status_code for _ in range(3)]
    refused = get(client)
    clock.advance(60)
    assert [*statuses, get(client).status_code] == [200, 200, 429, 200]
    assert (refused.text, refused.headers["Retry-After"]) == ("error code: 1015", "30")


def test_requests_are_noted(server: Mee6Server, client: httpx.Client) -> None:
    """Each request is recorded with its page, limit, path, headers and time, and with the status of its answer."""
    server.trouble("blocked", times=1)
    get(client, limit=1_000, page=2)
    noted = server.requests[0]
    assert (noted.page, noted.limit, noted.at, noted.answered) == (2, 1_000, FIRST_AT, 403)
    assert noted.path.endswith("/leaderboard/200000000000000001")
    assert noted.headers["user-agent"].startswith("python-httpx/")


def test_errors_of_callables_are_raised(clock: SetClock) -> None:
    """An error that a callable raises in the server is raised again when the server stops."""
    server = Mee6Server.start(clock=clock)
    server.between_pages = lambda page: 1 // page
    with httpx.Client(base_url=server.url, verify=NO_TLS) as client, pytest.raises(httpx.RemoteProtocolError):
        get(client)
    with pytest.raises(ZeroDivisionError):
        server.stop()
