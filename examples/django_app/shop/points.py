"""The points, in a schema of Django's own database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from trc_engage import Engage
from trc_engage.adapters.postgres import PostgresLedger


@contextmanager
def joined() -> Iterator[Engage]:
    """Yield an `Engage` on this thread's connection: inside `atomic` it commits and rolls back with it."""
    with PostgresLedger.open(connection=connection) as ledger:
        yield Engage(ledger=ledger, clock=timezone.now)


def dsn() -> str:
    """Return the address of the database in use, which in a test is a different one."""
    return make_conninfo(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"])
