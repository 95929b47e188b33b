"""When PostgreSQL goes away and comes back, the daemon goes on; nothing is lost and nothing paid twice (R19, R20)."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import monotonic

import psycopg
import pytest

from support.attended import IDS
from support.community import QUARTER
from support.locks import FOR_A_STANDBY, until_waiting
from support.postgres import Server
from support.receiver import received
from support.restarting import BEGINS_AT, House
from support.timed import SECONDS_MAX
from trc_engage import LedgerBusy, LedgerFailed
from trc_engage.core.slots import slot_of
from trc_engage.entrypoints.cli.options import STORE_FAILED
from trc_engage.usecases.leases import LEASED_FOR

MINUTE = timedelta(seconds=61)
NO_SERVER = "the server cannot be reached; check host and port, and that it runs"
AT_ONCE_SECONDS = 5.0
"""Less than any wait for a connection or a lock."""

COMMITS_LATE = """
CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(6); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER commits_late AFTER INSERT ON slots DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait_for_the_test()
"""
LEAVE = "DROP TRIGGER IF EXISTS commits_late ON slots; DROP FUNCTION IF EXISTS wait_for_the_test"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Yield a server that no other test uses."""
    server = Server()
    yield server
    server.end(os.getpid())


@pytest.fixture
def house(tmp_path: Path, server: Server) -> Iterator[House]:
    """Yield a house in which the first slot is synced."""
    with received() as receiver:
        house = House(tmp_path, server, receiver)
        try:
            yield house
        finally:
            house.end()
            server.restart()


def test_a_server_that_goes_away_during_a_read_is_told_and_waited_for(house: House) -> None:
    """A daemon outlives a lost server, logs why and alerts at the third failure; the next good sync pays all points."""
    reading, go_on = Event(), Event()

    def hold(_page: int) -> None:
        reading.set()
        assert go_on.wait(SECONDS_MAX)

    house.earn()
    house.mee6.between_pages, house.at = hold, BEGINS_AT + QUARTER
    house.daemon.tell(house.at)
    assert reading.wait(SECONDS_MAX)
    house.stop_server()
    house.mee6.between_pages = None
    go_on.set()
    house.daemon.rest()
    failed = [line for line in house.daemon.told() if "ERROR" in line]
    assert len(failed) == 1
    assert "ERROR the run failed: postgresql://postgres@" in failed[0]
    assert failed[0].endswith(NO_SERVER)

    house.pass_to(BEGINS_AT + QUARTER * 2)
    assert house.receiver.taken == []
    house.pass_to(BEGINS_AT + QUARTER * 3)
    house.pass_to(BEGINS_AT + QUARTER * 4)
    assert house.receiver.taken == ["alert"]
    assert "The store failed, 3 times in a row since Tue 2026-03-03 09:15 UTC" in house.receiver.messages[0].content

    house.server.start()
    house.pass_to(BEGINS_AT + QUARTER * 5)
    assert house.receiver.taken == ["alert", "all_clear"]
    assert house.outcomes() == ["synced", None, None, None, None, "synced"]
    assert [slot_of(request.at) for request in house.mee6.requests] == [
        BEGINS_AT,
        BEGINS_AT + QUARTER,
        BEGINS_AT + QUARTER * 5,
    ]
    assert house.daemon.process.is_alive()
    house.assert_exact(2)


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ("BEGIN; LOCK TABLE runs IN SHARE MODE", "the connection was lost, and nothing was written"),
        ("BEGIN; LOCK TABLE discord_days IN SHARE MODE", "the connection was lost, and nothing was written"),
        ("SELECT pg_advisory_lock(6)", "it is not known whether that succeeded"),
    ],
    ids=["as it begins", "when it has posted entries", "as it commits"],
)
def test_a_server_that_restarts_during_a_posting_costs_minutes(house: House, held: str, told: str) -> None:
    """A restart within a posting leaves nothing uncommitted, and the slot is run again once the lease has expired."""
    slot = BEGINS_AT + QUARTER
    with closing(house.stranger()) as holder, closing(house.stranger()) as looker:
        holder.execute(COMMITS_LATE)
        # The daemon has taken its lease by the time it asks MEE6.
        house.mee6.between_pages = lambda _page: holder.execute(held)
        house.earn()
        house.at = slot
        house.daemon.tell(slot)
        until_waiting(looker)
        house.server.restart()
    house.daemon.rest()
    house.mee6.between_pages = None
    assert house.outcomes() == ["synced", None]
    assert re.search(rf"WARNING the run was put off: postgresql://.*{told}", house.daemon.told()[-1])
    with closing(house.stranger()) as stranger:
        stranger.execute(LEAVE)
    while house.ledger.run_state(slot).slot_end(slot) is None:
        assert house.at < slot + LEASED_FOR + 2 * MINUTE
        house.pass_to(house.at + MINUTE)
    house.pass_to(slot + QUARTER)
    assert house.outcomes() == ["synced"] * 3
    assert house.receiver.taken == []
    assert house.daemon.process.is_alive()
    house.assert_exact(2)


def test_a_commit_whose_answer_was_lost_is_not_made_again(house: House) -> None:
    """If the server stops after the commit but before its answer, the slot has ended and its points are paid once."""
    slot = BEGINS_AT + QUARTER
    with (
        closing(house.stranger()) as holder,
        closing(house.stranger()) as committer,
        closing(house.stranger()) as looker,
        ThreadPoolExecutor(1) as pool,
    ):

        def commit_on() -> None:
            with suppress(psycopg.OperationalError):
                while True:
                    committer.execute("SELECT pg_logical_emit_message(true, 'test', '')")

        house.earn()
        house.mee6.between_pages = lambda _page: holder.execute("BEGIN; LOCK TABLE runs IN SHARE MODE")
        house.at = slot
        house.daemon.tell(slot)
        until_waiting(looker)
        looker.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        looker.execute("SELECT pg_reload_conf()")
        pool.submit(commit_on)
        until_waiting(looker, 1, FOR_A_STANDBY)
        holder.execute("ROLLBACK")
        until_waiting(looker, 2, FOR_A_STANDBY)
        looker.execute("ALTER SYSTEM RESET synchronous_standby_names")
        house.server.restart()
    house.daemon.rest()
    house.mee6.between_pages = None
    assert house.daemon.told()[-1].endswith(
        "it is not known whether that succeeded: do the same again; nothing is written twice"
    )
    assert house.outcomes() == ["synced", "synced"]
    house.pass_to(slot + LEASED_FOR + MINUTE)
    house.pass_to(slot + QUARTER)
    assert [slot_of(request.at) for request in house.mee6.requests] == [BEGINS_AT, slot, slot + QUARTER]
    house.assert_exact(2)


def test_a_daemon_that_finds_no_server_says_so_and_ends(house: House) -> None:
    """Without a server the daemon ends with the exit code of a failed store; started again with one, it syncs."""
    house.daemon.kill()
    house.earn()
    house.stop_server()
    assert house.start().end() == STORE_FAILED
    (told,) = house.daemon.told()[2:]
    assert told.startswith("trc-engage: postgresql://postgres@")
    assert told.endswith(NO_SERVER)
    house.server.start()
    house.at += QUARTER
    house.start().rest()
    assert house.outcomes() == ["synced", "synced"]
    house.assert_exact(2)


def test_an_award_while_the_server_is_away_fails_at_once(house: House) -> None:
    """Awards fail at once while the server is away, and the same pool pays each of them once when it is back."""
    names = list(IDS)

    def award(number: int) -> None:
        name = names[number % len(names)]
        house.engage.award(name, source="benchmark", points=1, key=f"run:{number}", at=house.at)

    def refused(number: int) -> str:
        with pytest.raises(LedgerFailed) as caught:
            award(number)
        return str(caught.value)

    with closing(house.stranger()) as holder, closing(house.stranger()) as looker, ThreadPoolExecutor(9) as pool:
        list(pool.map(award, range(9)))
        holder.execute(f"SELECT pg_advisory_lock({house.lock_key})")
        waiting = pool.submit(award, 9)
        until_waiting(looker)
        stopped_at = monotonic()
        house.stop_server()
        with pytest.raises(LedgerBusy, match="the connection was lost, and nothing was written"):
            waiting.result()
        (told,) = set(pool.map(refused, range(9, 27)))
        assert told.endswith(NO_SERVER)
        assert monotonic() - stopped_at < AT_ONCE_SECONDS
        house.server.start()
        list(pool.map(award, range(27)))
    house.earn()
    house.pass_to(BEGINS_AT + QUARTER)
    house.assert_exact(2 + 9)
