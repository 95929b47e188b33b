"""Whether what a store must have is there: what an error says is no proof, for it may speak of another's tables."""

from typing import Any

import psycopg
from psycopg.rows import tuple_row

from ..sql.copying import TABLES
from .place import Place
from .schema import version_of

COLUMNS = """
SELECT relname, attname FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_class ON pg_class.oid = attrelid
WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %s) AND attnum > 0 AND NOT attisdropped
"""
EXPECTED = frozenset({("claims", "owner"), *((table.name, column) for table in TABLES for column in table.columns)})


def missing(connection: psycopg.Connection[Any], place: Place) -> list[str]:
    """Name the tables of the store that are not there, or else the columns; raises `LedgerFailed` if it is newer."""
    version_of(connection, place)
    cursor = psycopg.Cursor(connection, row_factory=tuple_row)
    lost = EXPECTED - set(cursor.execute(COLUMNS, [place.schema]).fetchall())
    if lost == EXPECTED:
        return ["all tables"]
    there = {table for table, _ in EXPECTED - lost}
    return sorted({table if table not in there else f"{table}.{column}" for table, column in lost})
