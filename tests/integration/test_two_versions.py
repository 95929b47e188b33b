"""A newer version has brought the store up to date while an older one has it open: nothing is ever half counted."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import frozen

from support.command import Operator
from support.community import IDS, MONDAY, Community
from support.older import SCHEMA_2, SCHEMA_3, Older, wheel_of
from support.postgres import schema, server_dsn
from support.stores import SHARED
from trc_engage import Engage, LedgerBusy, LedgerFailed
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sql.posting import SqlLedger
from trc_engage.adapters.sqlite import SqliteLedger

AWARDS = 200
OLDER = pytest.mark.parametrize("commit", [SCHEMA_2, SCHEMA_3])


@frozen
class House:
    """A store that processes of any version open."""

    kind: str
    place: str
    schema: str

    def older(self, commit: str) -> Older:
        """Let an older version open it."""
        return Older(wheel_of(commit), self.kind, self.place, self.schema)

    def open(self) -> SqliteLedger | PostgresLedger:
        """Open it as this version, which brings it up to date."""
        if self.kind == "sqlite":
            return SqliteLedger.open(self.place)
        return PostgresLedger.open(self.place, schema=self.schema)

    def open_read_only(self) -> SqliteLedger | PostgresLedger:
        """Open it to look at it."""
        if self.kind == "sqlite":
            return SqliteLedger.open_read_only(self.place)
        return PostgresLedger.open_read_only(self.place, schema=self.schema)

    def run(self, statement: str) -> None:
        """Do something by hand."""
        if self.kind == "sqlite":
            with closing(sqlite3.connect(self.place, isolation_level=None)) as connection:
                connection.execute(statement)
        else:
            with psycopg.connect(self.place, autocommit=True) as stranger:
                stranger.execute(f"SET search_path = {self.schema}; {statement}".encode())

    def become_newer(self) -> None:
        """Let a version that is not written yet bring it up to date."""
        if self.kind == "postgres":
            self.run("INSERT INTO migrations VALUES (99)")
            return
        columns = "migration_set, name, applied_at"
        for number in range(5, 100):
            self.run(f"INSERT INTO _sqlite_migrations ({columns}) VALUES ('trc-engage', '{number}', '')")  # noqa: S608
        self.run("PRAGMA user_version = 99")

    @property
    def address(self) -> str:
        """What `TRC_ENGAGE_STORE` holds."""
        return self.place if self.kind == "sqlite" else f"{self.place}&schema={self.schema}"


@pytest.fixture(params=SHARED)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """Lend a store of either kind, which is not there yet."""
    if request.param == "sqlite":
        yield House("sqlite", str(tmp_path / "engage.db"), "")
        return
    with schema() as name:
        yield House("postgres", server_dsn(), name)


def assert_counted_everywhere(ledger: SqlLedger, keys: set[str]) -> None:
    """Entries, balances, sums by month, leaderboard, feed and doctor: all tell of the same awards, of 3 points."""
    engage = Engage(ledger=ledger, clock=lambda: MONDAY)
    entries = ledger.feed(after=0, limit=100_000)
    assert {entry.key for entry in entries if entry.key} == keys
    for standing in engage.members():
        mine = [entry for entry in entries if entry.member_id == standing.member_id]
        points = sum(entry.points for entry in mine)
        assert standing.points == points
        for month in (None, date(2026, 3, 1)):
            rank = ledger.rank_of(standing.member_id, month)
            assert rank is not None
            assert rank.points == points
    assert sum(rank.points for rank in engage.leaderboard()) == 3 * len(keys)
    assert engage.audit().breaches == []
    assert ledger.rebalance() == []


@OLDER
def test_an_award_of_two_versions_is_refused_or_counted_everywhere(house: House, commit: str) -> None:
    """200 of each, the older one at work from before: none of its awards is ever half there."""
    with house.older(commit) as older:
        for name in IDS:
            assert older.do("enroll", name)[0] == "done"
        keys = {f"before:{number}" for number in range(20)}
        assert {older.award("ada", key)[0] for key in keys} == {"done"}
        with house.open() as ledger, ThreadPoolExecutor(2) as pool:
            engage = Engage(ledger=ledger, clock=lambda: MONDAY)
            names = list(IDS)

            def award(number: int) -> str:
                key = f"new:{number}"
                engage.award(names[number % len(names)], source="new", points=3, key=key, at=MONDAY)
                return key

            def award_of_old(number: int) -> tuple[str, tuple[str, str]]:
                return f"old:{number}", older.award(names[number % len(names)], f"old:{number}")

            old = pool.submit(lambda: [award_of_old(number) for number in range(AWARDS)])
            keys |= {award(number) for number in range(AWARDS)}
            said = old.result()
            keys |= {key for key, (outcome, _) in said if outcome == "done"}
            assert len(said) == AWARDS
            assert_counted_everywhere(ledger, keys)
            assert {outcome for _, (outcome, _) in said} == {"refused"}


@OLDER
def test_an_older_version_is_kept_from_all_that_would_spoil_a_store(house: House, commit: str) -> None:
    """Whatever it still does is sound, or refused; the doctor finds nothing."""
    with house.older(commit) as older, house.open() as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        acts: list[tuple[Any, ...]] = [
            ("enroll", "cy"),
            ("enroll", "dee", {"discord_id": IDS["dee"]}),
            ("hide", "bo"),
            ("unlink", "bo"),
            ("forget", "bo"),
            ("settle",),
            ("adjust", "ada", {"points": 5, "key": "k", "reason": "r", "by": "b"}),
        ]
        for name, *values in acts:
            options = values.pop() if values and isinstance(values[-1], dict) else {}
            older.do(name, *values, **options)
            assert community.engage.audit().breaches == [], name
        assert community.award("ada", "still").outcome == "awarded"
        assert community.engage.audit().breaches == []


@OLDER
@pytest.mark.parametrize("ends", ["well", "ill"])
def test_a_rolling_deploy_breaks_nothing(house: House, commit: str, ends: str) -> None:
    """The older version reads a board while the newer one comes: its read is given up, and the next is paid once."""
    with house.older(commit) as older:
        for name in ("ada", "bo"):
            older.do("enroll", name, discord_id=IDS[name])
        for xp in (1_000, 1_300):
            older.say(["sync", [], {"fresh": True}])
            assert older.heard() == "reading"
            older.say({IDS["ada"]: xp, IDS["bo"]: xp})
            assert older.heard()[0] == "done"
        older.say(["sync", [], {"fresh": True}])
        assert older.heard() == "reading"
        with house.open() as ledger:
            community = Community(ledger)
            community.xp = {"ada": 1_500, "bo": 1_500}
            with pytest.raises(LedgerBusy, match="is at work since"):
                community.engage.sync(fresh=True)
            community.award("ada", "meanwhile", points=3)
            older.say({IDS["ada"]: 1_500, IDS["bo"]: 1_500} if ends == "well" else None)
            assert older.heard()[0] == "refused"
            assert community.engage.audit().breaches == []
            older.process.kill()
            older.process.wait()
            community.engage.sync(fresh=True)
            assert (community.points("ada"), community.points("bo")) == (5 + 3, 5)
            assert community.engage.audit().breaches == []


def rebalanced(ledger: Any) -> object:
    """Make the balances anew."""
    return ledger.rebalance()


WRITES: dict[str, Callable[[Community], object]] = {
    "award": lambda community: community.award("ada", "late"),
    "enroll": lambda community: community.engage.enroll("bo"),
    "sync": lambda community: community.sync(ada=2_000),
    "run due": lambda community: community.run(timedelta(days=2)),
    "excuse": lambda community: community.engage.excuse(date(2026, 3, 4), reason="fair"),
    "forget": lambda community: community.engage.forget("ada"),
    "repair": lambda community: rebalanced(community.ledger),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_store_that_became_newer_is_read_and_not_written(house: House, write: Callable[[Community], object]) -> None:
    """Nothing is written, whatever it is, and the error says to upgrade; what one reads is told as before."""
    with house.open() as ledger:
        community = Community(ledger).begun()
        community.award("ada", "early")
        told = [
            ledger.members(),
            ledger.feed(after=0, limit=9),
            ledger.run_state().notices_sent,
            ledger.streaks(),
            ledger.holdings(),
        ]
        house.become_newer()
        with pytest.raises(LedgerFailed, match=r"schema 99.*nothing was touched: upgrade trc-engage"):
            write(community)
        assert told == [
            *(
                ledger.members(),
                ledger.feed(after=0, limit=9),
                ledger.run_state().notices_sent,
                ledger.streaks(),
                ledger.holdings(),
            )
        ]
        with ThreadPoolExecutor(3) as pool:
            # On connections that are made only now, too.
            assert list(pool.map(community.points, ["ada"] * 9)) == [12] * 9


def test_what_cannot_be_read_of_a_newer_store_is_no_damage(house: House) -> None:
    """A table that a newer version has renamed is not lost: upgrade, and put back no backup."""
    with house.open() as ledger:
        community = Community(ledger).begun()
        house.become_newer()
        house.run("ALTER TABLE member_balances RENAME TO sums_of_members")
        with pytest.raises(LedgerFailed, match=r"schema 99.*upgrade trc-engage"):
            community.engage.members()


def test_a_caller_who_joined_is_told_too() -> None:
    """His transaction goes on without us."""
    with (
        schema() as name,
        PostgresLedger.open(server_dsn(), schema=name) as ledger,
        psycopg.connect(server_dsn()) as connection,
    ):
        Community(ledger).begun()
        joined = Community(PostgresLedger.open(connection=connection, schema=name))
        House("postgres", server_dsn(), name).become_newer()
        with pytest.raises(LedgerFailed, match="upgrade trc-engage"):
            joined.award("ada", "late")
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert joined.points("ada") == 2


@pytest.mark.parametrize("command", [["doctor"], ["doctor", "--repair"], ["status"], ["sync"], ["show", "ada"]])
def test_every_command_says_to_upgrade_a_newer_store(house: House, tmp_path: Path, command: list[str]) -> None:
    """No word of damage or of backups."""
    with house.open() as ledger:
        Community(ledger).begun()
    house.become_newer()
    operator = Operator(tmp_path)
    operator.env["TRC_ENGAGE_STORE"] = house.address
    operator.env["TRC_ENGAGE_GUILD_ID"] = "1"
    ran = operator.call(*command)
    assert ran.code == 74
    assert "upgrade trc-engage" in ran.err
    assert "backup" not in ran.err


@OLDER
def test_a_doctor_of_an_older_store_says_what_to_do(house: House, tmp_path: Path, commit: str) -> None:
    """He may not bring it up to date: open it once, and he finds it well."""
    with house.older(commit) as older:
        older.do("enroll", "ada")
    operator = Operator(tmp_path)
    operator.env["TRC_ENGAGE_STORE"] = house.address
    ran = operator.call("doctor")
    assert ran.code == 74
    assert "open it once with `trc-engage status`" in ran.err
    assert operator.call("status").code in {0, 1}
    assert operator.call("doctor").code == 0
