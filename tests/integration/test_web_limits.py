"""A client that keeps the server waiting is dropped, and does not hinder others until then."""

import resource
import select
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import httpx
import pytest
import uvicorn

from support.command import Operator
from support.visitor import BEARER, TOKEN
from trc_engage.entrypoints.web import server as web_server

HALF_SENT = 1_100
QUICKLY = 2.0
DROPPED_WITHIN = web_server.BODY_SECONDS + 15


@contextmanager
def served(folder: Path, files: int = 1_024) -> Iterator[tuple[httpx.Client, tuple[str, int], list[str]]]:
    """Yield a client, the server's address, and a list that gets its stderr at the end."""
    operator, said = Operator(folder), list[str]()
    operator.call("members", "enroll", "ada", "--name", "Ada")
    operator.env["TRC_ENGAGE_WEB_TOKEN"] = TOKEN
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, before[1]))
    try:
        process = operator.start("web", "--port", "0")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    try:
        assert process.stdout
        url = process.stdout.readline().removeprefix("serving on ").split(" ")[0]
        where = httpx.URL(url)
        with httpx.Client(base_url=url, trust_env=False, headers=BEARER, timeout=30) as client:
            yield client, (where.host, where.port or 0), said
    finally:
        process.terminate()
        try:
            said.append(process.communicate(timeout=30)[1])
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def room_for(count: int) -> None:
    """Allow this process so many connections, or skip the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this process may open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def held(stack: ExitStack, address: tuple[str, int], sent: bytes) -> socket.socket:
    """Open a connection and send this and no more."""
    connection = stack.enter_context(socket.create_connection(address, timeout=10))
    connection.sendall(sent)
    return connection


def dropped(connections: list[socket.socket], seconds: float) -> int:
    """Wait until the server has closed all connections, or for so many seconds; return how many it closed."""
    ends, waiting = monotonic() + seconds, {one.fileno(): one for one in connections}
    poll = select.poll()
    for number in waiting:
        poll.register(number, select.POLLIN | select.POLLHUP)
    while waiting and (left := ends - monotonic()) > 0:
        for number, _ in poll.poll(left * 1_000):
            try:
                ended = waiting[number].recv(65_536) == b""
            except OSError:
                ended = True
            if ended:
                poll.unregister(number)
                del waiting[number]
    return len(connections) - len(waiting)


@pytest.mark.parametrize("files", [1_024, 512])
def test_half_sent_requests_are_in_nobodys_way_and_dropped(tmp_path: Path, files: int) -> None:
    """With 1,100 half-sent requests open, others are answered within 2 s; all are dropped, and nothing is logged."""
    room_for(HALF_SENT)
    with served(tmp_path, files) as (client, address, said), ExitStack() as stack:
        connections = [held(stack, address, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-") for _ in range(HALF_SENT)]
        for _ in range(5):
            began = monotonic()
            assert client.get("/api/members/ada", headers={"Connection": "close"}).status_code == 200
            assert monotonic() - began < QUICKLY
        assert dropped(connections, DROPPED_WITHIN) == HALF_SENT
        assert client.get("/api/members/ada").status_code == 200
    assert said == [""]


HEAD = b"POST /api/members/ada/awards HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
HEAD += b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
STALLED = {
    "nothing at all": b"",
    "half a line": b"GE",
    "half a body": HEAD + b"Content-Length: 100\r\n\r\n{",
    "a body in pieces without an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    "who waits to be told to go on": HEAD + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
    "a second request, half sent": b"GET /static/mark.svg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET / HT",
    "a body that nobody wants": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000000\r\n\r\n",
}


def test_whoever_stalls_is_dropped(tmp_path: Path) -> None:
    """A request that stalls at any point is dropped without being logged."""
    with served(tmp_path) as (client, address, said), ExitStack() as stack:
        connections = [held(stack, address, sent) for sent in STALLED.values()]
        assert dropped(connections, DROPPED_WITHIN) == len(STALLED)
        assert client.get("/api/members/ada").status_code == 200
    assert said == [""]


def test_a_drip_is_no_progress(tmp_path: Path) -> None:
    """A byte a second keeps no connection open, because the head and the body each have a time limit as a whole."""
    with served(tmp_path) as (_, address, said), ExitStack() as stack:
        dripping = [
            held(stack, address, b"GET / HTTP/1.1\r\nX-Drip: "),
            held(stack, address, HEAD + b"Content-Length: 60000\r\n\r\n"),
        ]
        ends = monotonic() + DROPPED_WITHIN
        while dripping and monotonic() < ends:
            for one in dripping.copy():
                try:
                    one.sendall(b"x")
                except OSError:
                    dripping.remove(one)
            if dripping:
                select.select([], [], [], 1)
        assert dripping == []
    assert said == [""]


def test_an_answer_that_is_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not read its answer is disconnected after a time limit."""
    monkeypatch.setattr(web_server, "ANSWER_SECONDS", 1.0)

    async def app(_scope: object, _receive: object, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(app, http=web_server.GuardedProtocol, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with socket.create_connection(listener.getsockname(), timeout=10) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                select.select([connection], [], [], 10)
                ends = monotonic() + 10
                while not server.server_state.tasks and monotonic() < ends:
                    select.select([], [], [], 0.01)
                while server.server_state.connections and monotonic() < ends:
                    select.select([], [], [], 0.05)
                assert not server.server_state.connections
                assert not server.server_state.tasks
        finally:
            server.should_exit = True
            thread.join()


def test_rubbish_fills_no_log(tmp_path: Path) -> None:
    """A thousand requests that are not HTTP leave at most three lines in the log."""
    with served(tmp_path) as (client, address, said):
        for _ in range(1_000):
            with socket.create_connection(address, timeout=10) as connection:
                connection.sendall(b"\x16\x03\x01 not HTTP\r\n\r\n")
                connection.recv(1_000)
        assert client.get("/api/members/ada").status_code == 200
    assert len(said[0].splitlines()) <= 3
