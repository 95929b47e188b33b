"""The address of a PostgreSQL database, as people write it: what a library would misread is refused unseen.

A password with a `/` in it ends the host early: libpq takes the rest of the password for a port or a
database, and tells it in every error. So an address is read strictly, and no message shows any of it.
"""

import re

from .errors import InvalidValue

SCHEMES = ("postgresql", "postgres")
HOST = r"(?:\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._-]+)?\]|(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})*)(?::[0-9]{0,5})?"
FORM = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[^:@/?#]*)(?::[^@/?#]*)?@)?"
    rf"{HOST}(?:,{HOST})*"
    r"(?:/[^/?#@\"';\\<>]*)?"
    r"(?:\?[^?#@]*)?"
)
ESCAPES = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")

NO_ADDRESS = (
    "it cannot be read as an address of PostgreSQL (it is not shown, for it may hold a password); write "
    "postgresql://USER:PASSWORD@HOST/DATABASE, with %-escapes for what is not a letter or digit "
    "(in a password %2F for /, %40 for @, %3A for :, %23 for #, %3F for ?, %25 for %)"
)


def is_address(value: str) -> bool:
    """Tell whether a text is meant as an address, and not as names with values."""
    return re.match(r"\s*[A-Za-z][A-Za-z0-9+.-]*:", value) is not None


def checked_address(value: str) -> str:
    """Return an address that leaves no doubt; raises `InvalidValue`, which shows none of it."""
    is_whole = value.isprintable() and " " not in value and not ESCAPES.search(value)
    found = FORM.fullmatch(value) if is_whole else None
    # A colon that is escaped in a user's name is the one before the password.
    if found is None or "%3a" in (found["user"] or "").lower():
        raise InvalidValue("dsn", "…", NO_ADDRESS)
    return value
