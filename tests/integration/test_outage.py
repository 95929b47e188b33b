"""However long an outage lasts, a status, run or settlement asks the store no more than after three days (R15, R20)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from support.community import IDS, LEDGERS, Community, opened
from support.counting import calls_of
from trc_engage import Engage, SourceError
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core.errors import SourceTrouble
from trc_engage.core.incidents import failed_again
from trc_engage.core.posting import Posting, SyncFailure
from trc_engage.usecases.audit import audit

DAY = timedelta(days=1)
FAILURES_A_DAY = 4


def fail_for(community: Community, days: int) -> None:
    """Post failed syncs for this many more days."""
    for _ in range(days * FAILURES_A_DAY):
        community.now += DAY / FAILURES_A_DAY
        failure = SyncFailure(community.now, "down", "MEE6 is in trouble (status 502)", counts=True)
        community.ledger.post(Posting(community.now, failure=failure))


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community with one member who was synced once before the board went down."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada")
        community.sync(ada=1_000)
        community.trouble = SourceError("down", "MEE6 is in trouble (status 502)")
        yield community


@pytest.mark.parametrize("act", [Engage.status, Engage.run_due, Engage.settle])
def test_a_year_of_outage_asks_no_more_of_the_store_than_three_days(
    community: Community, act: Callable[[Engage], object]
) -> None:
    """After a year, neither pending days nor failures are queried one by one; all 363 days still show their cause."""
    fail_for(community, 3)
    few = len(calls_of(community, act))
    community.now += 360 * DAY
    community.engage.confirm_clock(by="admin", reason="nothing ran for a year")
    assert len(calls_of(community, act)) == few
    status = community.engage.status()
    assert (len(status.pending), {one.cause for one in status.pending}) == (363, {"no_sync"})


def test_the_rows_read_do_not_grow_with_the_failures(tmp_path: Path) -> None:
    """With twenty times the failures, `run_state` takes hardly more steps of SQLite."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada")
        community.sync(ada=1_000)
        steps: list[int] = []

        def spent() -> int:
            steps.clear()
            ledger.run_state()
            return len(steps)

        with cast("SqliteLedger", ledger)._database.connection() as connection:
            cast("Any", connection).set_progress_handler(lambda: steps.append(1), 1)
        fail_for(community, 3)
        few = spent()
        fail_for(community, 60)
        assert spent() <= few * 1.2


def test_once_the_board_is_back_all_days_are_due_and_then_settled(community: Community) -> None:
    """When the board is back, the status shows every pending day as due, and one settlement settles them all."""
    fail_for(community, 5)
    community.trouble = None
    community.sync(ada=1_250)
    assert [one.cause for one in community.engage.status().pending] == ["due"] * 5
    assert len(community.engage.settle().settled) == 5
    assert audit(community.ledger).is_healthy


def test_days_wait_behind_a_frozen_one_and_those_not_read_past_for_a_sync(community: Community) -> None:
    """A frozen day (R15a) holds back all days behind it."""
    community.trouble = None
    community.enroll(*list(IDS)[1:7])
    community.sync(**dict.fromkeys(list(IDS)[1:7], 100))
    for days in (0, 1, 1):
        community.now += days * DAY
        if days == 0:
            for name in list(IDS)[1:7]:
                community.chat(name, 200)
        community.sync()
        community.engage.settle()
    community.now += DAY
    assert [one.cause for one in community.engage.settle().pending] == ["frozen", "earlier"]


def test_nobody_linked_nothing_waits_for_a_sync(community: Community) -> None:
    """Without linked accounts every pending day is due, whatever failed before."""
    fail_for(community, 3)
    community.engage.unlink("ada")
    assert {one.cause for one in community.engage.status().pending} == {"due"}


RUNS: dict[str, list[SourceTrouble | None]] = {
    "no run": [],
    "a good one": [None],
    "good, then two": [None, "down", "blocked"],
    "never good": ["private", "private", "private", "private"],
    "failures, good, failures": ["down", "distrusted", None, "malformed", "clock", "down", "distrusted", "down"],
    "good at the end": ["down", "clock", None],
}


@pytest.mark.parametrize("kind", LEDGERS)
@pytest.mark.parametrize("runs", RUNS.values(), ids=RUNS)
def test_failures_in_a_row_are_what_the_runs_say(tmp_path: Path, kind: str, runs: list[SourceTrouble | None]) -> None:
    """The failure run, stored one failure at a time, equals what all runs say together; some failures do not count."""
    failure_run = None
    with opened(kind, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada")
        for trouble in runs:
            community.now += timedelta(hours=1)
            if trouble is None:
                failure_run = None
                community.sync(timedelta(0), ada=1_000)
                continue
            for counts in (False, True):
                message = f"message {community.now:%H}"
                failure = SyncFailure(community.now, trouble, message, counts)
                ledger.post(Posting(community.now, failure=failure))
            failure_run = failed_again(failure_run, community.now, trouble, message)
        assert ledger.run_state().sync.failure_run == failure_run
        assert audit(ledger).is_healthy
