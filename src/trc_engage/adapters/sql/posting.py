"""One posting, one transaction."""

from collections.abc import Sequence

from ...core.errors import Moved
from ...core.model import TOMBSTONE, Link, Member
from ...core.postings import Draft, Posting
from ...core.streaks import Streak
from .activity import calendar_of, latest_news, news_of_day
from .finding import name
from .moving import post_moves
from .noting import check_claim, note
from .session import Session, Sessions
from .stamps import month_of, stamp

UNLINK = """
UPDATE discord_activity SET unlinked_at = :at
FROM engage_staged_moves AS moves
WHERE discord_activity.account_id = moves.account_id AND moves.status = 'unlinked'
"""


MEMBERS = ("member_id", "name", "enrolled_at", "is_hidden", "is_forgotten", "version")
ENROL = """
ON CONFLICT (member_id) DO UPDATE SET
    name = excluded.name, is_hidden = excluded.is_hidden, is_forgotten = excluded.is_forgotten,
    version = excluded.version
WHERE members.version = excluded.version - 1
"""

LINKS = ("member_id", "discord_id", "linked_at")
LINKED_THOUGH_FORGOTTEN = """
SELECT count(*) FROM discord_activity JOIN members USING (member_id) WHERE account_id > ? AND is_forgotten
"""

POST_DRAFT = """
INSERT INTO entries (kind, member_id, source, points, day, at, silent, key, reason, actor, reverses)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING position
"""

ADD_TO_BALANCE = """
INSERT INTO member_balances (member_id, source, points) VALUES (?, ?, ?)
ON CONFLICT (member_id, source) DO UPDATE SET points = member_balances.points + excluded.points
"""

ADD_TO_MONTHLY_BALANCE = """
INSERT INTO monthly_balances (month, member_id, points) VALUES (?, ?, ?)
ON CONFLICT (month, member_id) DO UPDATE SET points = monthly_balances.points + excluded.points
"""

STREAKS = ("member_id", "version", "last", "length", "longest")
POST_STREAKS = """
ON CONFLICT (member_id) DO UPDATE SET
    version = excluded.version, last = excluded.last,
    length = excluded.length, longest = excluded.longest
WHERE streaks.version = excluded.version - 1
"""


def post(sessions: Sessions, session: Session, posting: Posting) -> list[int]:
    """Write a posting inside the session's transaction; return its drafts' positions. Raises `Moved`."""
    at = stamp(posting.at)
    check_claim(session, posting.claim)
    _check(session, posting)
    note(session, posting, at)
    _enrol(sessions, session, posting.members)
    if posting.members:
        name(sessions, session, posting.members)
    if posting.moves:
        post_moves(sessions, session, posting.moves, at, None if posting.run is None else posting.run.decision)
        if posting.run is None:
            # A sync never unlinks, and its many moves need not be searched for it.
            session.execute(UNLINK, {"at": at})
    _link(sessions, session, posting.links, at)
    _forget(session, posting.members)
    positions = [_append(session, draft) for draft in posting.drafts]
    _extend(sessions, session, posting.streaks)
    if posting.settlement is not None:
        session.execute(
            "INSERT INTO settled_days (day, settled_at) VALUES (?, ?)", [posting.settlement.day.isoformat(), at]
        )
    if posting.excusal is not None:
        day = posting.excusal.day.isoformat()
        session.execute("INSERT INTO excusals (day, reason, at) VALUES (?, ?, ?)", [day, posting.excusal.reason, at])
    return positions


def _check(session: Session, posting: Posting) -> None:
    """Raise `Moved` if the calendar or the evidence is not what the posting was planned on."""
    if posting.calendar is not None and calendar_of(session) != posting.calendar:
        raise Moved
    settlement, excusal = posting.settlement, posting.excusal
    if settlement is not None and news_of_day(session, settlement.day) != settlement.news:
        raise Moved
    if excusal is not None and excusal.news is not None and latest_news(session) != excusal.news:
        raise Moved


def _append(session: Session, draft: Draft) -> int:
    day = draft.day.isoformat()
    values = [draft.kind, draft.member_id, draft.source, draft.points, day, stamp(draft.at), False]
    try:
        row = session.execute(POST_DRAFT, [*values, draft.key, draft.reason, draft.actor, draft.reverses]).fetchone()
    except session.IntegrityError as error:
        raise Moved from error
    session.execute(ADD_TO_BALANCE, [draft.member_id, draft.source, draft.points])
    session.execute(ADD_TO_MONTHLY_BALANCE, [month_of(day), draft.member_id, draft.points])
    return int(row[0])


def _extend(sessions: Sessions, session: Session, streaks: Sequence[Streak]) -> None:
    rows = [
        (
            streak.member_id,
            streak.version + 1,
            streak.last and streak.last.isoformat(),
            streak.length,
            streak.longest,
        )
        for streak in streaks
    ]
    if rows and sessions.merge(session, "streaks", STREAKS, rows, POST_STREAKS) != len(rows):
        raise Moved


def _forget(session: Session, members: Sequence[Member]) -> None:
    session.executemany(
        "UPDATE discord_activity SET discord_id = ? WHERE member_id = ? AND unlinked_at IS NOT NULL",
        [(TOMBSTONE, member.member_id) for member in members if member.is_forgotten],
    )


def _enrol(sessions: Sessions, session: Session, members: Sequence[Member]) -> None:
    rows = [
        (
            member.member_id,
            member.name,
            stamp(member.enrolled_at),
            member.is_hidden,
            member.is_forgotten,
            member.version + 1,
        )
        for member in members
    ]
    if rows and sessions.merge(session, "members", MEMBERS, rows, ENROL) != len(rows):
        raise Moved


def _link(sessions: Sessions, session: Session, links: Sequence[Link], at: str) -> None:
    """Open the accounts of links; `Moved` if an id is taken, or a member unknown or forgotten."""
    if not links:
        return
    (last,) = session.execute("SELECT coalesce(max(account_id), 0) FROM discord_activity").fetchone()
    try:
        sessions.merge(
            session, "discord_activity", LINKS, [(link.member_id, link.discord_id, at) for link in links], ""
        )
    except session.IntegrityError as error:
        raise Moved from error
    (forgotten,) = session.execute(LINKED_THOUGH_FORGOTTEN, [last]).fetchone()
    if forgotten:
        raise Moved
