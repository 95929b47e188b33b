"""What names a store: a file or a database, and nothing that only looks like one; no secret is ever shown."""

from pathlib import Path
from traceback import format_exception

import pytest

from trc_engage import InvalidValue
from trc_engage.entrypoints.settings import PostgresUrl, Settings, SettingsError

SECRET = "".join(["hunter", "2"])
"""Not written out, or it would be in the traceback's own lines."""

WITH_A_PASSWORD = [
    "host=db password={}",
    "password={} host=db",
    "dbname = trc password = {}",
    "host=db.example.org user=trc password={}",
    "postgresql://trc:a/{}@db/engage",
    "postgresql://trc:{}/b@db/engage",
    "postgresql://trc:a?{}@db/engage",
    "postgresql://trc:a#{}@db/engage",
    "postgresql://trc:{}#b@db/engage",
    "postgresql://trc:a@{}@db/engage",
    "postgresql://trc:{}%@db/engage",
    "postgresql://trc]:{}@db/engage",
    "postgresql://trc:[{}@db/engage",
    "postgresql://trc:{}%zz@db/engage",
    "postgresql://trc:{}%00@db/engage",
    "postgresql://trc:{} @db/engage",
    "postgresql://trc:{}/engage",
    "postgresql://trc%3A{}@db/engage",
    "postgresql://trc:x@db:{}/engage",
    "postgresql://trc:{}@db/engage;",
    'postgresql://trc:{}@db/engage"',
    "postgresql://trc:{}@db/engage # live",
    "postgresql://trc@db/engage?password=a@{}",
    "postgresql+psycopg://trc:{}@db/engage",
    "postgresql+asyncpg://trc:{}@db/engage",
    "POSTGRESQL://trc:{}@db/engage",
    "PostgreSQL://trc:{}@db/engage",
    "jdbc:postgresql://db/engage?user=trc&password={}",
    "jdbc:postgresql:engage?password={}",
    "postgres:trc:{}@db/engage",
    "postgresql:trc:{}@db/engage",
    "postgresql:/trc:{}@db/engage",
    "trc:{}@db/engage",
    "_trc:{}@db/engage",
    "//trc:{}@db/engage",
    "/trc:{}@db/engage",
    ":{}@db/engage",
    "{}@db/engage",
    "mysql://trc:{}@db/engage",
    "mongodb+srv://trc:{}@db/engage",
    "Server=db;Database=engage;User Id=trc;Password={}",
    "Driver={{PostgreSQL}};Server=db;Pwd={}",
    "Data Source=db;Password={}",
    "PGHOST=db PGPASSWORD={}",
    "export TRC_ENGAGE_STORE=postgresql://trc:{}@db/engage",
    '"postgresql://trc:{}@db/engage"',
    "'host=db password={}'",
    "psql postgresql://trc:{}@db/engage",
    "engage.db # password {}",
    "engage.db?key={}",
    "sqlite:///engage.db?key={}",
    "sqlite://trc:{}@db/engage",
    "file:engage.db?key={}",
    "./engage.db password={}",
]


@pytest.mark.parametrize("form", WITH_A_PASSWORD)
def test_what_is_no_store_is_refused_unseen(form: str) -> None:
    """A value that names no store is refused with the right form of an address, and its password is never shown."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping({"TRC_ENGAGE_STORE": form.format(SECRET)})
    assert "postgresql://USER:PASSWORD@HOST/DATABASE" in str(caught.value)
    told = [str(caught.value), repr(caught.value), repr(caught.value.value), *format_exception(caught.value)]
    assert SECRET not in "".join(told)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('"engage.db"', "without quotes"),
        ("'engage.db'", "without quotes"),
        ("`engage.db`", "without quotes"),
        ('/var/lib/engage.db"', "without quotes"),
        ("engage.db # x", "comment"),
        ("engage.db #x", "comment"),
        ("# engage.db", "comment"),
        ("engage.db;", "semicolon"),
        ("engage.db,", "give only the path"),
        ("engage\\ store.db", "give only the path"),
        ("\\\\host\\share\\engage.db", "give only the path"),
        ("engage.db\nTRC_X", "give only the path"),
        ("engage\x00.db", "give only the path"),
        ("sqlite:engage.db", "sqlite:///engage.db"),
        ("sqlite:/engage.db", "sqlite:///engage.db"),
        ("sqlite://engage.db", "sqlite:///engage.db"),
        ("sqlite:///", "give a file"),
        ("SQLITE:///engage.db", "sqlite:///engage.db"),
        ("sqlite3:///engage.db", "sqlite:///engage.db"),
        ("sqlite:///engage.db;", "give only the path"),
        ("file:engage.db?mode=memory", "give a file"),
        ("file::memory:", "give a file"),
        (":memory:", "must be on disk"),
        ("sqlite:///:memory:", "must be on disk"),
        ("engage.db?mode=ro", "give a file"),
        ("~/engage.db", "are not expanded"),
        ("~trc/engage.db", "are not expanded"),
        ("$HOME/engage.db", "are not expanded"),
        ("${HOME}/engage.db", "are not expanded"),
        ("$(pwd)/engage.db", "are not expanded"),
        ("%APPDATA%/engage.db", "are not expanded"),
        ("C:\\data\\engage.db", "give a file"),
        ("C:/data/engage.db", "give a file"),
        ("data/", "give a file"),
        ("TRC_ENGAGE_STORE=engage.db", "give a file"),
    ],
)
def test_a_path_with_something_about_it_is_refused(value: str, says: str) -> None:
    """A value that is hardly meant as the name of a file is refused, although it could be one."""
    with pytest.raises(SettingsError, match="TRC_ENGAGE_STORE") as caught:
        Settings.from_mapping({"TRC_ENGAGE_STORE": value})
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "engage.db",
        "./engage.db",
        "../engage.db",
        "a folder/engage.db",
        "/srv/trc@prod/engage.db",
        "/srv/a=b/engage.db",
        "/srv/12:30/engage.db",
        "./12:30.db",
        "C#/engage.db",
        "/srv/A\u0308/\u96ea.db",
        "/srv/\udcff/engage.db",
        "/odd/dir%20with?marks",
        "engage.db~",
        "O'Brien/engage.db",
    ],
)
def test_a_path_is_taken_as_it_is(path: str) -> None:
    """A value that is plainly a path is accepted with almost any character."""
    assert Settings.from_mapping({"TRC_ENGAGE_STORE": path}).store == Path(path).absolute()


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://trc:p%2Fw%40%3A@db/engage",
        "postgresql://trc:a:b@db/engage",
        "postgresql://trc:pw@h1:5432,h2:5433/engage?target_session_attrs=read-write",
        "postgresql://trc@[::1]:5432/engage",
        "postgresql://%2Fvar%2Frun/engage",
        "postgresql:///engage?host=/tmp&user=trc",
        "postgresql://trc@db/engage?password=pw&sslpassword=pw",
        "postgresql:///?service=trc",
        "postgres://trc%40server@db.example/engage",
    ],
)
def test_an_address_is_taken_as_it_is(dsn: str) -> None:
    """A PostgreSQL address with anything that libpq knows is accepted, as long as it is unambiguous."""
    assert Settings.from_mapping({"TRC_ENGAGE_STORE": f" {dsn} "}).store == PostgresUrl(dsn)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://trc:a/{}@db/engage",
        "postgresql://trc:{}/engage",
        "postgresql://trc%3a{}@db/engage",
        "postgresql+psycopg://trc:{}@db/engage",
        "postgresql://db/engage?passwrod={}",
        "host=db password='{}",
        "host=db dbname=postgresql://trc:{}@db/engage",
        "host=db dbname='password={}'",
    ],
)
def test_a_program_is_told_as_little(dsn: str) -> None:
    """A program that opens a ledger by a bad address finds no part of it in the error."""
    ledger = pytest.importorskip("trc_engage.adapters.postgres").PostgresLedger
    with pytest.raises(InvalidValue, match="%-escapes") as caught:
        ledger.open(dsn.format(SECRET))
    assert SECRET not in f"{caught.value} {caught.value!r}" + "".join(format_exception(caught.value))


@pytest.mark.parametrize(
    "value",
    [
        "https://trc:{}@mee6.xyz",
        "https://trc:{}/mee6.xyz",
        "trc:{}@mee6.xyz",
        "https:trc:{}@mee6.xyz",
        "https://mee6.xyz?token={}",
        "https://mee6.xyz/{}#x",
        "https://{}@mee6.xyz",
        "https://mee6.xyz:{}",
    ],
)
def test_nor_is_anything_secret_in_the_address_of_mee6(value: str) -> None:
    """An address of MEE6 with a secret in it is refused without showing the secret."""
    with pytest.raises(SettingsError, match="TRC_ENGAGE_MEE6_URL: ") as caught:
        Settings.from_mapping({"TRC_ENGAGE_MEE6_URL": value.format(SECRET)})
    assert SECRET not in f"{caught.value} {caught.value!r}" + "".join(format_exception(caught.value))


def test_a_token_in_the_place_of_the_guild_is_not_shown_whole() -> None:
    """A token that was set as the guild id by mistake is not shown in full."""
    with pytest.raises(SettingsError, match="TRC_ENGAGE_GUILD_ID: ") as caught:
        Settings.from_mapping({"TRC_ENGAGE_GUILD_ID": f"MTk4NjIyNDgz.{SECRET}"})
    assert SECRET not in f"{caught.value} {caught.value!r}" + "".join(format_exception(caught.value))
