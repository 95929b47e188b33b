"""How long a read waits for requests of other processes, as kept in the store that they share (R21, R30)."""

from datetime import UTC, datetime, timedelta

import pytest

from trc_engage.adapters.memory import MemoryLedger
from trc_engage.usecases.leases import LEASED_FOR, TASK, LeasedRequests, Run

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("is_overtaken", "free_in", "seconds"),
    [
        (False, None, 0),
        (False, -5, 0),
        (False, 4, 1),
        (False, 400, 10),
        (True, None, 7),
        (True, 4, 7),
        (True, 12, 9),
    ],
)
def test_a_read_waits_for_the_requests_of_others(is_overtaken: bool, free_in: int | None, seconds: float) -> None:
    """A read waits until the kept time, at most ten seconds; after taking over a lease, at least ten from then."""
    ledger = MemoryLedger()
    if is_overtaken:
        ledger.lease(TASK, NOON - 2 * LEASED_FOR, NOON - LEASED_FOR)
    lease = ledger.lease(TASK, NOON, NOON + LEASED_FOR)
    if free_in is not None:
        ledger.keep_request(TASK, NOON + free_in * SECOND)
    requests = LeasedRequests(Run(ledger, lease), lease, lambda: NOON + 3 * SECOND)
    assert requests.seconds_until_free(10.0) == seconds
