"""A store is created on purpose, by its owner or a DBA, and needs no more rights than the documentation names."""

import re
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from attrs import frozen
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from support.command import ADA, Operator
from support.community import Community
from support.postgres import admin, schema, server_dsn
from support.receiver import received
from support.versions import newer_tree
from trc_engage import LedgerFailed, Newcomer, StoreMissing, StoreOutdated
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return an operator in an empty folder."""
    return Operator(tmp_path)


@pytest.fixture
def place() -> Iterator[str]:
    """Yield the name of a schema that does not exist yet."""
    with schema() as name:
        yield name


def address(place: str) -> str:
    """Return what `TRC_ENGAGE_STORE` holds for a schema."""
    return f"{server_dsn()}{'&' if '?' in server_dsn() else '?'}schema={place}"


def test_init_makes_a_file_for_its_owner_alone(operator: Operator) -> None:
    """`init` creates a store that only its owner can read and says what is next; a second time it changes nothing."""
    ran, store = operator.run("init"), operator.folder / "engage.db"
    assert (ran.code, ran.err, stat.S_IMODE(store.stat().st_mode)) == (0, "", 0o600)
    assert ran.out.splitlines()[0] == f"created a store at {store}"
    assert "next: enroll members" in ran.out
    before = store.read_bytes()
    again = operator.call("init")
    assert (again.code, again.out.splitlines()[0]) == (0, f"the store exists already: {store}")
    assert store.read_bytes() == before
    assert operator.call("members", "enroll", "m-1", "--discord-id", ADA).err == ""


def test_init_lays_out_a_schema(operator: Operator, place: str) -> None:
    """On PostgreSQL, `migrate` fails before `init`; after it, members can be enrolled and ranked."""
    env = {"TRC_ENGAGE_STORE": address(place)}
    assert operator.call("migrate", env=env).code == 74
    assert operator.call("init", env=env).code == 0
    assert operator.call("migrate", env=env).out.endswith("is up to date\n")
    assert operator.call("members", "enroll", "m-1", env=env).err == ""
    assert operator.call("leaderboard", env=env).code == 0


def test_the_sql_lays_out_the_same_store(operator: Operator, place: str) -> None:
    """`migrate --sql` prints SQL that creates the store in a transaction of your own and restores its search path."""
    env = {"TRC_ENGAGE_STORE": address(place)}
    sql = operator.call("migrate", "--sql", env=env).out
    assert sql == PostgresLedger.migration(server_dsn(), schema=place)
    with pytest.raises(StoreMissing):
        PostgresLedger.open(server_dsn(), schema=place, create=False)
    with psycopg.connect(server_dsn()) as connection:
        connection.execute(sql.encode())
        assert connection.execute("SHOW search_path").fetchone() == ('"$user", public',)
    with PostgresLedger.open(server_dsn(), schema=place, create=False) as ledger:
        assert Community(ledger).begun().points("ada") == 2
        assert ledger.irregularities() == []
    assert (operator.call("migrate", "--sql", env=env).out, PostgresLedger.migration(server_dsn(), schema=place)) == (
        "",
        "",
    )


def test_a_file_needs_no_dba(operator: Operator) -> None:
    """`migrate --sql` refuses a SQLite store, because its owner upgrades the file."""
    operator.call("init")
    ran = operator.call("migrate", "--sql")
    assert (ran.code, "PostgreSQL" in ran.err) == (2, True)


@frozen
class Older:
    """A store of the present version, and the next version's command line."""

    operator: Operator
    store: str

    def newer(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the next version."""
        ran = self.operator.run(*arguments, env={"TRC_ENGAGE_STORE": self.store, "PYTHONPATH": str(newer_tree())})
        return ran.code, ran.out + ran.err


@pytest.fixture(params=["sqlite", "postgres"])
def older(request: pytest.FixtureRequest, operator: Operator, place: str) -> Older:
    """Return a store that is too old for the next version."""
    store = str(operator.folder / "engage.db") if request.param == "sqlite" else address(place)
    assert operator.call("members", "enroll", "m-1", env={"TRC_ENGAGE_STORE": store}).code == 0
    return Older(operator, store)


def test_an_upgrade_is_asked_for(older: Older) -> None:
    """The next version's `status` refuses an older store and names `migrate`, which upgrades it."""
    code, told = older.newer("status")
    assert (code, "`trc-engage migrate`" in told) == (74, True), told
    code, told = older.newer("migrate", "--dry-run")
    assert (code, "has an older schema (1, this version needs 2)" in told, "migrate" in told) == (0, True, False), told
    assert "brought up to date" in older.newer("migrate")[1]
    assert "is up to date" in older.newer("migrate")[1]
    assert older.newer("status")[0] == 1


@pytest.mark.parametrize("command", ["show m-1", "history m-1", "leaderboard", "members list", "export entries"])
def test_what_only_reads_never_upgrades(older: Older, command: str) -> None:
    """The next version's commands that only read refuse an older store and leave it as it is."""
    code, told = older.newer(*command.split())
    assert (code, "`trc-engage migrate`" in told) == (74, True), told
    assert "older schema (1, this version needs 2)" in older.newer("migrate", "--dry-run")[1]


def test_a_program_that_may_not_upgrade_can_tell(place: str) -> None:
    """Opening an older store to read, or on a connection of your own, raises `StoreOutdated`."""
    with PostgresLedger.open(server_dsn(), schema=place):
        admin().execute(f"UPDATE {place}.schema_migrations SET version = 0".encode())  # noqa: S608
    with pytest.raises(StoreOutdated, match="older schema"):
        PostgresLedger.open_read_only(server_dsn(), schema=place)
    with psycopg.connect(server_dsn()) as connection, pytest.raises(StoreOutdated, match="older schema"):
        PostgresLedger.open(connection=connection, schema=place)


@pytest.fixture
def roles(place: str) -> Iterator[dict[str, str]]:
    """Grant two new roles the rights that the documentation names, and yield their addresses."""
    (granted,) = re.findall(r"```sql\n(.*?)```", OPERATIONS.read_text(), re.DOTALL)
    database = conninfo_to_dict(server_dsn())["dbname"]
    names = {name: f"{name}_{place}" for name in ("engage_app", "engage_reader")}
    for name, own in names.items():
        granted = granted.replace(name, own)
    granted = granted.replace("DATABASE trc ", f"DATABASE {database} ")
    with PostgresLedger.open(server_dsn(), schema=place):
        admin().execute(re.sub(r"(SCHEMA |ON )trc_engage\b", rf"\1{place}", granted).encode())
    yield {name: make_conninfo(server_dsn(), user=own) for name, own in names.items()}
    for own in names.values():
        admin().execute(f"DROP OWNED BY {own}; DROP ROLE {own}".encode())


def test_the_granted_rights_are_enough(roles: dict[str, str], place: str) -> None:
    """The documented rights suffice for what a deployment does, and do not allow it to change an entry."""
    with PostgresLedger.open(roles["engage_app"], schema=place) as ledger:
        community = Community(ledger).begun()
        community.enroll("bo", "cy")
        community.award("ada", "run:1")
        engage = community.engage
        engage.reverse("run:1", reason="a mistake", by="admin")
        engage.adjust("bo", points=5, key="gift", reason="thanks", by="admin")
        engage.leave("bo")
        engage.rejoin("bo")
        engage.unlink("cy")
        engage.forget("cy")
        community.run(timedelta(days=3))
        engage.excuse(community.now.date() - timedelta(days=2), reason="holiday", by="admin")
        engage.settle()
        assert engage.repair().audit.is_healthy
        engage.enroll_all([Newcomer(f"m-{number}") for number in range(150)])
        assert (community.points("ada"), community.points("bo")) == (2, 5)
        with pytest.raises(LedgerFailed, match="permission denied"), ledger._database.transaction() as connection:
            connection.execute("UPDATE entries SET points = 0")
    with PostgresLedger.open_read_only(roles["engage_reader"], schema=place) as ledger:
        reading = Community(ledger)
        reading.now = community.now
        assert (reading.points("ada"), reading.engage.audit().is_healthy) == (2, True)
        reading.engage.status()
        with pytest.raises(LedgerFailed):
            reading.award("ada", "run:2")


def test_init_tries_the_board_and_the_alerts(tmp_path: Path) -> None:
    """`init` can read one page of the board, after which the next process waits (R21), and send a test notice."""
    with Mee6Server.start() as server, received() as receiver:
        for number in range(1_001):
            server.board.join(str(80351110224678912 + number), username=f"m{number}", xp=10_000 - number)
        operator = Operator(tmp_path, server)
        operator.env["TRC_ENGAGE_ALERT_WEBHOOK"] = receiver.url
        ran = operator.run("init", "--try-board", "--try-alerts")
        assert (ran.code, len(server.requests), len(receiver.messages)) == (0, 1, 1)
        assert ran.out.splitlines()[1:-1] == [
            "the leaderboard can be read: 1,000 members on its first page",
            *("log: delivered", "webhook: delivered"),
        ]
        assert ran.out.splitlines()[-1].startswith("next: enroll members")
    with SqliteLedger.open(tmp_path / "engage.db") as ledger:
        assert ledger.next_request_at("run") is not None
        assert ledger.run_state().sync.good_at is None


def test_init_says_that_a_board_is_private(tmp_path: Path) -> None:
    """A private board makes `init --try-board` fail, but the store is created and records no failed sync."""
    with Mee6Server.start() as server:
        server.trouble("private")
        operator = Operator(tmp_path, server)
        ran = operator.run("init", "--try-board")
        assert (ran.code, ran.out.splitlines()[0].split()[0]) == (69, "created")
        (told,) = ran.err.splitlines()
        assert "TRC_ENGAGE_MEE6_TOKEN" in told
        assert operator.call("init").out.startswith("the store exists already")
        assert "failed" not in operator.call("status").out
    assert operator.call("init", "--try-board", env={"TRC_ENGAGE_GUILD_ID": ""}).code == 78


def test_init_keeps_away_from_a_board_that_asks_for_it(tmp_path: Path) -> None:
    """A wait that MEE6 asked for also keeps the next process from asking (R21)."""
    with Mee6Server.start() as server:
        server.trouble("rate_limited")
        operator = Operator(tmp_path, server)
        assert [operator.call("init", "--try-board").code for _ in range(2)] == [69, 69]
        assert len(server.requests) == 1
