"""Each trouble of the local MEE6 server looks as its name says, and none outlives the server."""

import json
import socket
import ssl
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event
from typing import Any

import httpx
import pytest

from trc_engage.testing.mee6 import TROUBLES, Mee6Server, Trouble

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PATH = "/api/plugins/levels/leaderboard/200000000000000001"
IDS = ["80351110224678911", "80351110224678912", "80351110224678913", "80351110224678914"]

HTML, JSON, TEXT = "text/html; charset=UTF-8", "application/json", "text/plain; charset=UTF-8"


@pytest.fixture
def server() -> Iterator[Mee6Server]:
    with Mee6Server.start(clock=lambda: NOW) as server:
        server.slow_seconds = server.drip_seconds = 0
        for number, discord_id in enumerate(IDS):
            server.board.join(discord_id, username="Ada", xp=4_000 - 1_000 * number)
        yield server


@pytest.fixture
def client(server: Mee6Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=10, trust_env=False, verify=NO_TLS) as client:
        yield client


def spoilt(server: Mee6Server, client: httpx.Client, trouble: str) -> Any:
    server.trouble(trouble, times=1)
    return client.get(PATH).json()


@pytest.mark.parametrize("name", sorted(set(TROUBLES) - {"reset", "refused_early", "timeout"}))
def test_told_status_is_noted(server: Mee6Server, client: httpx.Client, name: str) -> None:
    """Each trouble has its name and a description, and the recorded status is the one that was sent."""
    server.trouble(name)
    with client.stream("GET", PATH) as response:
        told = response.status_code
    assert told == TROUBLES[name].status == server.requests[-1].answered
    assert (TROUBLES[name].name, TROUBLES[name].imitates[-1]) == (name, ".")


REFUSALS = [
    ("private", 401, JSON, None),
    ("expired_token", 401, JSON, None),
    ("unknown_guild", 404, JSON, None),
    ("internal_error", 500, JSON, None),
    ("rate_limited", 429, TEXT, None),
    ("rate_limited_html", 429, HTML, None),
    ("rate_limited_seconds", 429, TEXT, "120"),
    ("rate_limited_date", 429, TEXT, "Fri, 06 Mar 2026 12:01:30 GMT"),
    ("rate_limited_absurd", 429, TEXT, "999999999999"),
    ("rate_limited_json", 429, JSON, None),
    ("blocked", 403, HTML, None),
    ("challenge_200", 200, HTML, None),
    ("challenge_403", 403, HTML, None),
    ("challenge_503", 503, HTML, None),
    ("bad_gateway", 502, HTML, None),
    ("unavailable", 503, HTML, None),
    ("gateway_timeout", 504, HTML, None),
    ("html_200", 200, HTML, None),
]


@pytest.mark.parametrize(("name", "status", "content_type", "retry_after"), REFUSALS)
def test_refusals(
    server: Mee6Server, client: httpx.Client, name: str, status: int, content_type: str, retry_after: str | None
) -> None:
    """MEE6 answers with JSON errors that repeat the status; the edge never answers with JSON."""
    server.trouble(name)
    response = client.get(PATH)
    assert (response.status_code, response.headers["Content-Type"]) == (status, content_type)
    assert response.headers.get("Retry-After") == retry_after
    if content_type == JSON:
        assert (response.json()["status_code"], list(response.json()["error"])) == (status, ["message"])
    else:
        with pytest.raises(json.JSONDecodeError):
            response.json()


@pytest.mark.parametrize(
    ("name", "xp"),
    [
        ("xp_null", None),
        ("xp_text", "4000"),
        ("xp_float", 4_000.5),
        ("xp_negative", -4_001),
        ("xp_boolean", True),
        ("xp_huge", 2**64),
        ("duplicate_keys", 0),
    ],
)
def test_spoilt_xp(server: Mee6Server, client: httpx.Client, name: str, xp: object) -> None:
    """Every row's XP is spoiled and nothing else: the rows still have their ids."""
    rows = spoilt(server, client, name)["players"]
    assert rows[0]["xp"] == xp
    assert type(rows[0]["xp"]) is type(xp)
    assert [row["id"] for row in rows] == IDS


def test_spoilt_pages(server: Mee6Server, client: httpx.Client) -> None:
    """Each of these troubles sends a page that can be parsed, but in which something is missing or wrong."""
    assert "guild" not in spoilt(server, client, "no_guild")
    assert spoilt(server, client, "wrong_guild")["guild"]["id"] != server.guild_id
    assert "players" not in spoilt(server, client, "rows_missing")
    assert list(spoilt(server, client, "rows_not_list")["players"]) == IDS
    assert spoilt(server, client, "ids_as_numbers")["players"][0]["id"] == int(IDS[0])
    assert spoilt(server, client, "lone_surrogate")["players"][0]["username"] == "Ada\ud800"
    assert spoilt(server, client, "lone_surrogate_id")["players"][0]["id"] == IDS[0] + "\ud800"
    assert str(spoilt(server, client, "nan_xp")["players"][0]["xp"]) == "nan"
    bad = [(row["id"], row["xp"]) for row in spoilt(server, client, "few_bad_rows")["players"]]
    assert bad == [(IDS[0], 4_000), (IDS[1], 3_000), (None, 2_000), (IDS[3], None)]


def test_spoilt_bytes(server: Mee6Server, client: httpx.Client) -> None:
    """Each of these troubles sends a body that cannot be decoded or is nested 10,000 levels deep."""
    server.trouble("deep_json", times=1)
    assert client.get(PATH).content.count(b"[") == 10_000
    with pytest.raises(json.JSONDecodeError):
        spoilt(server, client, "not_json")
    with pytest.raises(json.JSONDecodeError):
        spoilt(server, client, "empty_body")
    with pytest.raises(UnicodeDecodeError):
        spoilt(server, client, "not_utf8")
    with pytest.raises(ValueError, match="4300 digits"):
        spoilt(server, client, "xp_endless")


@pytest.mark.parametrize(("name", "distinct"), [("endless_pages", 20), ("page_ignored", 2)])
def test_boards_without_end(server: Mee6Server, client: httpx.Client, name: str, distinct: int) -> None:
    """Every page is full, whether with new members each time or with the same ones."""
    server.trouble(name)
    pages = [client.get(PATH, params={"limit": 2, "page": page}).json()["players"] for page in range(10)]
    assert {len(rows) for rows in pages} == {2}
    assert len({row["id"] for rows in pages for row in rows}) == distinct


def test_stale_page(server: Mee6Server, client: httpx.Client) -> None:
    """A stale page shows the board as it was when the trouble was set."""
    server.trouble("stale", times=1)
    server.board.reset()
    assert [len(client.get(PATH).json()["players"]) for _ in range(2)] == [4, 0]


def test_dates(server: Mee6Server, client: httpx.Client) -> None:
    """A good answer's Date is the server's clock; with trouble it is a year off or missing."""
    assert parsedate_to_datetime(client.get(PATH).headers["Date"]) == NOW
    server.trouble("clock_off", times=1)
    assert abs(parsedate_to_datetime(client.get(PATH).headers["Date"]) - NOW).days == 365
    server.trouble("no_date", times=1)
    assert "Date" not in client.get(PATH).headers


def test_redirect(server: Mee6Server, client: httpx.Client) -> None:
    """A client that follows the redirect is recorded doing so, and gets a 404."""
    server.trouble("redirect", times=1)
    assert client.get(PATH, follow_redirects=True).status_code == 404
    assert [request.path for request in server.requests] == [PATH, "/elsewhere"]


@pytest.mark.parametrize("name", ["slow", "drip_headers", "drip_body"])
def test_slow_answers_are_right(server: Mee6Server, client: httpx.Client, name: str) -> None:
    """A slow answer is correct in the end."""
    assert [row["id"] for row in spoilt(server, client, name)["players"]] == IDS


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("reset", httpx.ReadError),
        ("refused_early", httpx.RemoteProtocolError),
        ("truncated", httpx.RemoteProtocolError),
        ("timeout", httpx.ReadTimeout),
    ],
)
def test_broken_connections(
    server: Mee6Server, client: httpx.Client, name: str, error: type[Exception], capfd: pytest.CaptureFixture[str]
) -> None:
    """A broken connection is an error for its client only: the server answers the next request and prints nothing."""
    server.trouble(name, times=1)
    with pytest.raises(error):
        client.get(PATH, timeout=0.05)
    assert client.get(PATH).status_code == 200
    server.stop()
    assert capfd.readouterr() == ("", "")


def test_bodies_too_large(server: Mee6Server, client: httpx.Client) -> None:
    """An endless body goes on for as long as the client reads; a gzip bomb inflates to 900 times its size or more."""
    server.trouble("endless_body", times=1)
    with client.stream("GET", PATH) as response:
        sizes = (len(chunk) for chunk in response.iter_raw(2**20))
        assert sum(next(sizes) for _ in range(8)) == 2**23
    server.trouble("gzip_bomb", times=1)
    with client.stream("GET", PATH) as response:
        packed = b"".join(response.iter_raw())
    inflated = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(packed[: len(packed) // 100])
    assert len(inflated) > 900 * len(packed) / 100


@pytest.mark.parametrize("name", ["timeout", "slow", "drip_headers", "drip_body", "endless_body"])
def test_stopping_ends_every_wait(name: str) -> None:
    """When the server stops, it hangs up on a client that is still waiting for an answer."""
    arrived = Event()

    def clock() -> datetime:
        arrived.set()
        return NOW

    with Mee6Server.start(clock=clock) as server:
        server.slow_seconds = server.drip_seconds = 3_600
        server.trouble(name)
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=10) as connection:
            connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: mee6\r\n\r\n".encode())
            assert arrived.wait(10)
            server.stop()
            while connection.recv(2**20):
                pass


def test_queue(server: Mee6Server, client: httpx.Client) -> None:
    """Troubles are applied in the order set, as often as asked and to their page only; after recovery all is well."""
    server.trouble("private", times=2)
    server.trouble("blocked", page=1)
    server.trouble(
        Trouble.raw("own", b"HTTP/1.1 418 I'm a teapot\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), times=1
    )
    statuses = [client.get(PATH, params={"page": page}).status_code for page in (0, 1, 1, 0, 0)]
    server.recover()
    assert [*statuses, client.get(PATH, params={"page": 1}).status_code] == [401, 401, 403, 418, 200, 200]


def test_unknown_trouble(server: Mee6Server) -> None:
    """An unknown name is refused with an error that lists the known ones."""
    with pytest.raises(ValueError, match="blocked"):
        server.trouble("blokced")
