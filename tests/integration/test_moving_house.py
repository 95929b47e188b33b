"""Moving a whole store from a file to a server and back changes nothing that can be read from it."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import psycopg

from support.command import Operator
from support.community import Community
from support.postgres import schema, server_dsn
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sql.tables import COPIED
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core.incidents import SentNotice
from trc_engage.core.ports import AuditedStore
from trc_engage.core.posting import Posting
from trc_engage.core.slots import SlotEnd

LEFT_BEHIND = {
    *("leases", "requests", "schema_migrations"),
    *("points_by_month", "_sqlite_migrations", "sqlite_sequence", "sqlite_stat1"),
}


def lived_in(ledger: AuditedStore) -> Community:
    """Make the ledger hold a little of everything, and return its community."""
    community = Community(ledger)
    community.enroll("ada", "bo", "cy", "dee")
    community.sync(ada=1_000, bo=900, cy=0)
    community.sync(ada=1_250, bo=700, cy=None)
    community.award("ada", "run:1", points=50)
    community.award("bo", "run:2")
    engage = community.engage
    engage.reverse("run:2", reason="withdrawn", by="admin")
    engage.adjust("cy", points=-3, key="fix", reason="tabs\tand\nlines \\ N", by="admin")
    engage.hide("bo")
    engage.forget("dee")
    engage.unlink("cy")
    engage.excuse(date(2026, 3, 6), reason="a holiday", by="admin")
    community.sync(timedelta(days=2), ada=1_400, bo=700)
    engage.settle()
    told = SentNotice("webhook", "source", "alert", community.now, community.now)
    ledger.post(Posting(community.now, slot=SlotEnd(community.now, "synced", community.now), sent=[told]))
    return community


def told(ledger: AuditedStore) -> tuple[object, ...]:
    """Return everything that a store can be asked for."""
    return (
        ledger.holdings(),
        ledger.members(),
        ledger.feed(after=0, limit=1_000),
        ledger.run_state().sync,
        ledger.run_state().notices_sent,
        ledger.run_state().last_slot,
        ledger.calendar(),
        ledger.ranking(date(2026, 3, 1), limit=10),
    )


def test_a_store_moves_to_a_server_and_back(tmp_path: Path) -> None:
    """Balances, streaks and positions are the same after each move, and new numbers continue where they were."""
    operator = Operator(tmp_path)
    old, new = tmp_path / "engage.db", tmp_path / "again.db"
    with SqliteLedger.open(old) as ledger:
        lived_in(ledger)
        before = told(ledger)
    with schema() as name:
        url = f"{server_dsn()}{'&' if '?' in server_dsn() else '?'}schema={name}"
        there = operator.run("migrate-store", str(old), url)
        assert (there.code, there.err.startswith("created a store at postgresql://")) == (0, True)
        assert len(there.err.splitlines()) == 1
        assert there.out.startswith("copied: 4 members, 4 accounts, ")
        back = operator.run("migrate-store", url, str(new))
        assert (back.code, back.out) == (0, there.out)
        with PostgresLedger.open(server_dsn(), schema=name) as moved, SqliteLedger.open(new) as again:
            assert told(moved) == told(again) == before
            goes_on(moved)
            goes_on(again)
            assert told(moved) == told(again) != before
            assert moved.irregularities() == again.irregularities() == []


def goes_on(ledger: AuditedStore) -> None:
    """Add a member, an award, a sync and a settlement, starting three days later."""
    community = Community(ledger)
    community.now += timedelta(days=3)
    community.engage.enroll("eli", discord_id="9", name="Eli")
    community.award("eli", "run:3")
    community.sync(ada=1_600, bo=700)
    community.engage.settle()


def test_a_store_that_holds_something_is_not_moved_into(tmp_path: Path) -> None:
    """Moving into a store that is not empty, or from one that does not exist, is refused and creates no store."""
    operator = Operator(tmp_path)
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    for path in (old, new):
        with SqliteLedger.open(path) as ledger:
            Community(ledger).enroll("ada")
    refused = operator.call("migrate-store", str(old), str(new))
    assert (refused.code, "is not empty" in refused.err) == (74, True)
    assert operator.call("migrate-store", str(tmp_path / "none.db"), str(tmp_path / "new2.db")).code == 74
    assert not (tmp_path / "new2.db").exists()


def test_everything_is_copied(tmp_path: Path) -> None:
    """Every table and column of both databases is copied, except leases, requests and those of the database itself."""
    ours = {table.name: set(table.columns) for table in COPIED}
    path = tmp_path / "engage.db"
    SqliteLedger.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        in_file = {
            name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
            for name in names
            if name not in LEFT_BEHIND
        }
    assert in_file == ours
    on_server: dict[str, set[str]] = {}
    columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s"
    with schema() as name, PostgresLedger.open(server_dsn(), schema=name), psycopg.connect(server_dsn()) as connection:
        for table, column in connection.execute(columns, [name]):
            if table not in LEFT_BEHIND:
                on_server.setdefault(table, set()).add(column)
    assert on_server == ours


def test_a_store_on_a_server_is_run_from_the_command_line(tmp_path: Path) -> None:
    """The commands work on a PostgreSQL store, except `backup`, which names `pg_dump` instead."""
    operator = Operator(tmp_path)
    with schema() as name:
        operator.env["TRC_ENGAGE_STORE"] = f"{server_dsn()}{'&' if '?' in server_dsn() else '?'}schema={name}"
        missing = operator.call("doctor")
        assert (missing.code, "there is no store" in missing.err) == (74, True)
        assert operator.call("members", "enroll", "m-1", "--name", "Ada").code == 0
        assert operator.call("show", "m-1", "--json").json["member_id"] == "m-1"
        assert operator.call("doctor").out == "audited 1 member, 0 accounts, 0 entries: all is well\n"
        assert operator.call("status", "--json").json["members"] == 1
        assert operator.call("export", "members", "--json").json["member_id"] == "m-1"
        refused = operator.call("backup", "copy.db")
        assert (refused.code, "pg_dump" in refused.err) == (78, True)


def test_without_the_extra_it_is_said_what_to_install(tmp_path: Path) -> None:
    """Without psycopg the error says which extra to install, and does not show the address's password."""
    operator = Operator(tmp_path)
    (tmp_path / "without" / "psycopg").mkdir(parents=True)
    (tmp_path / "without" / "psycopg" / "__init__.py").write_text("raise ImportError('no such module')")
    operator.env["PYTHONPATH"] = f"{tmp_path / 'without'}:{operator.env['PYTHONPATH']}"
    ran = operator.run("show", "m-1", env={"TRC_ENGAGE_STORE": "postgresql://trc:hunter2@db/engage"})
    assert (ran.code, "pip install 'trc-engage[postgres]'" in ran.err, "hunter2" in ran.err) == (78, True, False)
