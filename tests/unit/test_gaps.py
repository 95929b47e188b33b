"""Gaps: the times in which a member was not watched, and why; no day in them is missed (R26)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from trc_engage.core.model import DiscordActivity, Entry, XpChange
from trc_engage.core.records import EventKind, MembershipEvent
from trc_engage.core.story import Gap, gaps_of

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 3, 2 + day) for day in range(5))


def at(day: date, hours: float = 0) -> datetime:
    """Return an instant of a day, by default its first."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)


def event(
    kind: EventKind, when: datetime, account_id: int | None = 1, since: datetime | None = None
) -> MembershipEvent:
    """Return an event of the member."""
    return MembershipEvent(0, "m-1", kind, when, account_id=account_id, window_from=since)


def opening(when: datetime, account_id: int = 1) -> tuple[Entry, datetime]:
    """Return the opening of an account, and the time of the good sync before it."""
    xp = XpChange(account_id, None, 500, None, 500)
    return Entry(1, "opening", "m-1", "discord", 0, when.date(), when, silent=True, xp=xp), when - timedelta(hours=1)


def rebase(when: datetime, looked_at: datetime | None) -> tuple[Entry, datetime | None]:
    """Return a rebase of the first account, and the time of the good sync before it."""
    xp = XpChange(1, 500, 20, 500, 20)
    return Entry(2, "rebase", "m-1", "discord", 0, when.date(), when, silent=True, xp=xp), looked_at


def account(**changed: Any) -> DiscordActivity:
    """Return the account as it is now, with these changes."""
    return evolve(DiscordActivity(1, 1, "m-1", "80", "tracked", "continues", 0, 0, 0, 0), **changed)


LINKED, OPENED = event("linked", at(MONDAY, 10)), opening(at(MONDAY, 11))
NOT_LINKED = (at(MONDAY), at(MONDAY, 10), "not_linked")
WAITING = (at(MONDAY, 10), at(MONDAY, 11), "waiting")
LEFT = event("left", at(TUESDAY, 9))
UNLINKED = event("unlinked", at(TUESDAY, 9))
Reset = tuple[Entry, datetime | None]
Told = tuple[datetime, datetime | None, str]
GAPS: dict[str, tuple[list[MembershipEvent], list[Reset], DiscordActivity | None, list[Told]]] = {
    "never linked": ([event("enrolled", at(MONDAY, 9), None)], [], None, [(at(MONDAY), None, "not_linked")]),
    "linked, and not yet read": ([LINKED], [], account(), [NOT_LINKED, (at(MONDAY, 10), None, "waiting")]),
    "linked and read": ([LINKED], [OPENED], account(), [NOT_LINKED, WAITING]),
    "linked at the first instant": (
        [event("linked", at(MONDAY))],
        [OPENED],
        account(),
        [(at(MONDAY), at(MONDAY, 11), "waiting")],
    ),
    "another account was read": (
        [LINKED],
        [opening(at(MONDAY, 11), account_id=2)],
        account(),
        [NOT_LINKED, (at(MONDAY, 10), None, "waiting")],
    ),
    "unlinked, and linked to another account": (
        [LINKED, UNLINKED, event("linked", at(THURSDAY), 2)],
        [OPENED, opening(at(THURSDAY, 1), 2)],
        account(account_id=2),
        [NOT_LINKED, WAITING, (at(TUESDAY, 9), at(THURSDAY), "unlinked"), (at(THURSDAY), at(THURSDAY, 1), "waiting")],
    ),
    "left": ([LINKED, LEFT], [OPENED], account(), [NOT_LINKED, WAITING, (at(TUESDAY, 9), None, "left")]),
    "left, and hidden meanwhile": (
        [LINKED, LEFT, event("hidden", at(WEDNESDAY), None)],
        [OPENED],
        account(),
        [NOT_LINKED, WAITING, (at(TUESDAY, 9), None, "left")],
    ),
    "left and back": (
        [LINKED, LEFT, event("returned", at(WEDNESDAY, 9))],
        [OPENED],
        account(),
        [NOT_LINKED, WAITING, (at(TUESDAY, 9), at(WEDNESDAY, 9), "left")],
    ),
    "back for an hour when it is noted": (
        [LINKED, LEFT, event("returned", at(WEDNESDAY, 9), since=at(WEDNESDAY, 8))],
        [OPENED],
        account(),
        [NOT_LINKED, WAITING, (at(TUESDAY, 9), at(WEDNESDAY, 8), "left")],
    ),
    "left before the first reading, and read once back": (
        [LINKED, LEFT, event("returned", at(WEDNESDAY))],
        [opening(at(THURSDAY))],
        account(),
        [
            NOT_LINKED,
            (at(MONDAY, 10), at(TUESDAY, 9), "waiting"),
            (at(TUESDAY, 9), at(WEDNESDAY), "left"),
            (at(WEDNESDAY), at(THURSDAY), "waiting"),
        ],
    ),
    "left before the first reading, and not yet read": (
        [LINKED, LEFT, event("returned", at(WEDNESDAY))],
        [],
        account(),
        [
            NOT_LINKED,
            (at(MONDAY, 10), at(TUESDAY, 9), "waiting"),
            (at(TUESDAY, 9), at(WEDNESDAY), "left"),
            (at(WEDNESDAY), None, "waiting"),
        ],
    ),
    "forgotten": (
        [LINKED, event("forgotten", at(TUESDAY, 9))],
        [OPENED],
        None,
        [NOT_LINKED, WAITING, (at(TUESDAY, 9), None, "forgotten")],
    ),
    "unlinked, then forgotten": (
        [LINKED, UNLINKED, event("forgotten", at(WEDNESDAY))],
        [OPENED],
        None,
        [NOT_LINKED, WAITING, (at(TUESDAY, 9), None, "unlinked")],
    ),
    "a leave that was a mistake": (
        [LINKED, LEFT, event("never_left", at(WEDNESDAY))],
        [OPENED],
        account(),
        [NOT_LINKED, WAITING],
    ),
    "a leave that was a mistake, after a true one": (
        [
            LINKED,
            LEFT,
            event("returned", at(WEDNESDAY)),
            event("left", at(THURSDAY)),
            event("never_left", at(FRIDAY)),
        ],
        [OPENED],
        account(),
        [NOT_LINKED, WAITING, (at(TUESDAY, 9), at(WEDNESDAY), "left")],
    ),
    "a mistake that was noted before the first reading": (
        [LINKED, LEFT, event("returned", at(WEDNESDAY)), event("never_left", at(THURSDAY))],
        [opening(at(FRIDAY))],
        account(),
        [
            NOT_LINKED,
            (at(MONDAY, 10), at(TUESDAY, 9), "waiting"),
            (at(WEDNESDAY), at(FRIDAY), "waiting"),
        ],
    ),
    "a mistake of over a week": (
        [LINKED, LEFT, event("never_left", at(TUESDAY, 9 + 7 * 24 + 1))],
        [OPENED],
        account(),
        [NOT_LINKED, WAITING, (at(TUESDAY, 9), at(TUESDAY, 9 + 7 * 24 + 1), "left")],
    ),
    "a mistake of over a week, back before it was mended": (
        [LINKED, LEFT, event("returned", at(TUESDAY, 9 + 8 * 24)), event("never_left", at(TUESDAY, 9 + 9 * 24))],
        [OPENED],
        account(),
        [NOT_LINKED, WAITING, (at(TUESDAY, 9), at(TUESDAY, 9 + 8 * 24), "left")],
    ),
    "a mistake that nobody noted": ([LINKED, event("never_left", at(FRIDAY))], [OPENED], None, [NOT_LINKED, WAITING]),
    "a new season, before a leave": (
        [LINKED, event("left", at(THURSDAY))],
        [OPENED, rebase(at(WEDNESDAY, 9), at(WEDNESDAY, 8.75))],
        account(),
        [NOT_LINKED, WAITING, (at(WEDNESDAY, 8.75), at(WEDNESDAY, 9), "rebased"), (at(THURSDAY), None, "left")],
    ),
    "a new season, with no good sync before it": (
        [LINKED],
        [OPENED, rebase(at(WEDNESDAY, 9), None)],
        account(),
        [NOT_LINKED, WAITING],
    ),
    "missed since Thursday": (
        [LINKED],
        [OPENED],
        account(window_from=at(THURSDAY)),
        [NOT_LINKED, WAITING, (at(THURSDAY), None, "missed")],
    ),
    "back, and not yet read": (
        [LINKED],
        [OPENED],
        account(window_from=at(THURSDAY), next_reading="returns"),
        [NOT_LINKED, WAITING],
    ),
}


@pytest.mark.parametrize("case", GAPS)
def test_when_nobody_watched_and_why(case: str) -> None:
    """Gaps are listed oldest first, from the start of the day of the enrollment; those without length are left out."""
    events, resets, now, expected = GAPS[case]
    found = gaps_of(at(MONDAY, 9), events, resets, now)
    assert [(gap.since, gap.until, gap.cause) for gap in found] == expected


def test_a_gap_names_what_began_and_what_ended_it() -> None:
    """A gap names the event that began it or the entry that ended it, so that an admin learns who did it."""
    reset = rebase(at(WEDNESDAY, 9), at(WEDNESDAY, 8))
    found = gaps_of(at(MONDAY, 9), [LINKED, LEFT], [OPENED, reset], account())
    assert [(gap.event, gap.entry) for gap in found] == [
        (None, None),
        (LINKED, None),
        (LEFT, None),
        (None, reset[0]),
    ]


@pytest.mark.parametrize(
    ("since", "until", "touches"),
    [
        (at(MONDAY), at(TUESDAY), False),
        (at(MONDAY), at(TUESDAY, 0.01), True),
        (at(TUESDAY, 23.99), at(FRIDAY), True),
        (at(WEDNESDAY), at(FRIDAY), False),
        (at(MONDAY), None, True),
        (at(WEDNESDAY), None, False),
    ],
)
def test_a_gap_touches_the_days_that_it_lies_on(since: datetime, until: datetime | None, touches: bool) -> None:
    """A gap touches a day if it covers any instant of it."""
    assert Gap(since, until, "left").touches(TUESDAY) is touches
