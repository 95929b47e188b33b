"""What a caller may hand in: each check returns the value or names what is wrong with it."""

import re

from .errors import InvalidValue

ID_LENGTH_MAX = 200
NAME_LENGTH_MAX = 4_000
_DISCORD_ID = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)


def checked_member_id(value: object) -> str:
    """Return TRC's own id of a member: 1 to 200 printable characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > ID_LENGTH_MAX or not value.isprintable():
        raise InvalidValue("member_id", value, f"give a text of 1 to {ID_LENGTH_MAX} printable characters")
    return value


def checked_discord_id(value: object) -> str:
    """Return a Discord id: a text of 1 to 20 digits (a snowflake, never a number)."""
    if not isinstance(value, str) or not _DISCORD_ID.fullmatch(value):
        raise InvalidValue(
            "discord_id", value, "give the Discord id as text of 1 to 20 digits, such as '80351110224678912'"
        )
    return value


def checked_name(value: object) -> str:
    """Return a display name: any Unicode text that can be stored, 4,000 characters at most."""
    if not isinstance(value, str) or len(value) > NAME_LENGTH_MAX:
        raise InvalidValue("name", value, f"give a text of at most {NAME_LENGTH_MAX:,} characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue("name", value, "it holds half a surrogate pair, which no UTF-8 text can hold") from error
    if "\x00" in value:
        raise InvalidValue("name", value, "it holds a NUL character, which not every store can keep")
    return value


def checked_limit(value: object) -> int:
    """Return the length of a page of entries: 1 to 10,000."""
    if type(value) is not int or not 1 <= value <= 10_000:
        raise InvalidValue("limit", value, "give a whole number from 1 to 10,000")
    return value


def checked_position(field: str, value: object) -> int:
    """Return a position in the feed: a whole number from 0 on."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise InvalidValue(field, value, "give a position from the feed: a whole number from 0 on")
    return value
