"""Errors about addresses and from PostgreSQL say what to do, and never show a password."""

from collections.abc import Iterator
from traceback import format_exception

import psycopg
import pytest

from support.postgres import server_dsn
from trc_engage import EngageError, InvalidValue, LedgerBusy, LedgerFailed
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.postgres.connection import translated
from trc_engage.adapters.postgres.errors import translated_errors


@pytest.mark.parametrize(
    ("dsn", "advice"),
    [
        ("postgresql://trc:hunter2@127.0.0.1:9/engage", "the server cannot be reached"),
        ("host=/nowhere user=trc password=hunter2 dbname=engage", "the server cannot be reached"),
        (None, "check user, password and database"),
    ],
)
def test_what_cannot_be_opened_says_why_and_shows_no_password(dsn: str | None, advice: str) -> None:
    """The error says why the store cannot be opened; neither its text nor its traceback shows the password."""
    dsn = dsn or psycopg.conninfo.make_conninfo(server_dsn(), dbname="nowhere", password="hunter2")  # noqa: S106
    with pytest.raises(LedgerFailed, match=advice) as caught:
        PostgresLedger.open(dsn)
    assert "hunter2" not in "".join(format_exception(caught.value))


@pytest.mark.parametrize("dsn", ["postgresql://trc:hun ter2@db/e", "password='hunter2", "hunter2", "pass=hunter2"])
def test_an_address_that_cannot_be_read_is_not_shown(dsn: str) -> None:
    """No part of a malformed address is shown, since any part may be the password."""
    with pytest.raises(InvalidValue, match="%-escapes") as caught:
        PostgresLedger.open(dsn)
    assert "ter2" not in "".join(format_exception(caught.value))


@pytest.mark.parametrize("name", ["", "Points", "a b", "pg_points", "points; DROP", "1st", "a" * 64])
def test_a_schema_is_a_plain_name(name: str) -> None:
    """A schema that is not a plain name is refused, because the name becomes part of statements."""
    with pytest.raises(InvalidValue, match="schema"):
        PostgresLedger.open(server_dsn(), schema=name)


def all_errors(root: type[BaseException]) -> Iterator[type[BaseException]]:
    """Yield an exception's class and all of its subclasses."""
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)


def test_every_error_of_psycopg_is_translated_errors() -> None:
    """Each psycopg error becomes a chained `LedgerBusy` or `LedgerFailed` that names the store and hides details."""
    kinds = [kind for root in (psycopg.Error, psycopg.Warning) for kind in all_errors(root)]
    assert len(kinds) > 200
    for kind in kinds:
        with (
            pytest.raises(EngageError, match=r"^the store.*: try again|^the store: .*: .*") as caught,
            translated_errors("the store"),
        ):
            raise kind("first line\nDETAIL: Key (name)=(Ada)")
        assert isinstance(caught.value, LedgerBusy | LedgerFailed)
        assert isinstance(caught.value.__cause__, kind)
        assert "Ada" not in str(caught.value)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("a = ? AND b = :b", "a = %s AND b = %(b)s"),
        ("a LIKE '%?:b' AND c = ?", "a LIKE '%%?:b' AND c = %s"),
        ("a::date % 2", "a::date %% 2"),
    ],
)
def test_placeholders_are_translated(ours: str, theirs: str) -> None:
    """Placeholders are translated to psycopg's, except within quotes."""
    assert translated(ours) == theirs
