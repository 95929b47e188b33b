"""Stories of weeks and midnights (R12-R15)."""

from .language import Case, case
from .steps import award, chats, daemon_off, enroll, settle, sync, unlink, until

WEEKS: dict[str, Case] = {
    "nobody does anything": case(until("Wed 12:00"), current=0, longest=0, active="", settled="2 3", at_risk=False),
    "a chat of today is not in the streak yet": case(
        chats("Mon 10:00"), sync("Mon 10:15"), current=0, longest=0, active_today=True, at_risk=False, settled=""
    ),
    "yesterday's chat is a streak of one, at risk until something is done today": case(
        chats("Mon 10:00"), until("Tue 00:05"), current=1, longest=1, active_today=False, at_risk=True, settled="2"
    ),
    "yesterday's chat counts from its settling on, not from midnight": case(
        chats("Mon 10:00"), until("Tue 00:04"), current=0, longest=0, at_risk=False, settled="", active="2"
    ),
    "a day that is over and not settled is a risk as well": case(
        chats("Mon 10:00"), until("Wed 00:04"), current=1, longest=1, at_risk=True, settled="2"
    ),
    "no risk any more once today's chat was seen": case(
        chats("Mon Tue 10:00"), sync("Tue 10:15"), current=1, longest=1, active_today=True, at_risk=False
    ),
    "a chat that no sync has seen yet leaves the risk": case(
        chats("Mon Tue 10:00"), until("Tue 10:14"), current=1, longest=1, active_today=False, at_risk=True
    ),
    "a whole working week": case(
        chats("Mon Tue Wed Thu Fri 10:00"), until("Sat 12:00"), current=5, longest=5, active="2 3 4 5 6", at_risk=False
    ),
    "a weekend off breaks nothing": case(
        chats("Mon Tue Wed Thu Fri Mon 10:00"), until("Tue 00:05"), current=6, longest=6, settled="2 3 4 5 6 7 8 9"
    ),
    "a weekend at work adds nothing": case(
        chats("Fri Sat Sun 10:00"), until("Mon 00:05"), current=1, longest=1, active="6 7 8", at_risk=True
    ),
    "a chat on Sunday shows, though it adds nothing": case(
        chats("Fri Sun 10:00"), sync("Sun 10:15"), current=1, longest=1, active_today=True, at_risk=False
    ),
    "a weekend-only member": case(
        chats("Sat Sun Sat Sun 10:00"), until("Mon 12:00"), current=0, longest=0, active="7 8 14 15", at_risk=False
    ),
    "a missed Wednesday ends the row": case(chats("Mon Tue 10:00"), until("Thu 00:05"), current=0, longest=2),
    "a missed Friday shows on Saturday": case(chats("Thu 10:00"), until("Sat 00:05"), current=0, longest=1),
    "after a miss the row begins anew": case(chats("Mon Tue Thu 10:00"), until("Fri 00:05"), current=1, longest=2),
    "a later row may be the longest": case(chats("Mon Wed Thu Fri 10:00"), until("Sat 12:00"), current=3, longest=3),
    "a member enrolled on Wednesday has missed nothing": case(
        enroll("Wed 09:00", "bo", 500),
        sync("Wed 09:15"),
        chats("Wed Thu 10:00", "bo"),
        until("Fri 00:05"),
        who="bo",
        current=2,
        longest=2,
        active="4 5",
        settled="2 3 4 5",
    ),
    "another's chats are not one's own": case(
        enroll("Mon 09:30", "bo", 500), chats("Tue 10:00"), until("Wed 00:05"), who="bo", current=0, longest=0
    ),
}

MIDNIGHTS: dict[str, Case] = {
    "activity at 23:55 on Friday is seen by Saturday's sync at 00:00": case(
        sync("Fri 23:45"), chats("Fri 23:55"), until("Sat 00:05"), current=1, longest=1, active="6"
    ),
    "a manual sync at 23:59:30 credits the day that is ending": case(
        sync("Mon 23:45"),
        chats("Mon 23:50"),
        sync("Mon 23:59:30"),
        until("Tue 00:05"),
        current=1,
        longest=1,
        active="2",
    ),
    "what comes after a manual sync at 23:59:30 is seen at midnight": case(
        sync("Mon 23:59:30"), chats("Mon 23:59:50"), until("Tue 00:05"), current=1, longest=1, active="2"
    ),
    "no sync at midnight, the next at 00:15: both days count": case(
        daemon_off("Mon 12:00"),
        sync("Mon 23:45"),
        chats("Mon 23:50"),
        sync("Tue 00:15"),
        settle("Tue 00:15"),
        current=1,
        longest=1,
        active="2 3",
        active_today=True,
        at_risk=False,
    ),
    "no sync at midnight, the next at 00:04: the new day has no foothold": case(
        daemon_off("Mon 12:00"),
        sync("Mon 23:45"),
        chats("Mon 23:50"),
        sync("Tue 00:04"),
        settle("Tue 00:05"),
        current=1,
        longest=1,
        active="2",
        at_risk=True,
    ),
    "no sync at midnight, the next at 00:05: five minutes are a foothold": case(
        daemon_off("Mon 12:00"),
        sync("Mon 23:45"),
        chats("Tue 00:03"),
        sync("Tue 00:05"),
        settle("Tue 00:05"),
        current=1,
        longest=1,
        active="2 3",
    ),
    "a chat at 00:01 seen at 00:02 is of the new day alone": case(
        chats("Tue 00:01"), sync("Tue 00:02"), until("Tue 00:05"), current=0, longest=0, active="3", active_today=True
    ),
    "a sync that begins before midnight settles nothing": case(
        daemon_off("Mon 09:30"),
        chats("Mon 10:00"),
        sync("Mon 23:59:59"),
        settle("Tue 00:05"),
        current=0,
        longest=0,
        settled="",
        pending="no_sync",
        active="2",
    ),
    "a sync that begins at midnight settles the day, whoever did it": case(
        daemon_off("Mon 09:30"),
        chats("Mon 10:00"),
        sync("Tue 00:00"),
        settle("Tue 00:00"),
        current=1,
        longest=1,
        settled="2",
        pending="",
    ),
    "without a linked account a day is settled when it is over": case(
        award("Mon 10:00"),
        unlink("Mon 11:00"),
        daemon_off("Mon 11:00"),
        settle("Tue 00:00"),
        current=1,
        longest=1,
        settled="2",
    ),
    "settling again changes nothing": case(
        chats("Mon Tue 10:00"),
        until("Wed 00:05"),
        settle("Wed 00:06"),
        settle("Wed 12:00"),
        current=2,
        longest=2,
        settled="2 3",
        pending="",
    ),
}
