"""What `TRC_ENGAGE_STORE` names: a file or a database. All else is refused, and nothing of it that may be secret shown.

Everything could be the name of a file, also `host=db password=…`. So what looks like anything else is none.
"""

import re
from pathlib import Path

from attrs import field, frozen

from ..core.addresses import SCHEMES, checked_address
from ..core.errors import InvalidValue

NO_FILE = (
    "name the file of the store: a path such as /var/lib/trc/engage.db, or sqlite:///engage.db; "
    "or a database: postgresql://USER:PASSWORD@HOST/DATABASE"
)
NO_MEMORY = f"a store must last; {NO_FILE}"
NO_PATH = f"write the path alone, without quotes, semicolon, comment or options; {NO_FILE}"
NO_EXPANSION = f"nothing is put in for ~, $ or % here: write the whole path; {NO_FILE}"

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
HARMLESS = re.compile(r"[\"']?[\w ./~-]*")
"""How a path may begin that is shown; what may hold a secret has one of the marks below somewhere."""
MARKS = re.compile(r"[=@:]")

WRONG: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"), NO_PATH),
    (re.compile(r".*:memory:.*"), NO_MEMORY),
    # An address without its scheme, or in the middle of something else.
    (re.compile(r"://|^//|:[^/]*@|^[^/.][^/]*@|^:"), NO_FILE),
    # Names with values, as libpq, ODBC and shells write them.
    (re.compile(r"^[^/.]*=|(?i:pass\w*|pwd|secret|token)\s*=|[?&]\w+="), NO_FILE),
    (re.compile(r"^[\"'`]|[\"'`,;]$|;|\\|\s[#]|^#"), NO_PATH),
    (re.compile(r"^~|\$[\w({]|%[A-Za-z_]\w*%"), NO_EXPANSION),
    (re.compile(r"^$|/$"), NO_FILE),
)
"""What no path holds, and what to do instead; the first that is found is told."""


@frozen
class PostgresUrl:
    """A store in PostgreSQL."""

    dsn: str = field(repr=False)
    """Holds the password: it shows in no repr and no error."""
    schema: str = "trc_engage"


def store_of(value: str) -> Path | PostgresUrl:
    """Return what a value names; raises `InvalidValue`, which shows of it only what is known to be harmless."""
    scheme, is_url, rest = value.partition("://")
    if is_url and scheme in SCHEMES:
        return _postgres_url(checked_address(value))
    if is_url and scheme == "sqlite" and rest.startswith("/"):
        return _path(rest[1:], before="sqlite:///")
    if found := SCHEME.match(value):
        raise InvalidValue("store", f"{found[0]}…", NO_FILE)
    return _path(value)


def _path(value: str, before: str = "") -> Path:
    for form, advice in WRONG:
        if form.search(value):
            raise InvalidValue("store", f"{before}{_harmless(value)}", advice)
    return Path(value)


def _harmless(value: str) -> str:
    """Return the beginning of what was meant as a path, or nothing if it may be anything else."""
    if value == ":memory:":
        return value
    found = HARMLESS.match(value)
    shown = "" if found is None or MARKS.search(value) else found[0]
    return shown if shown == value else f"{shown}…"


def _postgres_url(value: str) -> PostgresUrl:
    """Part the schema, which is ours, from what the library of PostgreSQL reads."""
    address, _, query = value.partition("?")
    options = [option for option in query.split("&") if option]
    schemas = [option.removeprefix("schema=") for option in options if option.startswith("schema=")]
    rest = "&".join(option for option in options if not option.startswith("schema="))
    return PostgresUrl(f"{address}?{rest}" if rest else address, *schemas[-1:])
