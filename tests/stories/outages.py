"""Stories of a board that cannot be read, or cannot be believed (R10, R12, R15, R15a)."""

from .language import Case, case
from .steps import (
    award,
    board,
    chats,
    daemon_off,
    enroll,
    excuse,
    five_chat,
    mee6_back,
    mee6_down,
    settle,
    sync,
    until,
    worker_settles,
)

DOWN = (
    enroll("Mon 09:05", "bo", 500),
    sync("Mon 09:15"),
    chats("Mon 10:00"),
    chats("Mon 10:00", "bo"),
    sync("Tue 11:45"),
    mee6_down("Tue 12:00"),
    chats("Wed 15:00"),
)
BACK = (mee6_back("Thu 12:00"), sync("Thu 12:00"), settle("Thu 12:00"))

FIVE = (*(enroll("Mon 09:05", name, 1_000) for name in ("bo", "cy", "dee", "eli")), sync("Mon 09:15"))
BUSY_TUESDAY = (*FIVE, five_chat("Mon Tue 10:00"), until("Thu 00:05"))
EMPTIED = (
    *FIVE,
    chats("Mon Tue 10:00"),
    sync("Tue 10:15"),
    board("Tue 23:00", ada=0, bo=0, cy=0, dee=0, eli=0),
    until("Wed 07:00"),
)

OUTAGES: dict[str, Case] = {
    "MEE6 down from Tuesday noon to Thursday noon: who chatted gets the doubt": case(
        *DOWN, *BACK, current=3, longest=3, active="2 3 4 5", settled="2 3 4", active_today=True, at_risk=False
    ),
    "MEE6 down from Tuesday noon to Thursday noon: who did not chat loses the streak": case(
        *DOWN, *BACK, who="bo", current=0, longest=1, active="2", settled="2 3 4"
    ),
    "while MEE6 is down nobody's streak breaks": case(
        *DOWN, until("Thu 11:00"), who="bo", current=1, longest=1, settled="2", pending="no_sync no_sync", at_risk=True
    ),
    "an award of the outage counts when its days are settled": case(
        *DOWN, award("Wed 16:00", "bo"), *BACK, who="bo", current=1, longest=1, active="2 4"
    ),
    "a web worker without a source waits while MEE6 is down": case(
        mee6_down("Mon 12:00"),
        award("Mon 13:00"),
        daemon_off("Mon 14:00"),
        worker_settles("Tue 00:05"),
        current=0,
        longest=0,
        active="2",
        settled="",
        pending="no_sync",
    ),
    "a web worker settles once somebody else has synced": case(
        mee6_down("Mon 12:00"),
        award("Mon 13:00"),
        daemon_off("Mon 14:00"),
        worker_settles("Tue 00:05"),
        mee6_back("Tue 07:00"),
        sync("Tue 08:00"),
        worker_settles("Tue 08:01"),
        current=1,
        longest=1,
        settled="2",
        pending="",
    ),
    "daemon off for nine days: who chatted gets the doubt": case(
        chats("Mon 10:00"),
        daemon_off("Tue 12:00"),
        chats("Fri 10:00"),
        sync("2026-03-12 12:00"),
        settle("2026-03-12 12:00"),
        current=8,
        longest=8,
        active="2 3 4 5 6 7 8 9 10 11 12",
        settled="2 3 4 5 6 7 8 9 10 11",
        active_today=True,
    ),
    "daemon off for nine days: who did not chat loses the streak": case(
        chats("Mon 10:00"),
        daemon_off("Tue 12:00"),
        sync("2026-03-12 12:00"),
        settle("2026-03-12 12:00"),
        current=0,
        longest=1,
        active="2",
        settled="2 3 4 5 6 7 8 9 10 11",
    ),
    "daemon off over a weekend": case(
        chats("Fri 10:00"),
        daemon_off("Fri 18:00"),
        sync("Mon 08:00"),
        settle("Mon 08:00"),
        current=1,
        longest=1,
        active="6 7 8 9",
        at_risk=False,
    ),
    "a distrusted board settles nothing": case(
        *EMPTIED, current=1, longest=1, settled="2", pending="no_sync", active="2 3"
    ),
    "a distrusted board that recovers has done nothing": case(
        *EMPTIED,
        board("Wed 08:00", ada=1_040, bo=1_000, cy=1_000, dee=1_000, eli=1_000),
        sync("Wed 08:00"),
        settle("Wed 08:00"),
        current=2,
        longest=2,
        settled="2 3",
        active="2 3",
    ),
}

FROZEN: dict[str, Case] = {
    "a board that freezes for a whole Wednesday": case(
        *BUSY_TUESDAY, current=2, longest=2, settled="2 3", pending="frozen", at_risk=True
    ),
    "an admin says that Wednesday was quiet": case(
        *BUSY_TUESDAY, settle("Thu 09:00", accept_quiet="Wed"), current=0, longest=2, settled="2 3 4", pending=""
    ),
    "an admin excuses the frozen Wednesday": case(
        *BUSY_TUESDAY,
        excuse("Thu 09:00", "Wed"),
        chats("Thu 10:00"),
        until("Fri 00:05"),
        current=3,
        longest=3,
        settled="2 3 4 5",
        pending="",
    ),
    "an admin's word about another day decides nothing": case(
        *BUSY_TUESDAY, settle("Thu 09:00", accept_quiet="Thu"), current=2, longest=2, settled="2 3", pending="frozen"
    ),
    "a frozen day holds the days after it": case(
        *BUSY_TUESDAY,
        chats("Thu 10:00"),
        until("Fri 00:05"),
        current=2,
        longest=2,
        settled="2 3",
        pending="frozen earlier",
        active="2 3 5",
    ),
    "the days that a frozen one held are settled with it": case(
        *BUSY_TUESDAY,
        chats("Thu 10:00"),
        settle("Fri 09:00", accept_quiet="Wed"),
        current=1,
        longest=2,
        settled="2 3 4 5",
        pending="",
    ),
    "an award does not show that the board is alive": case(
        *FIVE,
        five_chat("Mon Tue 10:00"),
        award("Wed 10:00"),
        until("Thu 00:05"),
        current=2,
        longest=2,
        pending="frozen",
    ),
    "an award of a frozen day counts when it is settled": case(
        *FIVE,
        five_chat("Mon Tue 10:00"),
        award("Wed 10:00"),
        settle("Thu 09:00", accept_quiet="Wed"),
        current=3,
        longest=3,
        active="2 3 4",
        settled="2 3 4",
    ),
    "four who rose are no measure": case(
        *FIVE,
        *(chats("Tue 10:00", name) for name in ("ada", "bo", "cy", "dee")),
        until("Thu 00:05"),
        current=0,
        longest=1,
        settled="2 3 4",
        pending="",
    ),
    "a quiet weekend after a busy Friday": case(
        *FIVE, five_chat("Fri 10:00"), until("Mon 00:05"), current=1, longest=1, settled="2 3 4 5 6 7 8", pending=""
    ),
    "a quiet Monday after a busy Friday": case(
        *FIVE,
        five_chat("Fri 10:00"),
        until("Tue 00:05"),
        current=1,
        longest=1,
        settled="2 3 4 5 6 7 8",
        pending="frozen",
    ),
}
