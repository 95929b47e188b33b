"""`trc-engage web` serves this machine, refuses to start where that would be unsafe, and ends when asked."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import httpx
import pytest

from support.command import TIMEOUT_SECONDS, Operator
from support.visitor import TOKEN, problem_of
from trc_engage.entrypoints.settings import Settings, SettingsError

SEES_ADA = "def may_see(request, member_id):\n    return member_id == 'ada'\n"


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return an operator with a store in which Ada has an award."""
    operator = Operator(tmp_path)
    operator.call("members", "enroll", "ada", "--name", "Ada")
    operator.call("members", "enroll", "bo", "--name", "Bo")
    operator.call("award", "ada", "--source", "benchmark", "--points", "50", "--key", "b:1")
    return operator


@contextmanager
def served(operator: Operator, *options: str) -> Iterator[tuple[httpx.Client, "subprocess.Popen[str]"]]:
    """Yield a client and the process; check that SIGTERM ends it with exit code 0 and an empty stderr."""
    process = operator.start("web", "--port", "0", *options)
    watchdog = Timer(TIMEOUT_SECONDS, process.kill)
    watchdog.start()
    try:
        assert process.stdout
        line = process.stdout.readline()
        url = line.removeprefix("serving on ").split(" ")[0]
        with httpx.Client(base_url=url, trust_env=False, timeout=TIMEOUT_SECONDS) as client:
            if "--may-see" not in options:
                link = process.stdout.readline().removeprefix("open ").split(" ")[0]
                assert client.get(link, follow_redirects=True).url == url
                process.stdout.readline()
            yield client, process
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate()
        assert (process.returncode, told) == (0, "")
    finally:
        process.kill()
        process.communicate()
        watchdog.cancel()


def test_it_serves_api_and_pages_until_it_is_told_to_end(operator: Operator) -> None:
    """The API and the pages answer requests to this machine by its own name; writing needs the token."""
    operator.env["TRC_ENGAGE_WEB_TOKEN"] = TOKEN
    with served(operator, "--earning", "A benchmark=50") as (client, _):
        assert client.get("/api/members/ada").json()["points"] == 50
        assert client.get("/api/earnings").json()["awards"] == [{"what": "A benchmark", "points": 50}]
        assert "Ada" in client.get("/").text
        assert "server" not in client.get("/").headers
        body = {"points": -20, "key": "fix", "reason": "typo", "by": "admin-7"}
        assert problem_of(client.post("/api/members/ada/adjustments", json=body)) == (401, "token-missing")
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert client.post("/api/members/ada/adjustments", json=body, headers=bearer).json()["points"] == 30
        other = {"Host": "engage.example"}
        assert problem_of(client.get("/api/members/ada", headers=other)) == (403, "not-on-loopback")
    assert operator.call("show", "ada", "--json").json["points"] == 30


def test_a_connection_left_open_does_not_keep_it_alive(operator: Operator) -> None:
    """An open connection, as browsers keep, does not keep the process from ending."""
    with served(operator) as (client, process):
        assert client.get("/api/leaderboard").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_SECONDS) == 0


def test_with_a_hook_it_serves_any_address(operator: Operator) -> None:
    """With `--may-see`, any address and host name is served and the hook decides what is shown."""
    (operator.folder / "access.py").write_text(SEES_ADA)
    operator.env["PYTHONPATH"] += f":{operator.folder}"
    with served(operator, "--host", "0.0.0.0", "--may-see", "access:may_see") as (client, _):  # noqa: S104
        client.base_url = httpx.URL(str(client.base_url).replace("0.0.0.0", "127.0.0.1"))  # noqa: S104
        assert client.get("/api/members/ada", headers={"Host": "engage.example"}).status_code == 200
        assert problem_of(client.get("/api/members/bo")) == (404, "unknown-member")


@pytest.mark.parametrize(
    ("options", "variables", "code", "says"),
    [
        (["--host", "0.0.0.0"], {}, 2, "pass --may-see"),  # noqa: S104
        (["--host", "engage.example"], {}, 2, "pass --may-see"),
        (["--may-see", "nowhere:may_see"], {}, 2, "cannot be found"),
        (["--may-see", "json"], {}, 2, "cannot be found"),
        (["--earning", "A benchmark"], {}, 2, "WHAT=POINTS"),
        ([], {"TRC_ENGAGE_WEB_TOKEN": "short"}, 78, "16 to 200"),
        ([], {"TRC_ENGAGE_STORE": "nowhere.db"}, 74, "there is no store"),
    ],
)
def test_it_refuses_to_start_where_it_should_not(
    operator: Operator, options: list[str], variables: dict[str, str], code: int, says: str
) -> None:
    """Unsafe or wrong options and settings give their exit code and a line that says what to do."""
    ran = operator.call("web", "--port", "0", *options, env={"COLUMNS": "200", **variables})
    assert (ran.code, says in ran.err) == (code, True), ran.err
    assert "short" not in ran.err


@pytest.mark.parametrize("token", ["x" * 15, "x" * 201, "kAnArY of words and spaces", "kAnArY-é-kAnArY-é"])
def test_a_token_that_cannot_be_one_is_refused_unseen(token: str) -> None:
    """A malformed token is not shown in the error, nor a good one in the settings' repr."""
    with pytest.raises(SettingsError, match="TRC_ENGAGE_WEB_TOKEN must be 16 to 200") as caught:
        Settings.from_mapping({"TRC_ENGAGE_WEB_TOKEN": token})
    assert token not in str(caught.value)
    assert TOKEN not in repr(Settings.from_mapping({"TRC_ENGAGE_WEB_TOKEN": TOKEN}))


def test_a_port_that_is_taken_is_named(operator: Operator) -> None:
    """The error for a port in use names it, with exit code 65."""
    with served(operator) as (client, _):
        port = str(client.base_url.port)
        ran = operator.call("web", "--port", port)
    assert (ran.code, f"port {port} (Address already in use)" in ran.err) == (65, True), ran.err
