"""When a newer version migrates a store that an older one has open, nothing is ever half counted."""

import shutil
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
from support.community import IDS, Community
from support.postgres import schema, server_dsn
from support.stores import SHARED
from support.versions import PRESENT, UNBALANCED_DAYS, Version, newer_tree
from trc_engage import LedgerFailed
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sqlite import SqliteLedger

AWARDS = 200


@frozen
class House:
    """A store that processes of both versions open."""

    kind: str
    place: str
    schema: str

    def older(self) -> Version:
        """Open it by the present version, in a process."""
        return Version(PRESENT, self.kind, self.place, self.schema)

    def newer(self) -> Version:
        """Open it by the next version, in a process, which migrates it."""
        return Version(newer_tree(), self.kind, self.place, self.schema)

    def open(self) -> SqliteLedger | PostgresLedger:
        """Open it by the present version, in this process."""
        if self.kind == "sqlite":
            return SqliteLedger.open(self.place)
        return PostgresLedger.open(self.place, schema=self.schema)

    def run(self, statement: str) -> Any:
        """Run a statement by hand, and return the first row of its result."""
        if self.kind == "sqlite":
            with closing(sqlite3.connect(self.place, isolation_level=None)) as connection:
                return connection.execute(statement).fetchone()
        with psycopg.connect(self.place, autocommit=True) as stranger:
            stranger.execute(f"SET search_path = {self.schema}")
            cursor = stranger.execute(statement.encode())
            return cursor.fetchone() if cursor.description else None

    def become_newer(self) -> None:
        """Let the next version migrate it."""
        with self.newer():
            pass

    def assert_all_days_add_up(self) -> None:
        """Check the sums that only the newer version keeps."""
        assert self.run(UNBALANCED_DAYS) == (0,)

    @property
    def address(self) -> str:
        """The value of `TRC_ENGAGE_STORE`."""
        return self.place if self.kind == "sqlite" else f"{self.place}&schema={self.schema}"


@pytest.fixture(params=SHARED)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """Yield a store of either kind that does not exist yet."""
    if request.param == "sqlite":
        yield House("sqlite", str(tmp_path / "engage.db"), "")
        return
    with schema() as name:
        yield House("postgres", server_dsn(), name)


def awards(version: Version, name: str) -> dict[str, tuple[str, Any]]:
    """Let a version award to each member in turn, and return how each award ended, by its key."""
    names = list(IDS)
    keys = [f"{name}:{number}" for number in range(AWARDS)]
    return {key: version.award(names[number % len(names)], key) for number, key in enumerate(keys)}


def done(ended: dict[str, tuple[str, Any]]) -> set[str]:
    """Return the keys of the awards that were not refused."""
    return {key for key, (outcome, _) in ended.items() if outcome == "done"}


def test_an_award_of_two_versions_is_refused_or_counted_everywhere(house: House) -> None:
    """Once a newer version has migrated the store, each award of the older one is refused, and none is half counted."""
    with house.older() as older:
        for name in IDS:
            assert older.do("enroll", name)[0] == "done"
        keys = {f"before:{number}" for number in range(20)}
        assert {older.award("ada", key)[0] for key in keys} == {"done"}
        with house.newer() as newer, ThreadPoolExecutor(2) as pool:
            old = pool.submit(awards, older, "old")
            new = awards(newer, "new")
            ended = old.result()
            assert (len(done(new)), len(ended)) == (AWARDS, AWARDS)
            newer.assert_counted_everywhere(keys | done(new) | done(ended))
            house.assert_all_days_add_up()
            assert done(ended) == set()
            assert all("upgrade trc-engage" in message for _, message in ended.values())


def test_a_version_that_comes_in_the_middle_of_awards_loses_none(house: House) -> None:
    """Each award of the older version before the migration is counted, also in the new sums; later ones are refused."""
    with house.older() as older, ThreadPoolExecutor(1) as pool:
        for name in IDS:
            older.do("enroll", name)
        old = pool.submit(awards, older, "old")
        with house.newer() as newer:
            ended = old.result()
            newer.assert_counted_everywhere(done(ended))
            house.assert_all_days_add_up()


def test_an_older_version_is_kept_from_all_that_would_spoil_a_store(house: House) -> None:
    """Every write of the older version is refused, and what the newer one has written stays correct."""
    with house.older() as older:
        for name in ("ada", "bo"):
            older.do("enroll", name, discord_id=IDS[name])
        with house.newer() as newer:
            acts: list[tuple[str, list[str], dict[str, Any]]] = [
                ("enroll", ["cy"], {}),
                ("enroll", ["dee"], {"discord_id": IDS["dee"]}),
                ("hide", ["bo"], {}),
                ("unlink", ["bo"], {}),
                ("forget", ["bo"], {}),
                ("adjust", ["ada"], {"points": 5, "key": "k", "reason": "r", "by": "b"}),
            ]
            for name, values, options in acts:
                outcome, message = older.do(name, *values, **options)
                assert (outcome, "upgrade trc-engage" in message) == ("refused", True), name
                newer.assert_counted_everywhere()
            assert older.do("standing", "ada")[0] == "done"
            older.do("settle")
            assert newer.award("ada", "still")[0] == "done"
            newer.assert_counted_everywhere({"still"})
            house.assert_all_days_add_up()


@pytest.mark.parametrize("ends", ["well", "ill"])
def test_a_rolling_deploy_breaks_nothing(house: House, ends: str) -> None:
    """A sync of the older version during which the newer one migrates is refused, and the next sync pays once."""
    with house.older() as older:
        for name in ("ada", "bo"):
            older.do("enroll", name, discord_id=IDS[name])
        for xp in (1_000, 1_300):
            older.say(["sync", [], {"fresh": True}])
            assert older.heard() == "reading"
            older.say({IDS["ada"]: xp, IDS["bo"]: xp})
            assert older.heard()[0] == "done"
        older.say(["sync", [], {"fresh": True}])
        assert older.heard() == "reading"
        with house.newer() as newer:
            outcome, message = newer.do("sync", fresh=True)
            assert (outcome, "is at work since" in message) == ("refused", True)
            assert newer.award("ada", "meanwhile")[0] == "done"
            older.say({IDS["ada"]: 1_500, IDS["bo"]: 1_500} if ends == "well" else None)
            assert older.heard()[0] == "refused"
            newer.assert_counted_everywhere()
            older.process.kill()
            older.process.wait()
            newer.say(["sync", [], {"fresh": True}])
            assert newer.heard() == "reading"
            newer.say({IDS["ada"]: 1_500, IDS["bo"]: 1_500})
            assert newer.heard()[0] == "done"
            newer.assert_counted_everywhere()
    assert house.run("SELECT sum(points) FROM balances WHERE member_id = 'ada'") == (5 + 3,)
    assert house.run("SELECT sum(points) FROM balances WHERE member_id = 'bo'") == (5,)


def rebalanced(ledger: Any) -> object:
    """Recompute the balances."""
    return ledger.rebalance()


WRITES: dict[str, Callable[[Community], object]] = {
    "award": lambda community: community.award("ada", "late"),
    "enroll": lambda community: community.engage.enroll("bo"),
    "sync": lambda community: community.sync(ada=2_000),
    "run due": lambda community: community.run(timedelta(days=2)),
    "excuse": lambda community: community.engage.excuse(date(2026, 3, 4), reason="fair", by="admin"),
    "forget": lambda community: community.engage.forget("ada"),
    "repair": lambda community: rebalanced(community.ledger),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_store_that_became_newer_is_read_and_not_written(house: House, write: Callable[[Community], object]) -> None:
    """Every write to a migrated store is refused with the advice to upgrade; reads give the same as before."""
    with house.open() as ledger:
        community = Community(ledger).begun()
        community.award("ada", "early")

        def read() -> list[object]:
            feed = ledger.feed(after=0, limit=9)
            return [ledger.members(), feed, ledger.activity(date.max), ledger.holdings(), ledger.run_state()]

        before = read()
        house.become_newer()
        with pytest.raises(LedgerFailed, match=r"schema 2.*nothing was touched: upgrade trc-engage"):
            write(community)
        assert read() == before
        with ThreadPoolExecutor(3) as pool:
            # On connections that are opened only now, too.
            assert list(pool.map(community.points, ["ada"] * 9)) == [12] * 9


def test_what_cannot_be_read_of_a_newer_store_is_no_damage(house: House) -> None:
    """A table that a newer version renamed is reported as a newer store, not as damage."""
    with house.open() as ledger:
        community = Community(ledger).begun()
        house.become_newer()
        house.run("ALTER TABLE balances RENAME TO sums_of_members")
        with pytest.raises(LedgerFailed, match=r"schema 2.*upgrade trc-engage"):
            community.engage.members()


def test_a_caller_who_joined_is_told_too() -> None:
    """A joined write is refused too, and the caller's transaction can go on."""
    with (
        schema() as name,
        PostgresLedger.open(server_dsn(), schema=name) as ledger,
        psycopg.connect(server_dsn()) as connection,
    ):
        Community(ledger).begun()
        joined = Community(PostgresLedger.open(connection=connection, schema=name))
        connection.commit()
        House("postgres", server_dsn(), name).become_newer()
        with pytest.raises(LedgerFailed, match="upgrade trc-engage"):
            joined.award("ada", "late")
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert joined.points("ada") == 2


@pytest.mark.parametrize(
    "command", [["doctor"], ["doctor", "--repair"], ["status"], ["sync"], ["show", "ada"], ["backup", "copy.db"]]
)
def test_every_command_says_to_upgrade_a_newer_store(house: House, tmp_path: Path, command: list[str]) -> None:
    """Every command fails with exit code 74 and the advice to upgrade, and does not speak of restoring a backup."""
    if (house.kind, command[0]) == ("postgres", "backup"):
        pytest.skip("a store on a server is backed up by pg_dump")
    with house.open() as ledger:
        Community(ledger).begun()
    house.become_newer()
    operator = Operator(tmp_path)
    operator.env["TRC_ENGAGE_STORE"] = house.address
    operator.env["TRC_ENGAGE_GUILD_ID"] = "1"
    ran = operator.call(*command)
    assert ran.code == 74
    assert "upgrade trc-engage" in ran.err
    assert "put back" not in ran.err
    assert not (tmp_path / "copy.db").exists()


def test_a_doctor_of_an_older_store_says_what_to_do(house: House, tmp_path: Path) -> None:
    """The doctor does not migrate an older store but names `migrate`, and finds nothing after it."""
    with house.older() as older:
        older.do("enroll", "ada")
    operator = Operator(tmp_path)
    operator.env |= {"TRC_ENGAGE_STORE": house.address, "PYTHONPATH": str(newer_tree())}
    ran = operator.run("doctor")
    assert (ran.code, "`trc-engage migrate`" in ran.err) == (74, True)
    assert operator.run("migrate").code == 0
    assert operator.run("doctor").code == 0


def test_an_old_backup_that_is_put_back_is_brought_up_to_date(tmp_path: Path) -> None:
    """A running program migrates an old backup that is put in the store's place."""
    house = House("sqlite", str(tmp_path / "engage.db"), "")
    with house.older() as older:
        older.do("enroll", "ada")
        older.award("ada", "early")
    shutil.copy(house.place, tmp_path / "backup.db")
    with house.newer() as newer:
        newer.award("ada", "lost")
        (tmp_path / "backup.db").replace(house.place)
        assert newer.award("ada", "late")[0] == "done"
        newer.assert_counted_everywhere({"early", "late"})
        house.assert_all_days_add_up()


def test_many_processes_bring_a_store_up_to_date_at_once(house: House) -> None:
    """When four processes open an older store at once, one migrates it and all can award."""
    with house.older() as older:
        older.do("enroll", "ada")
        older.award("ada", "early")
    with ThreadPoolExecutor(4) as pool:
        several = list(pool.map(lambda _: house.newer(), range(4)))
    for number, one in enumerate(several):
        with one:
            assert one.award("ada", f"late:{number}")[0] == "done"
    house.assert_all_days_add_up()


def unreleased(house: House, age: str) -> None:
    """Create a store as it was before the first release, either long before it or shortly."""
    if house.kind == "sqlite":
        house.open().close()
        house.run(f"PRAGMA application_id = {0x54524345 if age == 'old' else 0x74726365}")
        house.run(f"PRAGMA user_version = {4 if age == 'old' else 1}")
    elif age == "recent":
        house.open().close()
        house.run("CREATE TABLE roster_failures (run_id BIGINT)")
    else:
        house.run(f"CREATE SCHEMA {house.schema}")
        house.run("CREATE TABLE migrations (version BIGINT PRIMARY KEY)")
        house.run("INSERT INTO migrations VALUES (4)")
        house.run("CREATE TABLE claims (task TEXT PRIMARY KEY)")


@pytest.mark.parametrize("age", ["old", "recent"])
@pytest.mark.parametrize(
    "command", [["status"], ["doctor"], ["show", "ada"], ["members", "enroll", "ada"], ["backup", "copy.db"]]
)
def test_a_store_that_no_release_wrote_is_refused(house: House, tmp_path: Path, command: list[str], age: str) -> None:
    """A store from before the first release is refused with exit code 74, a message that says so, and no change."""
    if (house.kind, command[0]) == ("postgres", "backup"):
        pytest.skip("a store on a server is backed up by pg_dump")
    unreleased(house, age)
    before = Path(house.place).read_bytes() if house.kind == "sqlite" else b""
    operator = Operator(tmp_path)
    operator.env["TRC_ENGAGE_STORE"] = house.address
    ran = operator.call(*command)
    assert ran.code == 74
    assert "from before its first release, whose stores are not carried over" in ran.err
    assert not (tmp_path / "copy.db").exists()
    if house.kind == "sqlite":
        assert Path(house.place).read_bytes() == before


def test_another_programs_migrations_are_not_taken_for_ours(house: House, tmp_path: Path) -> None:
    """A table named `migrations` in another program's database or schema is not mistaken for an old store."""
    if house.kind == "sqlite":
        house.run("CREATE TABLE migrations (version)")
    else:
        house.run(f"CREATE SCHEMA {house.schema}")
        house.run("CREATE TABLE migrations (version BIGINT)")
    operator = Operator(tmp_path)
    operator.env["TRC_ENGAGE_STORE"] = house.address
    ran = operator.call("members", "enroll", "ada")
    assert (ran.code, "another program" in ran.err) == (74, True)
