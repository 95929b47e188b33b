"""Which server, database and schema; a password is in no text that is shown."""

import re
from hashlib import sha256
from typing import Any

from attrs import field, frozen
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from ...core.errors import InvalidValue
from ...core.validation import NO_ADDRESS, is_address, validate_address

DEFAULTS: dict[str, Any] = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 30,
    "fallback_application_name": "trc-engage",
}
"""So that a server that is gone without a word is noticed; what the address says goes first."""

NO_SCHEMA = "name a schema: lower-case letters, digits and _, at most 63, no digit first and not pg_ either"


@frozen
class Address:
    """Where a store is."""

    shown: str
    schema: str
    dsn: str = field(default="", repr=False)
    defaults: dict[str, Any] = field(factory=dict, repr=False)

    @classmethod
    def parse(cls, dsn: str, schema: str) -> "Address":
        """Parse an address and a schema's name; raises `InvalidValue`."""
        _check(schema)
        found = _parted(dsn)
        user = f"{found['user']}@" if "user" in found else ""
        port = f":{found['port']}" if "port" in found else ""
        shown = f"postgresql://{user}{found.get('host', '')}{port}/{found.get('dbname', '')} (schema {schema})"
        return cls(shown, schema, dsn, {name: value for name, value in DEFAULTS.items() if name not in found})

    @classmethod
    def of_connection(cls, host: str, database: str, schema: str) -> "Address":
        """Return the address that a connection leads to; raises `InvalidValue`."""
        _check(schema)
        return cls(f"postgresql://{host}/{database} (schema {schema})", schema)

    @property
    def quoted_schema(self) -> str:
        """The schema as a statement names it."""
        return f'"{self.schema}"'

    @property
    def search_path(self) -> str:
        """What names are looked up in: temporary tables come last, so that nobody's stands before one of ours."""
        return f"{self.quoted_schema}, pg_temp"

    @property
    def lock_key(self) -> int:
        """What advisory locks of this store are called; they are of one database."""
        return int.from_bytes(sha256(f"trc-engage:{self.schema}".encode()).digest()[:8], "big", signed=True)

    @property
    def lock(self) -> str:
        """The statement that waits for all others who write; the lock goes with the transaction."""
        return f"SELECT pg_advisory_xact_lock({self.lock_key})"

    @property
    def begin_writing(self) -> tuple[str, ...]:
        """The statements that begin a write, once all others are done; the last returns the version first.

        Positions follow the last that was committed: those of a transaction that failed are given again, so that
        none is missing unless an entry is.
        """
        schema = self.quoted_schema
        version, last = (
            f"(SELECT {column} FROM {schema}.{table} ORDER BY {column} DESC LIMIT 1)"
            for column, table in (("version", "schema_migrations"), ("position", "entries"))
        )
        numbered = f"setval('{schema}.entries_position_seq', coalesce({last}, 0) + 1, false)"
        return self.lock, f"SELECT {version}, {numbered}, {KEPT}"


# Others see a commit as soon as it is one: it must not be lost then, or positions would be given twice (R23).
KEPT = """
CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END
"""


def _parted(dsn: str) -> dict[str, Any]:
    """Return what an address, or names with values, say; raises `InvalidValue`, which shows none of it."""
    if is_address(dsn):
        validate_address(dsn)
    try:
        found = dict(conninfo_to_dict(dsn))
    except ProgrammingError:
        # Its text shows a part of the address, which may be one of the password.
        raise InvalidValue("dsn", "…", NO_ADDRESS) from None
    if set("=@") & set(str(found.get("dbname", ""))):
        # Another address in place of a name, password and all.
        raise InvalidValue("dsn", "…", NO_ADDRESS)
    return found


def _check(schema: str) -> None:
    if not re.fullmatch(r"(?!pg_)[a-z_][a-z0-9_]{0,62}", schema):
        raise InvalidValue("schema", schema, NO_SCHEMA)
