"""Forgetting (R9): what is erased is nowhere in the store, and no member comes back unless you say so."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from random import Random

import psycopg
import pytest

from support.command import Operator
from support.community import IDS, MONDAY, Community, opened
from support.copies import keeper
from support.postgres import admin, schema, server_dsn
from trc_engage import Engage
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sql.posting import PERSONAL_TABLES, SqlLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.adapters.sqlite.database import SqliteDatabase
from trc_engage.usecases.members import Newcomer

SEEDS = (0, 2, 9)
MEMBERS, FORGOTTEN = 300, 200


def words(random: Random) -> str:
    return " ".join("".join(random.choices("abcdefghijklmnop", k=random.randint(12, 26))).title() for _ in range(3))


def forget_some(path: Path, seed: int) -> Sequence[str]:
    """Forget 200 of 300 members at random; return every text that must no longer be found."""
    random = Random(seed)
    members = [f"m-{number}" for number in random.sample(range(1_000), MEMBERS)]
    said = {one: [str(80351110224678912 + 977 * int(one[2:])), words(random)] for one in members}
    newcomers = [Newcomer(one, *said[one]) for one in members]
    bulk = MEMBERS * 9 // 10
    forgotten = random.sample(members, FORGOTTEN)
    with SqliteLedger.open(path) as ledger:
        with ledger._database.connection() as connection:
            connection.execute("PRAGMA synchronous = OFF")
        engage = Engage(ledger=ledger, clock=lambda: MONDAY)
        engage.enroll_all(newcomers[:bulk])
        for one in newcomers[bulk:]:
            said[one.member_id] += [words(random), words(random)]
            reason, note = said[one.member_id][-2:]
            engage.enroll(one.member_id, discord_id=one.discord_id, name=one.name, reason=reason, note=note)
        for member in forgotten:
            engage.forget(member)
    return [part for one in forgotten for text in said[one] for part in (text, *text.lower().split())]


def traces(path: Path, texts: Sequence[str]) -> list[str]:
    held = path.read_bytes()
    return [text for text in texts if text.encode() in held]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_left_of_200_people_in_the_file(tmp_path: Path, seed: int) -> None:
    """The file has no name, Discord id, reason or note of 200 forgotten members, not even in unused space."""
    path = tmp_path / "engage.db"
    assert traces(path, forget_some(path, seed)) == []


def test_without_wiping_a_gap_keeps_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without wiping, unused space keeps a name, so the test above can find one."""
    monkeypatch.setattr(SqlLedger, "wipe", lambda _: None)
    assert any(traces(path, forget_some(path, seed)) for seed in SEEDS for path in [tmp_path / f"{seed}.db"])


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    operator = keeper(tmp_path / "engage.db")
    operator.call("members", "enroll", "m-1", "--discord-id", IDS["ada"], "--name", "Ada Lovelace")
    operator.call("members", "enroll", "m-2", "--name", "Bo")
    return operator


def test_a_busy_store_is_told_and_wiped_later(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """While others use the store, forgetting succeeds and says what remains, which the same command wipes later."""
    wipe, path = SqliteDatabase.wipe, operator.folder / "engage.db"

    def overtaken(self: SqliteDatabase, tables: Sequence[str]) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT * FROM members").fetchone()
            wipe(self, tables)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteDatabase, "wipe", overtaken)
        patch.setattr("trc_engage.adapters.sqlite.database.BUSY_SECONDS", 0.1)
        told = operator.call("members", "forget", "m-1", "--yes", "--json")
        assert (told.code, told.json["outcome"]) == (0, "forgotten")
        assert "unused space" in told.json["remains"]
        assert "in use by others" in told.err
        assert "run `trc-engage members forget` again" in told.err
    assert operator.call("members", "forget", "m-1", "--yes", "--json").json == {
        "member_id": "m-1",
        "outcome": "unchanged",
    }
    assert operator.call("doctor").code == 0


def test_backups_are_told_of(operator: Operator) -> None:
    assert "backups, replicas and logs" in operator.call("members", "forget", "m-1", "--yes").err


def files_of(name: str) -> bytes:
    """Return what the server's files hold for the tables with personal data."""
    admin().execute("CHECKPOINT")
    query = "SELECT pg_read_binary_file(pg_relation_filepath(%s))"
    found = (admin().execute(query, [f"{name}.{table}"]).fetchall() for table in PERSONAL_TABLES)
    return b"".join(held for ((held,),) in found)


@pytest.fixture
def beside() -> Iterator[tuple[str, PostgresLedger, Community]]:
    with schema() as name, PostgresLedger.open(server_dsn(), schema=name) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.engage.unlink("ada", reason="Rumpelstilzchen", note="Ada Unica")
        yield name, ledger, community


def test_postgresql_keeps_no_old_rows_in_its_files(beside: tuple[str, PostgresLedger, Community]) -> None:
    name, _, community = beside
    assert all(one in files_of(name) for one in (b"Ada", b"Rumpel", IDS["ada"].encode()))
    assert community.engage.forget("ada").remains is None
    assert not any(one in files_of(name) for one in (b"Ada", b"Rumpel", IDS["ada"].encode()))
    assert b"Bo" in files_of(name)


def test_postgresql_waits_for_nobody(beside: tuple[str, PostgresLedger, Community]) -> None:
    """While a long read locks a table, forgetting leaves it as it is and says so; the next call wipes it."""
    name, _, community = beside
    with psycopg.connect(server_dsn()) as reader:
        reader.execute(f"LOCK TABLE {name}.members IN ACCESS SHARE MODE".encode())
        assert "VACUUM (FULL)" in (community.engage.forget("ada").remains or "")
    assert community.engage.forget("ada").remains is None


def test_a_role_that_may_not_is_told(beside: tuple[str, PostgresLedger, Community]) -> None:
    """A role that does not own the tables forgets the member, and the result says what their owner must run."""
    name = beside[0]
    role = f"{name}_poor"
    admin().execute(
        f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {name} TO {role};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {role};"
        f"GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {name} TO {role}".encode()
    )
    try:
        with PostgresLedger.open(psycopg.conninfo.make_conninfo(server_dsn(), user=role), schema=name) as ledger:
            told = Engage(ledger=ledger, clock=lambda: MONDAY).forget("ada")
        assert told.outcome == "forgotten"
        assert f'VACUUM (FULL) "{name}".members' in (told.remains or "")
    finally:
        admin().execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_a_joined_transaction_tells_what_to_run(beside: tuple[str, PostgresLedger, Community]) -> None:
    name, _, _ = beside
    with psycopg.connect(server_dsn()) as connection, PostgresLedger.open(connection=connection, schema=name) as ledger:
        assert "VACUUM (FULL)" in (Engage(ledger=ledger, clock=lambda: MONDAY).forget("ada").remains or "")


def test_an_import_brings_nobody_back_unsaid(operator: Operator) -> None:
    """An import names each row with a forgotten member and imports nothing, unless you pass `--bring-back`."""
    file = operator.folder / "roster.csv"
    file.write_text("member_id,name\nm-1,Ada Lovelace\nm-2,Bo\nm-3,Cy\n")
    operator.call("members", "forget", "m-1", "--yes")
    told = operator.call("members", "import", str(file))
    assert told.code == 65
    assert "roster.csv:2: member_id: 'm-1': this member was forgotten" in told.err
    assert "1 of 3 rows" in told.err
    skipped = operator.call("members", "import", str(file), "--skip-bad")
    assert (skipped.code, skipped.out) == (65, "3 rows: 1 unchanged, 1 enrolled, 1 skipped\n")
    assert b"Lovelace" not in (operator.folder / "engage.db").read_bytes()
    assert operator.call("members", "import", str(file), "--dry-run").code == 65
    back = operator.call("members", "import", str(file), "--bring-back")
    assert (back.code, back.out) == (0, "3 rows: 1 enrolled, 2 unchanged\n")
    assert "Ada Lovelace" in operator.call("show", "m-1").out


def test_enrolling_brings_nobody_back_unsaid(operator: Operator) -> None:
    """`members enroll` refuses a forgotten member, unless you pass `--bring-back`."""
    operator.call("members", "enroll", "m-1", "--name", "Ada")
    operator.call("members", "forget", "m-1", "--yes")
    ran = operator.call("members", "enroll", "m-1", "--name", "Ada")
    assert (ran.code, ran.err) == (
        65,
        "trc-engage: member_id: 'm-1': this member was forgotten; pass --bring-back to enroll the member again\n",
    )
    assert operator.call("members", "enroll", "m-1", "--name", "Ada", "--bring-back").out == "m-1: enrolled\n"


def test_a_restore_brings_nobody_back_unsaid(operator: Operator) -> None:
    """A restore names the members whom the store moved aside has forgotten since, and requires `--bring-back`."""
    operator.call("backup", "backups/b.db")
    operator.call("members", "forget", "m-1", "--yes")
    (operator.folder / "engage.db").rename(operator.folder / "engage.db.broken")
    told = operator.call("restore", "backups/b.db")
    assert told.code == 65
    assert "1 member forgotten since then: m-1" in told.err
    assert not (operator.folder / "engage.db").exists()
    back = operator.call("restore", "backups/b.db", "--bring-back")
    assert back.code == 0
    assert "m-1" in back.err
    assert "Ada Lovelace" in operator.call("show", "m-1").out


def test_whoever_was_enrolled_again_before_the_backup_is_nobody_brought_back(operator: Operator) -> None:
    operator.call("members", "forget", "m-1", "--yes")
    operator.call("backup", "old.db")
    operator.call("members", "enroll", "m-1", "--name", "Ada again")
    operator.call("backup", "backups/b.db")
    (operator.folder / "engage.db").unlink()
    told = operator.call("restore", "backups/b.db")
    assert told.code == 0
    assert "no readable store in its folder has forgotten a member since; if you have, forget again" in told.err


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_an_export_of_a_member_is_everything_about_the_member(kind: str, tmp_path: Path) -> None:
    """A member's export has each row with the member's id, in any table, and each of their accounts, and no others."""
    with opened(kind, tmp_path) as ledger:
        assert isinstance(ledger, SqlLedger)
        live(Community(ledger))
        told = ledger.everything_about("ada")
        for table, rows in held(ledger, kind):
            mine = [row for row in rows if "ada" in row.values() or row.get("account_id") in {1, 3}]
            assert sorted(told.get(table, []), key=str) == sorted(mine, key=str), table
    empty = {table for table, rows in told.items() if not rows}
    assert empty == {"roster_checks"}


def live(community: Community) -> None:
    """Let ada do everything that leaves a row, and bo the same."""
    engage = community.engage
    community.enroll("ada", "bo")
    for xp in (1_000, 1_500):
        community.sync(ada=xp, bo=xp)
    for day in range(3):
        community.now += timedelta(days=1)
        if day == 0:
            community.award("ada", "benchmark:ada")
            community.award("bo", "benchmark:bo")
        engage.run_due()
    for one in ("ada", "bo"):
        engage.reverse(f"benchmark:{one}", reason="twice", by="admin-7")
        engage.excuse(date(2026, 3, 2), reason="ill", by="admin-7", member_id=one)
    engage.unlink("ada", reason="asked")
    engage.link("ada", IDS["cy"])
    community.sync(cy=10)


def held(ledger: SqlLedger, kind: str) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Yield every table that the database lists, with its rows."""
    named = {
        "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    }[kind]
    columns = {
        "sqlite": "SELECT name FROM pragma_table_info(?)",
        "postgres": "SELECT attname FROM pg_attribute WHERE attrelid = CAST(? AS regclass) AND attnum > 0",
    }[kind]
    with ledger._database.connection() as connection:
        for (table,) in connection.execute(named).fetchall():
            names = [name for (name,) in connection.execute(columns, [table]).fetchall()]
            rows = connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()  # noqa: S608  our own names
            yield table, [dict(zip(names, row, strict=True)) for row in rows]


def test_the_command_writes_it_as_json(operator: Operator) -> None:
    told = json.loads(operator.call("members", "export", "Ada Lovelace").out)
    assert told["standing"]["name"] == "Ada Lovelace"
    assert [one["discord_id"] for one in told["stored"]["discord_activity"]] == [IDS["ada"]]
    assert [one["kind"] for one in told["stored"]["membership_events"]] == ["enrolled", "linked"]
    assert "Bo" not in json.dumps(told)
