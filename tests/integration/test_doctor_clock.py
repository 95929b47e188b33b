"""A wrong clock leaves notices with strange instants, and a store that the doctor finds sound (R20, R22)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.command import Operator
from support.community import LEDGERS, MONDAY, Community, opened
from support.noticeboard import Noticeboard
from trc_engage import Engage, SourceError
from trc_engage.usecases.audit import audit

DAY = timedelta(days=1)


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community with a channel and a member who was synced once."""
    with opened(request.param, tmp_path) as ledger:
        community = Community(ledger)
        community.engage = Engage(
            ledger=ledger, source=community, clock=lambda: community.now, alerts=[Noticeboard("log")]
        )
        community.enroll("ada")
        community.sync(ada=1_000)
        yield community


def test_an_alert_about_the_clock_is_no_flaw(community: Community) -> None:
    """An alert that the clock went back, its reminder and its all-clear each leave the store sound."""
    seen_at = community.now
    community.now -= 3 * DAY
    assert [notice.topic for notice in community.engage.run_due().delivered] == ["clock"]
    assert audit(community.ledger).is_healthy
    community.now += DAY + timedelta(hours=1)
    assert [notice.kind for notice in community.engage.run_due().delivered] == ["reminder"]
    assert audit(community.ledger).is_healthy
    community.now = seen_at + DAY
    assert [notice.kind for notice in community.engage.run_due().delivered] == ["all_clear"]
    assert audit(community.ledger).is_healthy


def test_failures_under_a_clock_that_ran_ahead_are_no_flaw(community: Community) -> None:
    """Failures that began while the clock was ahead send an alert once it is right, and the store is sound."""
    community.trouble = SourceError("down", "no answer")
    community.now += 30 * DAY
    community.run()
    community.run()
    community.now -= 30 * DAY
    assert "alert" in [notice.kind for notice in community.run().delivered]
    assert audit(community.ledger).is_healthy


def test_an_all_clear_of_what_began_under_a_clock_that_ran_ahead_is_no_flaw(community: Community) -> None:
    """An all-clear for a trouble that began under a clock ahead, so later than now, leaves the store sound."""
    community.trouble = SourceError("distrusted", "another board")
    community.now += 30 * DAY
    assert [(notice.kind, notice.topic) for notice in community.run().delivered] == [
        ("alert", "clock"),
        ("alert", "source"),
    ]
    community.now -= 30 * DAY
    community.trouble = None
    assert [notice.kind for notice in community.run().delivered] == ["all_clear", "all_clear"]
    assert audit(community.ledger).is_healthy


def test_such_a_store_can_be_backed_up_and_moved(tmp_path: Path) -> None:
    """`backup` and `migrate-store`, which ask the doctor first, accept a store with such an alert."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.now = MONDAY
        community.engage = Engage(
            ledger=ledger, source=community, clock=lambda: community.now, alerts=[Noticeboard("log")]
        )
        community.enroll("ada")
        community.sync(ada=1_000)
        community.now -= 3 * DAY
        community.engage.run_due()
    operator = Operator(tmp_path)
    assert operator.run("doctor").code == 0
    assert operator.run("backup", str(tmp_path / "copy.db")).code == 0
    assert operator.run("migrate-store", str(tmp_path / "engage.db"), str(tmp_path / "moved.db")).code == 0
