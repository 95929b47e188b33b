"""Two versions of the package on one store, as in a rolling deploy; the newer one knows one more schema version."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from trc_engage.adapters.postgres import database as postgres, schema as postgres_schema
from trc_engage.adapters.sql.schema import SCHEMA_VERSION
from trc_engage.adapters.sqlite import database as sqlite, schema as sqlite_schema

PRESENT = SCHEMA_VERSION
NEWER = PRESENT + 1
KNOWING = (sqlite, sqlite_schema, postgres, postgres_schema)
"""The modules that compare the tables' version with the one that they know."""


@contextmanager
def of_version(version: int) -> Iterator[None]:
    """Let the package know the tables of a version, within this context only."""
    with ExitStack() as patches:
        if version != PRESENT:
            for module in KNOWING:
                patches.enter_context(patch.object(module, "SCHEMA_VERSION", version))
        yield
