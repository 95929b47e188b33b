"""`run-due` for cron and timers: what it prints, where, and its exit codes."""

import json
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from attrs import evolve
from syrupy.assertion import SnapshotAssertion

from support.attended import SECONDS_MAX, Post, manned
from support.community import QUARTER, Community
from trc_engage import Engage
from trc_engage.adapters.alerts import LogAlerts
from trc_engage.core.errors import SourceError
from trc_engage.core.incidents import Notice
from trc_engage.entrypoints.cli.daemon import line
from trc_engage.entrypoints.wire.runs import Run

RUN = ("run-due", "--json")


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    with manned(tmp_path) as post:
        yield post


def test_what_is_due_is_done_once(post: Post) -> None:
    """The first run syncs and settles and says so on one line; the next has nothing to do and prints nothing."""
    first = post.operator.run("run-due")
    assert (first.code, first.err) == (0, "")
    assert re.fullmatch(r"synced: \+6 points; 3 gained; settled 20\S+ to 20\S+\n", first.out)
    second = post.operator.run("run-due")
    assert (second.code, second.out, second.err) in {(0, "", ""), (0, "synced: 0 points; 3 unchanged\n", "")}
    post.assert_exact()


def test_json_is_always_one_line(post: Post) -> None:
    """With `--json` a run that has nothing to do prints a line too, so that a script always has something to read."""
    first = post.operator.run(*RUN).json
    assert (first["outcome"], first["sync"]["gained"], first["sync"]["points"], first["error"]) == (
        "synced",
        3,
        6,
        None,
    )
    assert datetime.fromisoformat(first["slot"]) <= datetime.fromisoformat(first["at"])
    assert len(first["settled"]) >= 2
    second = post.operator.run(*RUN).json
    assert second["outcome"] in {"nothing", "synced"}
    assert (second["settled"], second["delivered"]) == ([], [])


def test_a_failed_sync_is_told_by_its_code_and_mailed_to_nobody(post: Post) -> None:
    """A failed sync ends with exit code 69 and a line on stdout; stderr stays empty, so cron mails nothing."""
    post.server.trouble("private")
    failed = post.operator.run("run-due")
    assert (failed.code, failed.err) == (69, "")
    assert failed.out.startswith("failed: ")
    assert len(failed.out.splitlines()) == 1


def test_a_wait_that_was_asked_for_is_no_failure(post: Post) -> None:
    """Slots within a wait that MEE6 asked for end as waiting, with exit code 0."""
    post.server.throttle(requests=1, retry_after="3600")
    post.server.limit_max = 1
    assert post.operator.run("sync", "--fresh").code == 69
    waiting = post.operator.run("run-due")
    assert (waiting.code, waiting.err) == (0, "")
    assert waiting.out.startswith("waiting: ")


def test_while_another_is_at_work_it_leaves_it_to_that_one(post: Post) -> None:
    """While another run is at work it prints so on stdout and ends with exit code 0."""
    reading, held = Event(), Event()

    def hold(_page: int) -> None:
        reading.set()
        assert held.wait(SECONDS_MAX)

    post.server.between_pages = hold
    first = post.start("run-due", "--json")
    assert reading.wait(SECONDS_MAX)
    second = post.operator.run("run-due")
    held.set()
    out, _ = first.communicate(timeout=SECONDS_MAX)
    assert (second.code, second.err) == (0, "")
    assert second.out.startswith("busy: another run is at work")
    assert (first.returncode, json.loads(out)["outcome"]) == (0, "synced")


def test_a_store_that_fails_is_told_at_once(post: Post) -> None:
    """A store that fails is reported on stderr with exit code 74, since nothing else can record it."""
    post.store.write_bytes(b"this is no database" * 100)
    failed = post.operator.run("run-due")
    assert (failed.code, failed.out, failed.err.count("\n")) == (74, "", 1)


def test_a_read_that_is_given_up_is_no_failure(post: Post) -> None:
    """SIGTERM during a read ends the run with exit code 0 and no recorded failure, and the next run syncs."""
    reading, held = Event(), Event()

    def hold(_page: int) -> None:
        reading.set()
        held.wait(SECONDS_MAX)

    post.server.between_pages = hold
    stopped = post.start("run-due")
    assert reading.wait(SECONDS_MAX)
    stopped.send_signal(signal.SIGTERM)
    out, err = stopped.communicate(timeout=SECONDS_MAX)
    post.server.between_pages = None
    held.set()
    assert (stopped.returncode, err) == (0, "")
    assert out.startswith("stopped: the read was cut short")
    assert post.operator.run(*RUN).json["outcome"] == "synced"
    assert post.rows("SELECT run_id FROM runs WHERE outcome = 'failed'") == []


def test_every_outcome_reads_well(snapshot: SnapshotAssertion) -> None:
    """The lines for operators and the JSON for scripts, for runs with every outcome, equal their snapshots."""
    community = Community()
    engage = Engage(ledger=community.ledger, source=community, clock=lambda: community.now, alerts=[LogAlerts()])
    community.enroll("ada", "bo")
    community.xp = {"ada": 1_000, "bo": 2_000}
    reports = [engage.run_due(), engage.run_due()]
    community.xp["ada"] += 250
    community.now += QUARTER
    reports.append(engage.run_due())
    community.trouble = SourceError("down", "MEE6 is down; the next sync tries again")
    for _ in range(3):
        community.now += QUARTER
        reports.append(engage.run_due())
    community.trouble = SourceError("rate_limited", "MEE6 asks for fewer requests", timedelta(hours=1))
    for _ in range(2):
        community.now += QUARTER
        reports.append(engage.run_due())
    community.trouble = None
    community.now += timedelta(days=1)
    reports.append(engage.run_due())
    notice = Notice("all_clear", "source", datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))
    reports.append(evolve(reports[1], undelivered=(notice,)))
    assert "\n".join(f"{line(report)}" for report in reports) == snapshot(name="lines")
    assert json.dumps([Run.of(report) for report in (reports[2], reports[5], reports[8])], indent=1) == snapshot(
        name="json"
    )
