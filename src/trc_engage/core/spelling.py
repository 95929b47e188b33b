"""How something new may be spelt (R29): what looks the same must be the same.

What stands already was taken under older rules and still resolves, just as it is: so this is asked
only where something is written that was not there before.
"""

from unicodedata import category, is_normalized

from .errors import InvalidValue
from .naming import unseen

_CONTROLS = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def validate_new(field: str, value: str) -> None:
    """Raise `InvalidValue` for a new key, source or actor that another could be mistaken for."""
    if value != value.strip():
        raise InvalidValue(field, value, "it begins or ends with a blank; give it without")
    for char in value:
        if category(char) in _CONTROLS or unseen(char):
            advice = f"it holds a character that cannot be seen (U+{ord(char):04X}); give it without"
            raise InvalidValue(field, value, advice)
    if not is_normalized("NFC", value):
        advice = "its letters are spelt in parts; give it in Unicode's composed form (NFC), in which é is one character"
        raise InvalidValue(field, value, advice)


def validate_new_member_id(value: str) -> None:
    """Raise `InvalidValue` for a new member's id that another could be mistaken for, or that no address can hold."""
    validate_new("member_id", value)
    if value in {".", ".."}:
        raise InvalidValue("member_id", value, "an address cannot end in it; give another id")
