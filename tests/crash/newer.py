"""The next version of the package, in this process: the present one plus a migration."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from trc_engage.adapters.sql import schema
from trc_engage.adapters.sqlite import ledger

MIGRATION = """
CREATE TABLE daily_balances (member_id {id}, day {day}, points {whole}, PRIMARY KEY (member_id, day)){by_key};
INSERT INTO daily_balances SELECT member_id, day, sum(points) FROM entries GROUP BY member_id, day;
"""
VERSION = schema.SCHEMA_VERSION + 1


@contextmanager
def newer_version() -> Iterator[None]:
    """Turn this process into the next version, which upgrades a store when it opens it."""
    modules = [module for name, module in sys.modules.items() if name.startswith("trc_engage.adapters.sql")]
    with ExitStack() as patches:
        patches.callback(ledger._fresh_schema.cache_clear)
        patches.enter_context(patch.object(schema, "MIGRATIONS", (*schema.MIGRATIONS, MIGRATION)))
        for module in modules:
            if hasattr(module, "SCHEMA_VERSION"):
                patches.enter_context(patch.object(module, "SCHEMA_VERSION", VERSION))
        ledger._fresh_schema.cache_clear()
        yield
