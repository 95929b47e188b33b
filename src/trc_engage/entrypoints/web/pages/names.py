"""Text from elsewhere, made fit to be shown: people may call themselves anything on Discord."""

import re
from unicodedata import category

from attrs import frozen

from ....core.views import Found, Rank, Standing
from ...sentences.members import name_of

LONG = 40
"""Names of more characters than this are clipped where they stand in a list."""
_TURNS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of what follows; the page isolates each name, so none is needed."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters by their category that show nothing."""


@frozen
class Label:
    """What a person is called on a page."""

    text: str
    is_placeholder: bool = False
    """Whether it stands where nothing was left to show."""

    @property
    def is_long(self) -> bool:
        """Whether lists show only its beginning."""
        return len(self.text) > LONG


def label(one: Rank | Standing | Found) -> Label:
    """Return what a member is called; one without a name that can be seen is called by the id."""
    text = clean((name_of(one) if isinstance(one, Standing) else one.name) or "")
    return Label(text) if is_visible(text) else Label(f"Member {clean(one.member_id)}", is_placeholder=True)


def clean(text: str) -> str:
    """Return text on one line, without controls and without marks that turn its direction.

    >>> clean("Ada" + chr(0x202E) + chr(0) + chr(10) + "Lovelace")
    'Ada Lovelace'
    """
    kept = (char if char.isspace() or category(char) not in {"Cc", "Cs"} else "" for char in _TURNS.sub("", text))
    return " ".join("".join(kept).split())


def begun(text: str) -> str:
    """Return text as it begins a line: clean, and with a capital."""
    cleaned = clean(text)
    return f"{cleaned[:1].upper()}{cleaned[1:]}"


def is_visible(text: str) -> bool:
    """Tell whether anything of a text can be seen: a letter, a digit, a sign, and not marks alone."""
    return any(category(char)[0] in "LNPS" and char not in _BLANK for char in text)
