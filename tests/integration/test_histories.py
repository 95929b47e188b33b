"""Histories of eight processes on one store, killed at random, which a judge compares with the promises alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from histories.players import Crowd, Place
from mutants.histories import FAULTS
from support.pgbouncer import pooled
from support.stores import addressed

CALLS = int(os.environ.get("TRC_ENGAGE_HISTORY_CALLS", "800"))
ROUND_CALLS = 300
ROUNDS_MAX = 20


@pytest.fixture(params=["sqlite", "postgres", "pgbouncer"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the address of a store that does not exist yet."""
    if request.param == "pgbouncer":
        with pooled(()) as database:
            at = conninfo_to_dict(database.dsn)
            yield f"postgresql://{at['user']}@{at['host']}:{at['port']}/{at['dbname']}?schema=engage"
    else:
        with addressed(request.param, tmp_path) as lent:
            yield lent


def test_no_promise_is_broken(address: str, tmp_path: Path) -> None:
    """With processes killed at random, all answers agree with the promises and with the store at the end."""
    crowd = Crowd(Place.made(address, tmp_path))
    crowd.play(CALLS)
    judge, breaches = crowd.judged()
    assert breaches == []
    asked = {call.name for call in judge.calls if call.returned}
    assert asked == {"award", "reverse", "sync", "run", "settle", "standing", "feed"}
    print(f"{len(judge.calls):,} calls, {crowd.killed} kills, {len(judge.end.lines):,} entries")  # noqa: T201


@pytest.mark.parametrize("fault", FAULTS)
def test_each_broken_promise_is_found(fault: str, tmp_path: Path) -> None:
    """The judge notices each store that breaks a promise now and then, within 20 rounds."""
    crowd = Crowd(Place.made(str(tmp_path / "engage.db"), tmp_path, fault))
    for _ in range(ROUNDS_MAX):
        crowd.play(ROUND_CALLS, kills=False)
        _, breaches = crowd.judged()
        if breaches:
            break
    assert breaches
