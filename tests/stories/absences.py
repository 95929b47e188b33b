"""Stories of true and mistaken leaves, links and other boards (R6, R6a, R7, R24); results are worked out by hand."""

from .language import Case, Step, case
from .steps import adopt, award, board, enroll, leave, link, missing, never_left, rejoin, sync, unlink, until

THREE_DAYS: tuple[Step, ...] = tuple(
    board(f"{day} 10:00", ada=xp) for day, xp in (("Mon", 1_100), ("Tue", 1_200), ("Wed", 1_300))
)
"""A point each on Monday, Tuesday and Wednesday: 3 points, a streak of 3."""
LEAVE = (*THREE_DAYS, leave("Thu 09:00"))
CHATTED = (*LEAVE, board("Thu 10:00", ada=1_400), board("Mon 09:00", ada=1_500))
RESET = (*LEAVE, board("Fri 10:00", ada=50), rejoin("Mon 09:00"))
TWELVE_DAYS = (*LEAVE, board("2026-03-10 10:00", ada=1_700))
ZERO = (enroll("Mon 10:00", "bo"), leave("Tue 09:00", "bo"), board("Wed 10:00", bo=1_800))

MISTAKES: dict[str, Case] = {
    "left by mistake over a weekend, and chatted": case(
        *CHATTED, never_left("Mon 09:10"), until("Tue 00:05"), points=5, current=6, longest=6, active="2 3 4 5 6 7 8 9"
    ),
    "left by mistake over a weekend, and said nothing": case(
        *LEAVE, never_left("Mon 09:10"), until("Tue 00:05"), points=3, current=0, longest=3, active="2 3 4"
    ),
    "the mistake is found after a return was noted": case(
        *CHATTED,
        rejoin("Mon 09:05"),
        never_left("Mon 09:10"),
        until("Tue 00:05"),
        points=5,
        current=6,
        active="2 3 4 5 6 7 8 9",
    ),
    "the mistake is found after the return was read: what it paid stands, and the days are mended": case(
        *CHATTED,
        rejoin("Mon 09:05"),
        sync("Mon 09:15"),
        never_left("Mon 09:30"),
        until("Tue 00:05"),
        points=5,
        current=6,
        longest=6,
        active="2 3 4 5 6 7 8 9",
    ),
    "a return that was read, and nobody said that it was a mistake": case(
        *CHATTED, rejoin("Mon 09:05"), sync("Mon 09:15"), until("Tue 00:05"), points=5, current=1, active="2 3 4 9"
    ),
    "undone, and undone again": case(
        *CHATTED, never_left("Mon 09:10"), never_left("Mon 09:20"), until("Tue 00:05"), points=5, current=6
    ),
    "XP taken away during a leave that was a mistake is deducted": case(
        *LEAVE,
        board("Thu 10:00", ada=1_150),
        never_left("Sat 09:00"),
        until("Sun 00:05"),
        points=1,
        current=0,
        longest=3,
        active="2 3 4",
    ),
    "a return that was rebased stays rebased, though the leave was a mistake": case(
        *RESET,
        sync("Mon 09:15"),
        never_left("Mon 09:30"),
        board("Mon 10:00", ada=150),
        until("Tue 00:05"),
        points=4,
        current=1,
        active="2 3 4 9",
    ),
    "twelve days by mistake: all is paid, and the days are excused": case(
        *TWELVE_DAYS,
        never_left("2026-03-17 09:00"),
        until("2026-03-18 00:05"),
        points=7,
        current=4,
        longest=4,
        active="2 3 4 17",
    ),
    "twelve days by mistake, without a word: nothing breaks on them, and the next weekday does": case(
        *LEAVE, never_left("2026-03-17 09:00"), until("2026-03-18 00:05"), points=3, current=3, active="2 3 4"
    ),
    "twelve days by mistake, and a silent day after them": case(
        *LEAVE, never_left("2026-03-17 09:00"), until("2026-03-19 00:05"), points=3, current=0, longest=3
    ),
    "twelve days by mistake, found after the return was read": case(
        *TWELVE_DAYS,
        rejoin("2026-03-17 09:00"),
        sync("2026-03-17 09:15"),
        never_left("2026-03-17 09:30"),
        until("2026-03-18 00:05"),
        points=7,
        current=4,
        active="2 3 4 17",
    ),
    "seven days to the minute are mended": case(
        *LEAVE,
        board("Fri 10:00", ada=1_400),
        never_left("2026-03-12 09:00"),
        until("2026-03-13 00:05"),
        points=4,
        current=9,
        active="2 3 4 5 6 7 8 9 10 11 12",
    ),
    "a minute more and they are excused": case(
        *LEAVE,
        board("Fri 10:00", ada=1_400),
        never_left("2026-03-12 09:01"),
        until("2026-03-13 00:05"),
        points=4,
        current=4,
        active="2 3 4 12",
    ),
    "an hour by mistake": case(
        *LEAVE, board("Thu 09:30", ada=1_399), never_left("Thu 10:00"), until("Fri 00:05"), points=3, current=4
    ),
    "left by mistake before the first reading: it opens": case(
        enroll("Mon 10:00", "bo", 500),
        leave("Mon 11:00", "bo"),
        board("Tue 10:00", bo=900),
        never_left("Wed 09:00", "bo"),
        board("Thu 10:00", bo=1_000),
        until("Fri 00:05"),
        who="bo",
        points=1,
        current=1,
        active="5",
    ),
    "left by mistake as a zero-XP record, for four days": case(
        *ZERO, never_left("Fri 09:00", "bo"), until("Sat 00:05"), who="bo", points=18, current=4, active="3 4 5 6"
    ),
    "left by mistake as a zero-XP record, for ten days": case(
        *ZERO,
        never_left("2026-03-13 09:00", "bo"),
        until("2026-03-14 00:05"),
        who="bo",
        points=18,
        current=1,
        active="13",
    ),
    "missed before the leave: the window reaches back to the last look": case(
        board("Mon 10:00", ada=1_100),
        missing("Tue 12:00", "ada"),
        leave("Wed 09:00"),
        missing("Wed 10:00"),
        board("Wed 11:00", ada=1_200),
        never_left("Thu 09:00"),
        until("Fri 00:05"),
        points=2,
        current=4,
        active="2 3 4 5",
    ),
    "absent before the leave: a lower reading is a fall": case(
        board("Mon 10:00", ada=1_100),
        board("Tue 10:00", ada=None),
        leave("Wed 09:00"),
        never_left("Thu 09:00"),
        board("Thu 10:00", ada=1_050),
        until("Fri 00:05"),
        points=0,
        current=0,
        active="2",
    ),
    "the last of two leaves was a mistake, the first was not": case(
        *LEAVE,
        rejoin("Fri 09:00"),
        leave("Fri 10:00"),
        never_left("Fri 11:00"),
        board("Fri 12:00", ada=50),
        until("Sat 00:05"),
        points=3,
        current=0,
        active="2 3 4",
    ),
    "another board was adopted during a leave that was a mistake": case(
        *LEAVE,
        adopt("Fri 10:00", ada=90_000),
        never_left("Fri 12:00"),
        board("Sat 10:00", ada=90_100),
        until("Sun 00:05"),
        points=4,
        current=0,
        longest=3,
        active="2 3 4 7",
    ),
}
"""Leaves that were undone."""

ABSENCES: dict[str, Case] = {
    "left, reset by MEE6 and back": case(
        *RESET,
        sync("Mon 09:15"),
        board("Mon 10:00", ada=150),
        until("Tue 00:05"),
        points=4,
        current=1,
        longest=3,
        active="2 3 4 9",
    ),
    "left, and earning benchmarks all the same": case(
        board("Mon 10:00", ada=1_100),
        leave("Tue 09:00"),
        award("Tue Wed Thu 10:00"),
        until("Fri 00:05"),
        points=31,
        current=4,
        active="2 3 4 5",
    ),
    "unlinked and linked again within a minute": case(
        board("Mon 10:00", ada=1_100),
        board("Tue 09:00", ada=1_200),
        unlink("Tue 10:00"),
        link("Tue 10:01"),
        board("Wed 10:00", ada=1_300),
        until("Thu 00:05"),
        points=2,
        current=1,
        longest=1,
        active="2 4",
    ),
    "another board with somebody who waits": case(
        enroll("Mon 10:00", "bo", 500),
        adopt("Mon 11:00", ada=9_000, bo=5_000),
        board("Tue 10:00", bo=5_100),
        until("Wed 00:05"),
        who="bo",
        points=1,
        current=1,
        active="3",
    ),
    "another board without somebody who was absent: what it shows later is paid": case(
        enroll("Mon 09:30", "bo", 500),
        sync("Mon 10:00"),
        board("Mon 10:30", bo=None),
        sync("Mon 10:45"),
        adopt("Mon 11:00", ada=9_000),
        board("Tue 10:00", bo=700),
        until("Wed 00:05"),
        who="bo",
        points=7,
        current=1,
        active="3",
    ),
    "another board while away, and a true return": case(
        *LEAVE,
        adopt("Fri 10:00", ada=90_000),
        rejoin("Fri 12:00"),
        board("Sat 10:00", ada=90_100),
        until("Sun 00:05"),
        points=4,
        current=0,
        active="2 3 4 7",
    ),
}
"""True leaves, links and other boards."""
