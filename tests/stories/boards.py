"""Stories of which members the board shows, and with how much XP (R2, R5-R7, R11, R11a, R12, R16)."""

from .language import Case, case
from .steps import (
    award,
    board,
    chats,
    daemon_off,
    enroll,
    enroll_unlinked,
    leave,
    link,
    missing,
    rejoin,
    season_reset,
    settle,
    sync,
    unlink,
    until,
)

AWAY = (chats("Mon 10:00"), leave("Tue 09:00"), daemon_off("Tue 09:30"))
AGAIN = (rejoin("2026-05-04 10:00"), sync("2026-05-04 10:15"), sync("2026-05-05 00:00"), settle("2026-05-05 00:05"))

BOARDS: dict[str, Case] = {
    "a rise of 1 XP is activity, though it pays nothing": case(
        chats("Mon 10:00", "ada", 1), until("Tue 00:05"), current=1, longest=1, active="2"
    ),
    "a deduction is not activity": case(
        chats("Mon 10:00"), board("Tue 10:00", ada=100), until("Wed 00:05"), current=0, longest=1, active="2"
    ),
    "a stale page that dips and recovers": case(
        board("Tue 10:00", ada=900),
        sync("Tue 10:00"),
        board("Tue 10:10", ada=1_000),
        sync("Tue 10:15"),
        until("Wed 00:05"),
        current=0,
        longest=0,
        active="",
    ),
    "a stale page that dips, and a message when it recovers": case(
        board("Tue 10:00", ada=900),
        sync("Tue 10:00"),
        board("Tue 10:10", ada=1_020),
        sync("Tue 10:15"),
        until("Wed 00:05"),
        current=1,
        longest=1,
        active="3",
    ),
    "XP removed by an admin, followed by real chat": case(
        board("Tue 10:00", ada=500),
        sync("Tue 10:00"),
        chats("Tue 10:05"),
        sync("Tue 10:15"),
        chats("Tue 10:20"),
        sync("Tue 10:30"),
        until("Wed 00:05"),
        current=1,
        longest=1,
        active="3",
    ),
    "XP removed by an admin, followed by a message that might be a recovery": case(
        board("Tue 10:00", ada=500),
        sync("Tue 10:00"),
        chats("Tue 10:05"),
        sync("Tue 10:15"),
        until("Wed 00:05"),
        current=0,
        longest=0,
        active="",
    ),
    "XP removed by an admin, seen twice, followed by real chat": case(
        board("Tue 10:00", ada=500),
        sync("Tue 10:00"),
        sync("Tue 10:15"),
        chats("Tue 10:20"),
        until("Wed 00:05"),
        current=1,
        longest=1,
        active="3",
    ),
    "a season reset is not activity": case(
        chats("Mon 10:00"),
        board("Tue 10:00", ada=50),
        season_reset("Tue 10:00"),
        until("Wed 00:05"),
        current=0,
        longest=1,
        active="2",
    ),
    "the first message after a season reset is": case(
        chats("Mon 10:00"),
        board("Tue 10:00", ada=50),
        season_reset("Tue 10:00"),
        chats("Tue 10:05"),
        until("Wed 00:05"),
        current=2,
        longest=2,
        active="2 3",
    ),
    "absent for two days and back with more XP: only the last window counts": case(
        chats("Mon 10:00"),
        board("Tue 10:00", ada=None),
        board("Thu 10:00", ada=1_040),
        until("Fri 00:05"),
        current=1,
        longest=1,
        active="2 5",
    ),
    "a missed account seems idle until it is looked for": case(
        chats("Mon 10:00"),
        missing("Tue 09:00", "ada"),
        chats("Wed 10:00"),
        until("Thu 09:00"),
        current=0,
        longest=1,
        active="2",
        settled="2 3 4",
    ),
    "a missed account's window reaches back into settled days": case(
        chats("Mon 10:00"),
        missing("Tue 09:00", "ada"),
        chats("Wed 10:00"),
        missing("Thu 09:00"),
        sync("Thu 10:00"),
        current=3,
        longest=3,
        active="2 3 4 5",
        settled="2 3 4",
        active_today=True,
        at_risk=False,
    ),
    "a missed account that was idle": case(
        chats("Mon 10:00"),
        missing("Tue 09:00", "ada"),
        missing("Thu 09:00"),
        sync("Thu 10:00"),
        current=0,
        longest=1,
        active="2",
    ),
}

COMINGS: dict[str, Case] = {
    "an opening with much XP is not activity": case(
        enroll("Tue 09:00", "bo", 5_000), until("Thu 00:05"), who="bo", current=0, longest=0, active=""
    ),
    "a zero-XP record whose first message comes four weeks later": case(
        enroll("Mon 09:05", "bo"),
        sync("Mon 09:15"),
        chats("2026-03-30 10:00", "bo"),
        until("Tue 00:05"),
        who="bo",
        current=1,
        longest=1,
        active="30",
    ),
    "XP that an earlier board missed is not activity": case(
        enroll("Mon 09:05", "bo"),
        sync("Mon 09:15"),
        board("Tue 10:00", bo=100_000),
        sync("Tue 10:15"),
        until("Wed 00:05"),
        who="bo",
        current=0,
        longest=0,
        active="",
    ),
    "a member who returns after two months with more XP was active since the return": case(
        *AWAY, board("2026-04-01 10:00", ada=3_000), *AGAIN, current=1, longest=1, active="2 4", pending=""
    ),
    "a member who returns after two months with the same XP": case(
        *AWAY, *AGAIN, current=0, longest=1, active="2", pending=""
    ),
    "a lower reading after a return is not activity": case(
        chats("Mon 10:00"),
        leave("Tue 09:00"),
        board("Wed 09:00", ada=10),
        rejoin("Wed 10:00"),
        until("Thu 00:05"),
        current=0,
        longest=1,
        active="2",
    ),
    "days away from Discord are required like others": case(
        chats("Mon 10:00"), leave("Tue 09:00"), until("Wed 00:05"), current=0, longest=1, settled="2 3"
    ),
    "who is away from Discord may be active elsewhere": case(
        chats("Mon 10:00"), leave("Tue 09:00"), award("Tue 10:00"), until("Wed 00:05"), current=2, longest=2
    ),
    "a new link of the same id goes on with the streak": case(
        chats("Mon 10:00"),
        unlink("Tue 09:00"),
        link("Tue 09:30"),
        sync("Tue 09:45"),
        chats("Tue 10:00"),
        until("Wed 00:05"),
        current=2,
        longest=2,
        active="2 3",
    ),
    "what was written before a new link's opening is not seen": case(
        chats("Mon 10:00"),
        unlink("Tue 09:00"),
        link("Tue 09:30"),
        chats("Tue 10:00"),
        until("Wed 00:05"),
        current=0,
        longest=1,
        active="2",
    ),
    "a Discord id that changes hands brings no streak along": case(
        enroll_unlinked("Mon 09:05", "bo"),
        chats("Mon 10:00"),
        unlink("Tue 09:00"),
        link("Tue 09:05", "bo", "ada"),
        sync("Tue 09:15"),
        chats("Tue 10:00"),
        until("Wed 00:05"),
        who="bo",
        current=1,
        longest=1,
        active="3",
    ),
}
