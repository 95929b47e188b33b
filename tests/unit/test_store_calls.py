"""How often a run calls the store: it gathers its state once and decides everything on it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from support.community import LEDGERS, MONDAY, Community, opened
from support.counting import calls_of
from trc_engage import Board, Engage
from trc_engage.core.ports import Requests

ONE_DAY = timedelta(days=1)


class Paged:
    """The community's board, read page by page like MEE6's."""

    def __init__(self, community: Community) -> None:
        self._community = community

    def read(self, sought: frozenset[str], /) -> Board:
        """Read the board."""
        return self._community.read(sought)

    def read_pages(self, sought: frozenset[str], requests: Requests, /) -> Board:
        """Read it as two requests, each in its turn."""
        for _ in range(2):
            requests.seconds_until_free(1.0)
            requests.ended(1.0)
        return self.read(sought)


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community on Monday, after a sync and a run in which Ada gained a point, on each ledger."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.sync(ada=1_000, bo=1_000)
        community.chat("ada", 120)
        community.run()
        yield community


def calls_of_a_run(community: Community, at: datetime) -> list[str]:
    """Return the calls of the store by a run at this instant."""
    community.now = at
    return calls_of(community, Engage.run_due, Paged(community))


def test_a_run_with_nothing_due_asks_once(community: Community) -> None:
    """A run with nothing due only reads the state, and writes nothing, not even a lease."""
    assert calls_of_a_run(community, community.now + timedelta(minutes=1)) == ["run_state"]


def test_a_run_with_a_gain_asks_eight_times(community: Community) -> None:
    """A run with a gain only reads the state, again under the lease, whom to seek and when a request may go out."""
    community.chat("bo", 250)
    calls = calls_of_a_run(community, community.now + timedelta(minutes=15))
    assert calls == [
        *("run_state", "lease", "run_state", "accounts_to_sync"),
        *("next_request_at", "keep_request", "post", "release"),
    ]
    assert community.points("bo") == 2


def test_a_run_after_midnight_asks_eleven_times(community: Community) -> None:
    """The state is read again before settling, because the sync may have made the day that is over active."""
    community.chat("bo", 250)
    calls = calls_of_a_run(community, datetime(2026, 3, 3, 0, 6, tzinfo=MONDAY.tzinfo))
    assert calls == [
        *("run_state", "lease", "run_state", "accounts_to_sync"),
        *("next_request_at", "keep_request", "post"),
        *("run_state", "day_record", "post", "release"),
    ]
    assert community.ledger.calendar().settled_through == date(2026, 3, 2)


def test_a_settlement_alone_asks_six_times(community: Community) -> None:
    """A run at 00:05, whose slot has ended, reads the state twice and the day once."""
    midnight = datetime(2026, 3, 3, 0, 0, tzinfo=MONDAY.tzinfo)
    calls_of_a_run(community, midnight)
    calls = calls_of_a_run(community, midnight + timedelta(minutes=5))
    assert calls == ["run_state", "lease", "run_state", "day_record", "post", "release"]


def test_a_run_without_a_day_to_settle_waits_for_a_sync_and_asks_once(community: Community) -> None:
    """Between a day's end and 00:05, a run only reads the state and takes no lease."""
    calls_of_a_run(community, datetime(2026, 3, 3, 0, 0, tzinfo=MONDAY.tzinfo))
    assert calls_of_a_run(community, datetime(2026, 3, 3, 0, 4, tzinfo=MONDAY.tzinfo)) == ["run_state"]


def test_the_status_asks_twice(community: Community) -> None:
    """The status reads what a run decides on, and the tally."""
    assert calls_of(community, Engage.status) == ["run_state", "tally"]


def test_an_explanation_asks_for_the_facts_once(community: Community) -> None:
    """An explanation of 301 days takes one call for the facts, one for the evidence and one for the history."""
    today = community.now.date()
    calls = calls_of(community, lambda engage: engage.explain("ada", today - 300 * ONE_DAY, today))
    assert sorted(calls) == ["evidence", "facts", "history"]


def test_all_streaks_are_derived_from_one_answer(community: Community) -> None:
    """Excusing a settled day reads all activity in one call, after a month as well."""
    community.now += 30 * ONE_DAY
    community.engage.run_due()
    assert len(community.engage.settle().pending) == 0
    calls = calls_of(community, lambda engage: engage.excuse(date(2026, 3, 3), reason="a holiday", by="admin"))
    assert calls == ["calendar", "activity", "post"]
