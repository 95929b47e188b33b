"""Stories of leap days, years and holidays (R13, R16)."""

from .language import Case, case
from .steps import (
    award_each_day,
    chats,
    confirm_clock,
    daemon_off,
    enroll,
    excuse,
    excuse_alone,
    settle,
    sync,
    unexcuse,
    unexcuse_alone,
    unlink,
    until,
)

CALENDARS: dict[str, Case] = {
    "a leap day is a day like any other": case(
        chats("Mon Tue Wed 10:00"),
        until("Thu 00:05"),
        begins="2028-02-28 09:00",
        current=3,
        longest=3,
        active="28 29 1",
    ),
    "a leap day missed ends the row": case(
        chats("Mon Wed 10:00"), until("Thu 00:05"), begins="2028-02-28 09:00", current=1, longest=1
    ),
    "February ends on a Sunday in a common year": case(
        chats("Fri Mon 10:00"), until("Tue 00:05"), begins="2027-02-26 09:00", current=2, longest=2, active="26 1"
    ),
    "over New Year": case(
        chats("Wed Thu Fri Mon 10:00"),
        until("Tue 00:05"),
        begins="2026-12-30 09:00",
        current=4,
        longest=4,
        active="30 31 1 4",
    ),
    "New Year's Day is required unless somebody excuses it": case(
        chats("Wed Thu Mon 10:00"), until("Tue 00:05"), begins="2026-12-30 09:00", current=1, longest=2
    ),
    "New Year's Day off": case(
        excuse("Wed 09:30", "2027-01-01"),
        chats("Wed Thu Mon 10:00"),
        until("Tue 00:05"),
        begins="2026-12-30 09:00",
        current=3,
        longest=3,
    ),
    "a quarter of a year": case(
        daemon_off("2026-01-01 09:00"),
        unlink("2026-01-01 09:30"),
        award_each_day("2026-03-31 12:00", "2026-01-01", "2026-03-31"),
        confirm_clock("2026-04-01 00:04"),
        settle("2026-04-01 00:05"),
        begins="2026-01-01 09:00",
        current=64,
        longest=64,
        at_risk=True,
    ),
    "a year and a day, in which MEE6 was read twice": case(
        daemon_off("2026-01-01 09:00"),
        chats("2026-06-01 10:00"),
        sync("2027-01-01 12:00"),
        settle("2027-01-01 12:00"),
        begins="2026-01-01 09:00",
        current=261,
        longest=261,
        active_today=True,
        at_risk=False,
    ),
}

HOLIDAYS: dict[str, Case] = {
    "a holiday excused before it comes": case(
        excuse("Mon 09:30", "Wed"), chats("Mon Tue Thu 10:00"), until("Fri 00:05"), current=3, longest=3
    ),
    "a holiday excused after it was settled joins two rows": case(
        chats("Mon Tue Thu 10:00"), excuse("Fri 12:00", "Wed"), current=3, longest=3, at_risk=True
    ),
    "a holiday excused late heals a streak that it broke": case(
        chats("Mon Tue 10:00"), excuse("Thu 12:00", "Wed"), current=2, longest=2, at_risk=True
    ),
    "a holiday excused late heals no other miss": case(
        chats("Mon 10:00"), excuse("Thu 12:00", "Wed"), current=0, longest=1
    ),
    "a late excuse undone": case(
        chats("Mon Tue Thu 10:00"), excuse("Fri 12:00", "Wed"), unexcuse("Fri 13:00", "Wed"), current=1, longest=2
    ),
    "an excuse undone before the day is settled": case(
        excuse("Mon 09:30", "Wed"),
        unexcuse("Tue 09:00", "Wed"),
        chats("Tue Thu 10:00"),
        until("Fri 00:05"),
        current=1,
        longest=1,
    ),
    "a holiday on which one worked counts like a working day": case(
        excuse("Mon 09:30", "Wed"), chats("Mon Tue Wed 10:00"), until("Thu 00:05"), current=3, longest=3
    ),
    "who worked on a holiday loses nothing when it is required again": case(
        excuse("Mon 09:30", "Wed"), chats("Mon Tue Wed 10:00"), unexcuse("Thu 12:00", "Wed"), current=3, longest=3
    ),
    "a day at work that is excused later still counts": case(
        chats("Mon Tue 10:00"), excuse("Wed 12:00", "Tue"), current=2, longest=2
    ),
    "on a holiday there is no risk": case(
        chats("Mon 10:00"), excuse("Tue 09:00", "Tue"), current=1, longest=1, active_today=False, at_risk=False
    ),
    "a week off": case(
        excuse("Mon 09:30", "2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13"),
        chats("Fri 10:00"),
        chats("2026-03-16 10:00"),
        until("Tue 00:05"),
        current=2,
        longest=2,
        active="6 16",
    ),
    "only holidays: no streak, and none broken": case(
        excuse("Mon 09:30", "Mon", "Tue", "Wed"), until("Thu 00:05"), current=0, longest=0, settled="2 3 4"
    ),
}

ALONE: dict[str, Case] = {
    "ill for two days, excused before": case(
        excuse_alone("Mon 09:30", "Tue", "Wed"), chats("Mon Thu 10:00"), until("Fri 00:05"), current=2, longest=2
    ),
    "ill, excused once it had broken the streak": case(
        chats("Mon Tue Thu 10:00"), excuse_alone("Fri 12:00", "Wed"), current=3, longest=3, at_risk=True
    ),
    "excused too late to heal another miss": case(
        chats("Mon 10:00"), excuse_alone("Thu 12:00", "Wed"), current=0, longest=1
    ),
    "somebody else's excuse is no excuse": case(
        enroll("Mon 09:01", "bo"), chats("Mon Tue 10:00"), excuse_alone("Thu 12:00", "Wed", name="bo"), current=0
    ),
    "an excuse for one undone": case(
        chats("Mon Tue Thu 10:00"),
        excuse_alone("Fri 12:00", "Wed"),
        unexcuse_alone("Fri 13:00", "Wed"),
        current=1,
        longest=2,
    ),
    "at work though excused": case(
        excuse_alone("Mon 09:30", "Wed"), chats("Mon Tue Wed 10:00"), until("Thu 00:05"), current=3, longest=3
    ),
    "today excused: no risk": case(
        chats("Mon 10:00"), excuse_alone("Tue 09:00", "Tue"), current=1, longest=1, active_today=False, at_risk=False
    ),
    "a holiday on an excused day, and the holiday is required again": case(
        excuse_alone("Mon 09:30", "Wed"),
        excuse("Mon 09:31", "Wed"),
        chats("Mon Tue Thu 10:00"),
        unexcuse("Fri 12:00", "Wed"),
        current=3,
        longest=3,
    ),
    "ill from Thursday over a holiday to Monday": case(
        chats("Mon Tue Wed 10:00"),
        excuse_alone("Thu 09:00", "Thu", "2026-03-09"),
        excuse("Thu 09:01", "Fri"),
        chats("2026-03-10 10:00"),
        until("Wed 00:05"),
        current=4,
        longest=4,
        active="2 3 4 10",
    ),
}
