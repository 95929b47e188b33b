"""One posting, one transaction."""

import sqlite3
from collections.abc import Sequence

from ...core.errors import Moved
from ...core.model import TOMBSTONE, Link, Member
from ...core.postings import Draft, Posting
from ...core.streaks import Streak
from .activity import calendar_of, latest_news, news_of_day
from .moving import post_moves
from .noting import check_claim, note
from .stamps import stamp

UNLINK = """
UPDATE discord_activity SET unlinked_at = :at
FROM temp.moves AS moves
WHERE discord_activity.account_id = moves.account_id AND moves.status = 'unlinked'
"""


ENROL = """
INSERT INTO members (member_id, name, enrolled_at, is_hidden, is_forgotten, version) VALUES (?, ?, ?, ?, ?, ? + 1)
ON CONFLICT DO UPDATE SET
    name = excluded.name, is_hidden = excluded.is_hidden, is_forgotten = excluded.is_forgotten,
    version = excluded.version
WHERE members.version = excluded.version - 1
"""

LINK = """
INSERT INTO discord_activity (member_id, discord_id, linked_at)
SELECT member_id, ?, ? FROM members WHERE member_id = ? AND NOT is_forgotten
"""

POST_DRAFT = """
INSERT INTO entries (kind, member_id, source, points, day, at, silent, key, reason, actor, reverses)
VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)
"""

ADD_TO_BALANCE = """
INSERT INTO balances (member_id, source, points) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET points = points + excluded.points
"""

POST_STREAKS = """
INSERT INTO streaks (member_id, version, last, length, longest) VALUES (?, ? + 1, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    version = excluded.version, last = excluded.last,
    length = excluded.length, longest = excluded.longest
WHERE streaks.version = excluded.version - 1
"""


def post(connection: sqlite3.Connection, posting: Posting) -> list[int]:
    """Write a posting inside the connection's transaction; return its drafts' positions. Raises `Moved`."""
    at = stamp(posting.at)
    check_claim(connection, posting.claim)
    _check(connection, posting)
    note(connection, posting, at)
    _enrol(connection, posting.members)
    if posting.moves:
        post_moves(connection, posting.moves, at)
        if posting.run is None:
            # A sync never unlinks, and its many moves need not be searched for it.
            connection.execute(UNLINK, {"at": at})
    _link(connection, posting.links, at)
    _forget(connection, posting.members)
    positions = [_append(connection, draft) for draft in posting.drafts]
    _extend(connection, posting.streaks)
    if posting.settlement is not None:
        connection.execute("INSERT INTO settled_days VALUES (?, ?)", [posting.settlement.day.isoformat(), at])
    if posting.excusal is not None:
        day = posting.excusal.day.isoformat()
        connection.execute("INSERT INTO excusals (day, reason, at) VALUES (?, ?, ?)", [day, posting.excusal.reason, at])
    return positions


def _check(connection: sqlite3.Connection, posting: Posting) -> None:
    """Raise `Moved` if the calendar or the evidence is not what the posting was planned on."""
    if posting.calendar is not None and calendar_of(connection) != posting.calendar:
        raise Moved
    settlement, excusal = posting.settlement, posting.excusal
    if settlement is not None and news_of_day(connection, settlement.day) != settlement.news:
        raise Moved
    if excusal is not None and excusal.news is not None and latest_news(connection) != excusal.news:
        raise Moved


def _append(connection: sqlite3.Connection, draft: Draft) -> int:
    values = [draft.kind, draft.member_id, draft.source, draft.points, draft.day.isoformat(), stamp(draft.at)]
    try:
        cursor = connection.execute(POST_DRAFT, [*values, draft.key, draft.reason, draft.actor, draft.reverses])
    except sqlite3.IntegrityError as error:
        raise Moved from error
    connection.execute(ADD_TO_BALANCE, [draft.member_id, draft.source, draft.points])
    return int(cursor.lastrowid or 0)


def _extend(connection: sqlite3.Connection, streaks: Sequence[Streak]) -> None:
    rows = (
        (
            streak.member_id,
            streak.version,
            streak.last and streak.last.isoformat(),
            streak.length,
            streak.longest,
        )
        for streak in streaks
    )
    if streaks and connection.executemany(POST_STREAKS, rows).rowcount != len(streaks):
        raise Moved


def _forget(connection: sqlite3.Connection, members: Sequence[Member]) -> None:
    connection.executemany(
        "UPDATE discord_activity SET discord_id = ? WHERE member_id = ? AND unlinked_at IS NOT NULL",
        [(TOMBSTONE, member.member_id) for member in members if member.is_forgotten],
    )


def _enrol(connection: sqlite3.Connection, members: Sequence[Member]) -> None:
    rows = [
        (
            member.member_id,
            member.name,
            stamp(member.enrolled_at),
            member.is_hidden,
            member.is_forgotten,
            member.version,
        )
        for member in members
    ]
    if rows and connection.executemany(ENROL, rows).rowcount != len(rows):
        raise Moved


def _link(connection: sqlite3.Connection, links: Sequence[Link], at: str) -> None:
    rows = [(link.discord_id, at, link.member_id) for link in links]
    try:
        linked = connection.executemany(LINK, rows).rowcount if rows else 0
    except sqlite3.IntegrityError as error:
        raise Moved from error
    if linked != len(rows):
        raise Moved
