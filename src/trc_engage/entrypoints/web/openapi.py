"""The API as OpenAPI describes it: operations, parameters, schemas."""

from typing import Any, get_args

from ...core.model import HandKind, Status, SyncKind
from ...core.reports import EnrolmentOutcome, Mark, ReceiptOutcome
from ...core.validation import ID_LENGTH_MAX, NAME_LENGTH_MAX, POINTS_MAX, SOURCE_LENGTH_MAX, TEXT_LENGTH_MAX
from ..settings import installed_version
from ..wire import INSTANT_FORM
from . import requests, responses
from .requests import DAY_FORM, MONTH_FORM, POSITION_MAX

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

Operation = dict[str, Any]

TAGGED = {"ETag": {"description": "Send it back as If-None-Match.", "schema": text()}}


def query(name: str, description: str, schema: Schema) -> Schema:
    """Return a parameter of the query, which may be left out."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def limit(default: int, most: int) -> Schema:
    """Return the parameter that says how much is told at most."""
    return query("limit", "How many at most.", whole(minimum=1, maximum=most, default=default))


def reading(
    operation_id: str, summary: str, schema: Schema, *parameters: Schema, problems: tuple[int, ...] = (422,)
) -> Operation:
    """Return an operation that reads; everybody may try, and the host says who may see whom."""
    told = {"description": "Found.", "content": {"application/json": {"schema": schema}}, "headers": TAGGED}
    return {
        "operationId": operation_id,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": told, "304": {"description": "What the caller holds is so still."}, **_problems(problems)},
    }


def writing(
    operation_id: str,
    summary: str,
    schema: Schema,
    body: Schema | None = None,
    *,
    created: bool = False,
    problems: tuple[int, ...] = (),
) -> Operation:
    """Return an operation that writes, for whoever bears the token."""
    told = {"content": {"application/json": {"schema": schema}}}
    made = {"201": {"description": "Done.", **told}} if created else {}
    taken = {} if body is None else {"requestBody": _body(body)}
    refused = (401, *((400, 413, 415) if body else ()), 422, *problems)
    return {
        "operationId": operation_id,
        "summary": summary,
        "security": [{"token": []}],
        **taken,
        "responses": {
            "200": {"description": "It stood already." if created else "Done, or so already.", **told},
            **made,
            **_problems(refused),
        },
    }


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def sent(needed: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """Return the schema of what is sent: these fields and no others."""
    properties = {**needed, **(optional or {})}
    return {"type": "object", "properties": properties, "required": sorted(needed), "additionalProperties": False}


def _problems(statuses: tuple[int, ...]) -> Schema:
    return {str(status): {"$ref": "#/components/responses/Problem"} for status in sorted({*statuses, 500, 503})}


BEFORE = query(
    "before",
    "The cursor: entries below this position.",
    whole(minimum=0, maximum=POSITION_MAX),
)
SOURCE = query(
    "source",
    f"Those of this source alone; {requests.SCANNED_MAX:,} entries are looked through for a page, which may be short.",
    text(minLength=1, maxLength=SOURCE_LENGTH_MAX, examples=["discord"]),
)
READING: dict[str, Operation] = {
    "/members/{member_id}": reading("summary", "Where a member stands", ref("Member"), problems=(404, 422)),
    "/members/{member_id}/history": reading(
        "history",
        "A member's entries, newest first; a page with a next one may be short",
        ref("History"),
        BEFORE,
        SOURCE,
        limit(requests.HISTORY_DEFAULT, requests.HISTORY_MAX),
        problems=(404, 422),
    ),
    "/members/{member_id}/calendar": reading(
        "calendar",
        "What each day meant for a member's streak; 1,000 days at most",
        ref("Calendar"),
        query("first", "26 weeks back, if left out.", DAY),
        query("last", "Today, if left out.", DAY),
        problems=(404, 422),
    ),
    "/leaderboard": reading(
        "leaderboard",
        "The top of all who want to be seen, of all time or of a month",
        ref("Leaderboard"),
        query("month", "All time, if left out.", MONTH),
        query("member", "Whose own rank to tell.", ID),
        limit(requests.TOP_DEFAULT, requests.TOP_MAX),
        problems=(404, 422),
    ),
    "/earnings": reading("earnings", "What earns points", ref("Earnings"), problems=()),
    "/feed": reading(
        "feed",
        "Everyone's entries, oldest first: of those whom the caller may see, or with the token all",
        ref("Feed"),
        query("after", "The cursor: entries above this position.", whole(minimum=0, maximum=POSITION_MAX, default=0)),
        limit(requests.FEED_DEFAULT, requests.FEED_MAX),
    ),
    "/status": reading("status", "How the system does, for admins", ref("Status"), problems=(404,)),
}

BY = {"reason": PROSE, "by": PROSE}
LINKING = (404, 409)

WRITING: dict[str, dict[str, Operation]] = {
    "/members/{member_id}": {
        "put": writing(
            "enroll",
            "Enrol a member, or bring name and link up to date",
            ref("Enrolment"),
            sent({}, {"name": maybe(NAME), "discord_id": maybe(DISCORD_ID)}),
            problems=(404, 409),
        )
    },
    "/members/{member_id}/link": {
        "put": writing(
            "link",
            "Link a Discord id to a member",
            ref("Enrolment"),
            sent({"discord_id": DISCORD_ID}),
            problems=LINKING,
        ),
        "delete": writing("unlink", "Close a member's account", ref("Enrolment"), problems=(404,)),
    },
    "/members/{member_id}/leave": {
        "post": writing("leave", "Note that a member left Discord", ref("Enrolment"), problems=LINKING)
    },
    "/members/{member_id}/rejoin": {
        "post": writing("rejoin", "Note that a member is back on Discord", ref("Enrolment"), problems=LINKING)
    },
    "/members/{member_id}/awards": {
        "post": writing(
            "award",
            "Award points, once for their key",
            ref("Receipt"),
            sent({"source": SENT_SOURCE, "points": POINTS, "key": ID, "at": SENT_AT}),
            created=True,
            problems=(404, 409),
        )
    },
    "/members/{member_id}/adjustments": {
        "post": writing(
            "adjust",
            "Add or take points by hand, once for their key",
            ref("Receipt"),
            sent({"points": CHANGE, "key": ID, **BY}),
            created=True,
            problems=(404, 409),
        )
    },
    "/reversals": {
        "post": writing(
            "reverse",
            "Take an award back",
            ref("Receipt"),
            sent({"key": ID, **BY}),
            created=True,
            problems=(404,),
        )
    },
}

ABOUT = """Points, streaks and the ledger behind them. Instants and days are of UTC.

Whoever asks is told of the members whom the host lets him see; all others look as if they were not there.
What can be read has an ETag: send it back as `If-None-Match`, and 304 says that nothing has changed.
Writing needs `Authorization: Bearer TOKEN`. Every award and adjustment has a key of the caller's choice, so that
the same can be sent again where no answer came. Whatever goes wrong is told as problem details (RFC 9457)."""

ONE_MEMBER = {"name": "member_id", "in": "path", "required": True, "schema": MEMBER_ID}
PROBLEM = {
    "description": "What went wrong; nothing was changed.",
    "content": {responses.MEDIA_TYPE: {"schema": ref("Problem")}},
}


def described(root: str, *, is_writable: bool) -> dict[str, Any]:
    """Return the description of the API at a root such as `/engage/api`."""
    components: dict[str, Any] = {"schemas": SCHEMAS, "responses": {"Problem": PROBLEM}}
    if is_writable:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TRC Engage",
            "version": installed_version() or "0",
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": root or "/"}],
        "paths": {path: _path(path, is_writable=is_writable) for path in _paths(is_writable=is_writable)},
        "components": components,
    }


def _paths(*, is_writable: bool) -> list[str]:
    writing = WRITING if is_writable else {}
    return list(dict.fromkeys([*READING, *writing]))


def _path(path: str, *, is_writable: bool) -> dict[str, Any]:
    value: dict[str, Any] = {"parameters": [ONE_MEMBER]} if "{member_id}" in path else {}
    if path in READING:
        value["get"] = READING[path]
    return value | (WRITING.get(path, {}) if is_writable else {})
