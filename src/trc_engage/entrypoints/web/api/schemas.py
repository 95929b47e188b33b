"""The shapes of what the API takes and tells, as JSON Schema."""

from typing import Any, get_args

from ....core.entries import HandKind, SyncKind
from ....core.fields import (
    ID_LENGTH_MAX,
    NAME_LENGTH_MAX,
    POINTS_MAX,
    SOURCE_LENGTH_MAX,
    TEXT_LENGTH_MAX,
)
from ....core.reports import EnrolmentOutcome, ReceiptOutcome
from ....core.status import Status
from ....core.views import Mark
from ...instants import INSTANT_FORM
from .parameters import DAY_FORM, MONTH_FORM

Schema = dict[str, Any]

_PLAIN = r"[^\u0000-\u001f\u007f-\u00a0\u00ad]"
NOT_BLANK = rf"^{_PLAIN}*[^\u0000-\u0020\u007f-\u00a0\u00ad]{_PLAIN}*$"
"""As much of "printable, and not blank" as a pattern can say."""
NOT_BLANK_TEXT = r"^[^\u0000]*[^\u0000\s\u001c-\u001f\u0085][^\u0000]*$"


def text(description: str = "", **more: Any) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", **({"description": description} if description else {}), **more}


def whole(description: str = "", **more: Any) -> Schema:
    """Return the schema of a whole number."""
    return {**text(description, **more), "type": "integer"}


def flag(description: str = "") -> Schema:
    """Return the schema of what is so or not."""
    return {**text(description), "type": "boolean"}


def one_of(values: Any, description: str = "") -> Schema:
    """Return the schema of one of the values of a `Literal`."""
    return text(description, enum=list(get_args(values)))


def maybe(schema: Schema) -> Schema:
    """Return the schema of what may also be null."""
    if "$ref" in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    return {**nullable, "enum": [*schema["enum"], None]} if "enum" in schema else nullable


def array(items: Schema, description: str = "") -> Schema:
    """Return the schema of a list."""
    return {**text(description), "type": "array", "items": items}


def shape(**properties: Schema) -> Schema:
    """Return the schema of an object that has all of these, and may have more."""
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def ref(name: str) -> Schema:
    """Return a reference to one of the `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


DAY = text("A day of UTC.", format="date", pattern=f"^{DAY_FORM}$")
ANY_DAY = text("A day of UTC.", format="date")
AT = text("An instant of UTC.", format="date-time")
MONTH = text("A month of UTC.", pattern=f"^{MONTH_FORM}$")
ID = text(minLength=1, maxLength=ID_LENGTH_MAX, pattern=NOT_BLANK)
MEMBER_ID = text(
    "The member's id at the host: printable characters without a slash.",
    minLength=1,
    maxLength=ID_LENGTH_MAX,
    pattern=NOT_BLANK.replace("[^", "[^/"),
)
DISCORD_ID = text("A Discord id, as text.", pattern="^[1-9][0-9]{0,19}$")
NAME = text("Any text; escape it where you show it.", maxLength=NAME_LENGTH_MAX, pattern=r"^[^\u0000]*$")
PROSE = text(minLength=1, maxLength=TEXT_LENGTH_MAX, pattern=NOT_BLANK_TEXT)
SENT_SOURCE = {
    **text("What it is for.", minLength=1, maxLength=SOURCE_LENGTH_MAX, pattern=NOT_BLANK),
    "not": {"pattern": "^ *[dD][iI][sS][cC][oO][rR][dD] *$"},
}
SENT_AT = text("When it happened, with its zone.", format="date-time", pattern=f"^{INSTANT_FORM}$")
POINTS = whole(minimum=1, maximum=POINTS_MAX)
CHANGE = {"anyOf": [POINTS, whole(minimum=-POINTS_MAX, maximum=-1)]}
ENTRY = {
    "position": whole("Orders all entries of all members."),
    "kind": text(enum=[*get_args(SyncKind), *get_args(HandKind)]),
    "source": text(),
    "points": whole("Signed."),
    "day": ANY_DAY,
    "at": AT,
    "silent": flag("Nobody is to be notified of it."),
    "key": maybe(text()),
    "reason": maybe(text()),
    "by": maybe(text()),
    "reverses": maybe(whole("The position of the award that it takes back.")),
    **{
        f"xp_{name}": maybe(whole())
        for name in ("before", "after", "carried", "carried_before", "baseline", "baseline_before")
    },
}
RANK = shape(rank=whole("1, 1, 3 …"), member_id=text(), name=maybe(text()), points=whole())
CHANGED_STREAK = shape(
    member_id=text(),
    **{f"{which}_{when}": whole() for which in ("current", "longest") for when in ("before", "after")},
)
DISCORD = {
    **shape(
        xp_total=whole(),
        xp_carried=whole("XP kept for the next point, 0-99."),
        xp_to_next_point=whole(),
        status=one_of(Status),
    ),
    "type": ["object", "null"],
    "description": "The linked account; its Discord id is never told.",
}

SCHEMAS: dict[str, Schema] = {
    "Member": shape(
        member_id=text(),
        name=maybe(text()),
        points=whole(),
        points_by_source={"type": "object", "additionalProperties": whole()},
        discord=DISCORD,
        streak=shape(
            current=whole("Active weekdays in a row, up to the last settled day."),
            longest=whole(),
            active_today=flag(),
            at_risk=flag("It breaks unless something is done today, or comes to light."),
            next_milestone=maybe(whole()),
        ),
    ),
    "Entry": shape(**ENTRY),
    "History": shape(
        member_id=text(),
        entries=array(ref("Entry")),
        next_before=maybe(whole("The cursor of the next page; null on the last.")),
    ),
    "Calendar": shape(
        member_id=text(),
        days=array(shape(day=ANY_DAY, mark=one_of(Mark), active=flag(), sources=array(text())), "Oldest first."),
    ),
    "Rank": RANK,
    "Leaderboard": shape(month=maybe(text("Null for all time.")), ranks=array(ref("Rank")), own=maybe(ref("Rank"))),
    "Earnings": shape(
        discord=shape(xp=whole("So much XP earns …"), points=whole("… so many points.")),
        awards=array(shape(what=text(), points=whole())),
    ),
    "Feed": shape(
        entries=array(shape(member_id=text(), **ENTRY), "Oldest first."),
        after=whole("The cursor of the next page, also where this one is empty."),
        more=flag("There are more already."),
    ),
    "Enrolment": shape(member_id=text(), outcome=one_of(EnrolmentOutcome)),
    "Receipt": shape(
        outcome=one_of(ReceiptOutcome, "Unchanged: it was posted before, and stands."),
        member_id=text(),
        points=whole("The member's points now."),
        entry=ref("Entry"),
        late=maybe(ref("StreakChange")),
    ),
    "StreakChange": CHANGED_STREAK,
    "Status": shape(
        healthy=flag(),
        needs=array(shape(what=text(), advice=text()), "What needs somebody, the most urgent first."),
        at=AT,
        attended=flag("Something has run of late."),
        good_at=maybe(AT),
        board_id=maybe(text("Whose board the points are of: source and guild. Null before the first sync.")),
        failures=whole("Failed syncs in a row."),
        pending=array(shape(day=ANY_DAY, cause=text(), why=text()), "Days that are over but cannot be settled yet."),
        next_sync_at=AT,
        next_settlement_at=AT,
        members=whole(),
        entries=whole(),
    ),
    "Problem": shape(
        type=text("What went wrong, for ever the same: `urn:trc-engage:problem:…`."),
        title=text(),
        status=whole(),
        detail=text("For people to read."),
    ),
}
