"""A ledger in a schema of a PostgreSQL database: the extra `trc-engage[postgres]`.

What it shares with other databases is in `..sql`; here is what PostgreSQL does in its own way. Read in
this order: `address`, `connection`, `schema`, `database`, `joined`, `errors`, `ledger`.
"""

from .ledger import PostgresLedger

__all__ = ["PostgresLedger"]
