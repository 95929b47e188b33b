"""XP and ids that are nearly right."""

from collections.abc import Sequence

from support.community import IDS

from .case import Case, Outcome, body
from .pages import PAGE, Payload, row_of, spoilt

ADA = IDS["ada"].encode()
XP = b'"xp":1250'
STRANGER_XP = b'"xp":1903'


def _xp(name: str, told: bytes, says: str, outcome: Outcome = "malformed") -> Case:
    """Return the case of a sought row with this XP."""
    return body(f"xp_{name}", outcome, _replaced(XP, b'"xp":' + told), says)


def _id(name: str, told: bytes, outcome: Outcome, says: str = "") -> Case:
    """Return the case of a sought row with this id."""
    return body(f"id_{name}", outcome, _replaced(b'"id":"%s"' % ADA, b'"id":' + told), says)


def _strangers_xp(name: str, told: bytes, outcome: Outcome = "paid", says: str = "") -> Case:
    """Return the case of a row that is not sought with this XP."""
    return body(f"strangers_xp_{name}", outcome, _replaced(STRANGER_XP, b'"xp":' + told), says)


def _replaced(old: bytes, new: bytes) -> bytes:
    assert PAGE.count(old) == 1
    return PAGE.replace(old, new)


def _without(key: str) -> bytes:
    def spoil(page: Payload) -> None:
        del row_of(page, "ada")[key]

    return spoilt(spoil)


_NO_JSON = "not valid JSON"
_UNUSABLE = "linked member cannot be used"

CASES: Sequence[Case] = (
    _xp("nan", b"NaN", _NO_JSON),
    _xp("infinity", b"Infinity", _NO_JSON),
    _xp("minus_infinity", b"-Infinity", _NO_JSON),
    _xp("lower_case_nan", b"nan", _NO_JSON),
    _xp("1e400", b"1e400", _UNUSABLE),
    _xp("exponent", b"1.25e3", _UNUSABLE),
    _xp("point_zero", b"1250.0", _UNUSABLE),
    _xp("fraction", b"1250.5", "its xp is 1250.5"),
    _xp("negative", b"-1250", _UNUSABLE),
    _xp("2_to_the_53_and_1", b"9007199254740993", _UNUSABLE),
    _xp("2_to_the_63", b"9223372036854775808", _UNUSABLE),
    _xp("2_to_the_64", b"18446744073709551616", "its xp is 18446744073709551616"),
    _xp("of_4300_digits", b"9" * 4_300, _UNUSABLE),
    _xp("of_100000_digits", b"9" * 100_000, _NO_JSON),
    _xp("of_100000_decimals", b"1." + b"9" * 100_000, _UNUSABLE),
    _xp("huge_exponent", b"1e-" + b"9" * 100_000, _UNUSABLE),
    _xp("leading_zero", b"01250", _NO_JSON),
    _xp("plus_sign", b"+1250", _NO_JSON),
    _xp("hexadecimal", b"0x4E2", _NO_JSON),
    _xp("underscore", b"1_250", _NO_JSON),
    _xp("comma", b"1,250", _NO_JSON),
    _xp("true", b"true", "its xp is True"),
    _xp("null", b"null", "its xp is None"),
    _xp("text", b'"1250"', _UNUSABLE),
    _xp("list", b"[1250]", _UNUSABLE),
    _xp("object", b'{"total":1250}', _UNUSABLE),
    _xp("told_twice", b'1250,"xp":0', "given twice"),
    _xp("told_twice_alike", b'1250,"xp":1250', "given twice"),
    body("xp_missing", "malformed", _without("xp"), _UNUSABLE),
    body("id_missing", "absent", _without("id")),
    _id("number", ADA, "malformed", "its id is a int"),
    _id("float", ADA + b".0", "absent"),
    _id("true", b"true", "absent"),
    _id("null", b"null", "absent"),
    _id("list", b'["%s"]' % ADA, "absent"),
    _id("object", b'{"$oid":"%s"}' % ADA, "absent"),
    _id("underscores", b'"%s_%s"' % (ADA[:3], ADA[3:]), "absent"),
    _id("full_width_digits", '"８０３５１１１０２２４６７８９００"'.encode(), "absent"),
    _id("leading_zeros", b'"00%s"' % ADA, "absent"),
    _id("negative", b'"-%s"' % ADA, "absent"),
    _id("spaces", b'" %s\\n"' % ADA, "absent"),
    _id("nul", b'"%s\\u0000"' % ADA, "absent"),
    _id("surrogate", b'"%s\\ud800"' % ADA, "absent"),
    _id("of_25_digits", b'"99999%s999"' % ADA, "absent"),
    _id("empty", b'""', "absent"),
    _id("escaped", b'"\\u00380351110224678900"', "paid"),
    _id("told_twice", b'"%s","id":"1"' % ADA, "malformed", "given twice"),
    _strangers_xp("2_to_the_53", b"9007199254740992"),
    _strangers_xp("2_to_the_64", b"18446744073709551616"),
    _strangers_xp("1e400", b"1e400"),
    _strangers_xp("null", b"null"),
    _strangers_xp("minus_zero", b"-0"),
    _strangers_xp("nan", b"NaN", "malformed", _NO_JSON),
)
