"""The answers of the daemon and the web app to monitors over HTTP: useful figures that name no member."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.attended import ENDS_WITHIN_SECONDS, IDS, Post, manned
from support.command import TIMEOUT_SECONDS, Operator
from support.stores import SHARED, addressed, made
from support.versions import newer_tree
from support.visitor import BEARER, TOKEN, problem_of
from trc_engage.core.errors import LedgerFailed, StoreMissing
from trc_engage.entrypoints.daemon.health import CHECKED_SECONDS
from trc_engage.entrypoints.settings import Settings
from trc_engage.entrypoints.wiring import check_ready

ADDRESS = "TRC_ENGAGE_HEALTH_ADDRESS"
WITHOUT_PROMETHEUS = """
import sys
sys.modules["prometheus_client"] = None
from trc_engage.entrypoints import cli
sys.argv = ["trc-engage", "daemon"]
cli.main()
"""


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Prepare a daemon with a health address."""
    with manned(tmp_path) as post, socket.create_server(("127.0.0.1", 0)) as taken:
        post.operator.env[ADDRESS] = f"127.0.0.1:{taken.getsockname()[1]}"
        taken.close()
        yield post


@pytest.fixture
def monitor(post: Post) -> Iterator[httpx.Client]:
    """Return a client of the daemon's health address."""
    with httpx.Client(base_url=f"http://{post.operator.env[ADDRESS]}", trust_env=False, timeout=30) as client:
        yield client


def figures(response: httpx.Response) -> dict[tuple[str, ...], float]:
    """Return the figures by name and label, as Prometheus's own parser reads them."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/plain; version=")
    families = [*text_string_to_metric_families(response.text)]
    assert all(family.documentation for family in families)
    return {
        (sample.name.removeprefix("trc_engage_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_daemon_says_how_it_does(post: Post, monitor: httpx.Client) -> None:
    """After a good sync the daemon answers probes and gives figures that name no member, until it is stopped."""
    daemon = post.start("daemon")
    post.supervisor.until("STATUS=idle")
    for path in ("/healthz", "/readyz", "/healthz?verbose"):
        assert (monitor.get(path).status_code, monitor.get(path).text) == (200, "ok\n")
    assert [monitor.get(path).status_code for path in ("/", "/status", "/metrics/", "/healthz/x")] == [404] * 4
    assert monitor.post("/metrics").status_code == 501
    told = monitor.get("/metrics")
    found = figures(told)
    assert 0 <= found.pop(("good_sync_age_seconds",)) < TIMEOUT_SECONDS
    expected = {
        ("store_up",): 1,
        ("healthy",): 1,
        ("slots_total", "synced"): 1,
        ("slots_total", "failed"): 0,
        ("slots_total", "waiting"): 0,
        ("failures_in_a_row", "source"): 0,
        ("wait_seconds",): 0,
        ("pending_days",): 0,
        ("last_slot", "synced"): 1,
        ("last_slot", "failed"): 0,
        ("lease_held",): 0,
        ("troubles", "source"): 0,
        ("undelivered_notices", "log"): 0,
        ("members",): 3,
        ("accounts", "tracked"): 3,
        ("entries",): 6,
    }
    assert expected.items() <= found.items()
    assert found["settled_days_total",] >= 1
    assert not re.search("|".join([*IDS, *IDS.values(), "127.0.0.1", str(post.store)]), told.text)
    at = time.monotonic()
    daemon.terminate()
    assert daemon.wait(TIMEOUT_SECONDS) == 0
    assert time.monotonic() - at < ENDS_WITHIN_SECONDS
    assert daemon.communicate()[1].endswith("stopped by SIGTERM\n")


def test_a_wait_that_was_asked_for_and_failures_are_seen(post: Post, monitor: httpx.Client) -> None:
    """The metrics show the remaining wait and the failures in a row, and the process still counts as alive."""
    post.server.trouble("rate_limited")
    post.start("daemon")
    post.supervisor.until("STATUS=idle")
    found = figures(monitor.get("/metrics"))
    assert found["wait_seconds",] > 0
    assert (found["failures_in_a_row", "source"], found["slots_total", "failed"], found["last_slot", "failed"]) == (
        1,
    ) * 3
    assert monitor.get("/healthz").status_code == 200


def test_it_is_not_ready_once_a_newer_version_has_the_store(post: Post, monitor: httpx.Client) -> None:
    """A daemon whose store was migrated by a newer version is alive but not ready; the log says why, once."""
    daemon = post.start("daemon")
    post.supervisor.until("STATUS=idle")
    assert post.operator.run("migrate", env={"PYTHONPATH": str(newer_tree())}).code == 0
    until_not_ready(monitor)
    assert (monitor.get("/readyz").text, monitor.get("/healthz").text) == ("The store failed\n", "ok\n")
    daemon.terminate()
    assert len(re.findall("WARNING not ready: ", daemon.communicate()[1])) == 1


@pytest.mark.parametrize("kind", SHARED)
def test_any_kind_of_store_is_ready_once_it_is_there_and_of_this_version(kind: str, tmp_path: Path) -> None:
    """`check_ready` fails before the store is created, and again once a newer version has migrated it."""
    with addressed(kind, tmp_path) as address:
        operator = Operator(tmp_path)
        operator.env["TRC_ENGAGE_STORE"] = address
        settings = Settings.from_mapping(operator.env)
        with pytest.raises(StoreMissing):
            check_ready(settings)
        made(settings)
        check_ready(settings)
        assert operator.run("migrate", env={"PYTHONPATH": str(newer_tree())}).code == 0
        with pytest.raises(LedgerFailed, match="upgrade trc-engage"):
            check_ready(settings)


def test_it_is_not_ready_without_its_store(post: Post, monitor: httpx.Client) -> None:
    """A daemon whose store is gone is not ready, and is ready again once the store is back."""
    post.start("daemon")
    post.supervisor.until("STATUS=idle")
    away = post.store.rename(post.store.with_suffix(".away"))
    until_not_ready(monitor)
    assert {("store_up",): 0, ("slots_total", "synced"): 1}.items() <= figures(monitor.get("/metrics")).items()
    away.rename(post.store)
    until_not_ready(monitor, status=200)


def until_not_ready(monitor: httpx.Client, status: int = 503) -> None:
    """Ask for readiness until the answer has this status, since answers are cached for a while."""
    ends = time.monotonic() + 10 * CHECKED_SECONDS
    while monitor.get("/readyz").status_code != status:
        assert time.monotonic() < ends


def test_without_the_library_the_answer_says_what_to_install(post: Post, monitor: httpx.Client) -> None:
    """Without prometheus-client, `/metrics` answers 501 and says what to install, and the probes still work."""
    post.start_program(WITHOUT_PROMETHEUS)
    post.supervisor.until("STATUS=idle")
    told = monitor.get("/metrics")
    assert (told.status_code, "pip install 'trc-engage[metrics]'" in told.text) == (501, True)
    assert monitor.get("/readyz").status_code == 200


def test_a_daemon_without_an_address_listens_nowhere(post: Post, monitor: httpx.Client) -> None:
    """A daemon without an address does not listen; a single run never does, so it cannot take the daemon's port."""
    assert post.operator.run("daemon", "--once").code == 0
    del post.operator.env[ADDRESS]
    post.start("daemon")
    post.supervisor.until("STATUS=idle")
    with pytest.raises(httpx.ConnectError):
        monitor.get("/healthz")


@pytest.mark.parametrize(
    ("address", "code"), [("9464", 78), ("127.0.0.1:", 78), ("a b:1", 78), ("127.0.0.1:99999", 78)]
)
def test_an_address_that_is_none_is_named(tmp_path: Path, address: str, code: int) -> None:
    """A malformed address ends the daemon with an error that names the setting or the port."""
    ran = Operator(tmp_path).run("daemon", env={ADDRESS: address})
    assert (ran.code, "ADDRESS" in ran.err or "99999" in ran.err) == (code, True), ran.err


def test_an_address_that_is_taken_is_named(post: Post) -> None:
    """The error for an address in use names the setting to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = post.operator.run("daemon", env={ADDRESS: f"127.0.0.1:{taken.getsockname()[1]}"})
    assert (ran.code, ran.err.endswith("choose another with TRC_ENGAGE_HEALTH_ADDRESS\n")) == (65, True)


@contextmanager
def web(folder: Path, *options: str) -> Iterator[tuple[httpx.Client, str, list[str]]]:
    """Serve a store; yield a client, the link if one is printed, and a list that gets its stderr lines at the end."""
    operator = Operator(folder)
    operator.call("members", "enroll", "ada", "--name", "Ada")
    operator.env["TRC_ENGAGE_WEB_TOKEN"], said = TOKEN, list[str]()
    process = operator.start("web", "--port", "0", *options)
    try:
        assert process.stdout
        url = process.stdout.readline().removeprefix("serving on ").split(" ")[0]
        link = "" if options else process.stdout.readline().removeprefix("open ").split(" ")[0]
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            yield client, link, said
    finally:
        process.terminate()
        said += process.communicate(timeout=TIMEOUT_SECONDS)[1].splitlines()


def test_the_web_tells_figures_to_its_admin_alone(tmp_path: Path) -> None:
    """Metrics need the token or the browser session that the link starts; the probes need neither."""
    with web(tmp_path) as (client, link, said):
        for path in ("/healthz", "/readyz"):
            assert (client.get(path).status_code, client.get(path).text) == (200, "ok\n")
            assert client.get(path).headers["x-content-type-options"] == "nosniff"
        for headers in ({}, {"Authorization": "Bearer x"}):
            assert client.get("/metrics", headers=headers).status_code == 403
        found = figures(client.get("/metrics", headers=BEARER))
        assert (found["members",], found["slots_total", "synced"]) == (1, 0)
        client.get(link)
        assert figures(client.get("/metrics"))["members",] == 1
        (tmp_path / "engage.db").rename(tmp_path / "away.db")
        until_not_ready(client)
        assert client.get("/readyz").text == "The store failed\n"
    assert [line.partition("WARNING ")[2].partition(":")[0] for line in said] == ["not ready"]


def test_a_public_site_tells_no_figures(tmp_path: Path) -> None:
    """A public site never serves metrics, not even with the token, and answers probes under any host name."""
    with web(tmp_path, "--public", "--allow-host", "club.example") as (client, _, said):
        assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
        for headers in ({}, BEARER, {"Host": "club.example", **BEARER}):
            assert client.get("/metrics", headers=headers).status_code in {404, 421}
        assert problem_of(client.get("/metrics", headers=BEARER)) == (421, "wrong-host")
    assert said == []
