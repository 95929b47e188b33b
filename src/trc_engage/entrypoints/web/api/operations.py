"""What can be asked and done at each address."""

from ....core.fields import SOURCE_LENGTH_MAX
from . import members, ranks, schemas, system
from .describing import Operation, limit, query, reading, sent, writing
from .parameters import POSITION_MAX
from .schemas import maybe, ref, text, whole

BEFORE = query(
    "before",
    "The cursor: entries below this position.",
    whole(minimum=0, maximum=POSITION_MAX),
)
SOURCE = query(
    "source",
    f"Those of this source alone; {members.SCANNED_MAX:,} entries are looked through for a page, which may be short.",
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
        limit(members.HISTORY_DEFAULT, members.HISTORY_MAX),
        problems=(404, 422),
    ),
    "/members/{member_id}/calendar": reading(
        "calendar",
        "What each day meant for a member's streak; 1,000 days at most",
        ref("Calendar"),
        query("first", "26 weeks back, if left out.", schemas.DAY),
        query("last", "Today, if left out.", schemas.DAY),
        problems=(404, 422),
    ),
    "/leaderboard": reading(
        "leaderboard",
        "The top of all who want to be seen, of all time or of a month",
        ref("Leaderboard"),
        query("month", "All time, if left out.", schemas.MONTH),
        query("member", "Whose own rank to tell.", schemas.ID),
        limit(ranks.TOP_DEFAULT, ranks.TOP_MAX),
        problems=(404, 422),
    ),
    "/earnings": reading("earnings", "What earns points", ref("Earnings"), problems=()),
    "/feed": reading(
        "feed",
        "Everyone's entries, oldest first: of those whom the caller may see, or with the token all",
        ref("Feed"),
        query("after", "The cursor: entries above this position.", whole(minimum=0, maximum=POSITION_MAX, default=0)),
        limit(system.FEED_DEFAULT, system.FEED_MAX),
    ),
    "/status": reading("status", "How the system does, for admins", ref("Status"), problems=(404,)),
}

BY = {"reason": schemas.PROSE, "by": schemas.PROSE}
LINKING = (404, 409)

WRITING: dict[str, dict[str, Operation]] = {
    "/members/{member_id}": {
        "put": writing(
            "enroll",
            "Enrol a member, or bring name and link up to date",
            ref("Enrolment"),
            sent({}, {"name": maybe(schemas.NAME), "discord_id": maybe(schemas.DISCORD_ID)}),
            problems=(404, 409),
        )
    },
    "/members/{member_id}/link": {
        "put": writing(
            "link",
            "Link a Discord id to a member",
            ref("Enrolment"),
            sent({"discord_id": schemas.DISCORD_ID}),
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
            sent({"source": schemas.SENT_SOURCE, "points": schemas.POINTS, "key": schemas.ID, "at": schemas.SENT_AT}),
            created=True,
            problems=(404, 409),
        )
    },
    "/members/{member_id}/adjustments": {
        "post": writing(
            "adjust",
            "Add or take points by hand, once for their key",
            ref("Receipt"),
            sent({"points": schemas.CHANGE, "key": schemas.ID, **BY}),
            created=True,
            problems=(404, 409),
        )
    },
    "/reversals": {
        "post": writing(
            "reverse",
            "Take an award back",
            ref("Receipt"),
            sent({"key": schemas.ID, **BY}),
            created=True,
            problems=(404,),
        )
    },
}
