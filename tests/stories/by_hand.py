"""Stories of awards, adjustments and reversals (R8, R11, R16)."""

from .language import Case, case
from .steps import adjust, award, chats, enroll_unlinked, reverse, until

AWARDS: dict[str, Case] = {
    "benchmarks alone, without a Discord account": case(
        enroll_unlinked("Mon 09:05", "dee"),
        award("Mon Tue 10:00", "dee"),
        until("Wed 00:05"),
        who="dee",
        current=2,
        longest=2,
        active="2 3",
    ),
    "a benchmark and a chat on one day count once": case(
        chats("Mon 10:00"), award("Mon 11:00"), until("Tue 00:05"), current=1, longest=1, active="2"
    ),
    "a benchmark makes today active at once": case(
        award("Mon 10:00"), current=0, longest=0, active_today=True, at_risk=False
    ),
    "a benchmark booked on Tuesday for last Thursday": case(
        chats("Wed Fri Mon 10:00"),
        award("Tue 12:00", happened="last Thu 15:00"),
        current=4,
        longest=4,
        active="4 5 6 9",
        at_risk=True,
    ),
    "a benchmark booked late, with nothing around it": case(
        award("2026-03-10 12:00", happened="last Thu 15:00"), current=0, longest=1, active="5"
    ),
    "a benchmark booked for a missed yesterday heals the streak": case(
        chats("Mon 10:00"), award("Wed 12:00", happened="last Tue 20:00"), current=2, longest=2, at_risk=True
    ),
    "a late award joins two rows": case(
        chats("Mon Tue Thu Fri 10:00"), award("Sat 12:00", happened="last Wed 09:00"), current=5, longest=5
    ),
    "a late award puts a day before the row": case(
        chats("Tue Wed 10:00"), award("Thu 12:00", happened="last Mon 08:00"), current=3, longest=3, active="2 3 4"
    ),
    "a late award may lengthen an old row without touching the last": case(
        chats("Mon Tue Fri 10:00"), award("Sat 12:00", happened="last Wed 09:00"), current=1, longest=3
    ),
    "a late award for a weekend adds nothing": case(
        chats("Fri 10:00"), award("Mon 12:00", happened="last Sun 12:00"), current=1, longest=1, active="6 8"
    ),
    "an award for the Friday before anybody was enrolled, booked before the first settling": case(
        award("Mon 10:00", happened="2026-02-27 15:00"),
        chats("Mon 10:05"),
        until("Tue 00:05"),
        current=2,
        longest=2,
        active="27 2",
        settled="2",
    ),
    "an award for the Friday before anybody was enrolled, booked after the first settling": case(
        chats("Mon 10:00"),
        award("Tue 12:00", happened="2026-02-27 15:00"),
        current=2,
        longest=2,
        active="27 2",
        settled="2",
    ),
    "two minutes ahead, just before midnight, is still today": case(
        award("Mon 23:59", happened="2026-03-03 00:01"), until("Tue 00:05"), current=1, longest=1, active="2"
    ),
    "booked just after midnight for just before it": case(
        award("Tue 00:02", happened="last Mon 23:58"), until("Tue 00:05"), current=1, longest=1, active="2"
    ),
    "booked just after the settling for just before midnight": case(
        award("Tue 00:06", happened="last Mon 23:58"), current=1, longest=1, active="2", active_today=False
    ),
    "the same key again moves no day": case(
        award("Mon 10:00", key="run"),
        award("Tue 10:00", key="run"),
        until("Wed 00:05"),
        current=0,
        longest=1,
        active="2",
    ),
    "an adjustment is not activity": case(
        adjust("Mon 10:00", 50), adjust("Mon 11:00", -20), until("Tue 00:05"), current=0, longest=0, active=""
    ),
}

REVERSALS: dict[str, Case] = {
    "the only award of a settled day reversed": case(
        award("Mon 10:00"),
        award("Tue 10:00", key="run"),
        reverse("Wed 12:00", "run"),
        current=0,
        longest=1,
        active="2",
    ),
    "the only award of a day reversed before it is settled": case(
        award("Mon 10:00"),
        award("Tue 10:00", key="run"),
        reverse("Tue 11:00", "run"),
        until("Wed 00:05"),
        current=0,
        longest=1,
        active="2",
    ),
    "the only award of today reversed": case(
        award("Mon 10:00", key="run"), reverse("Mon 11:00", "run"), current=0, longest=0, active_today=False, active=""
    ),
    "one of two awards of a day reversed": case(
        award("Mon Tue 10:00"),
        award("Tue 11:00", key="run"),
        reverse("Wed 12:00", "run"),
        current=2,
        longest=2,
        active="2 3",
    ),
    "both awards of a day reversed": case(
        award("Mon 10:00"),
        award("Tue 10:00", key="run"),
        award("Tue 11:00", key="walk"),
        reverse("Wed 12:00", "run"),
        reverse("Wed 12:01", "walk"),
        current=0,
        longest=1,
        active="2",
    ),
    "an award reversed on a day on which one chatted": case(
        chats("Mon Tue 10:00"),
        award("Tue 11:00", key="run"),
        reverse("Wed 12:00", "run"),
        current=2,
        longest=2,
        active="2 3",
    ),
    "a reversal splits a row": case(
        award("Mon Tue 10:00"),
        award("Wed 10:00", key="run"),
        award("Thu Fri 10:00"),
        reverse("Sat 12:00", "run"),
        current=2,
        longest=2,
        active="2 3 5 6",
    ),
    "a reversal takes a record back": case(
        award("Mon Tue 10:00"), award("Wed 10:00", key="run"), reverse("Fri 12:00", "run"), current=0, longest=2
    ),
    "a late award and its reversal": case(
        chats("Mon Tue Thu Fri 10:00"),
        award("Sat 12:00", key="run", happened="last Wed 09:00"),
        reverse("Sat 13:00", "run"),
        current=2,
        longest=2,
        active="2 3 5 6",
    ),
    "another award in place of a reversed one": case(
        award("Mon 10:00"),
        award("Tue 10:00", key="run"),
        reverse("Wed 12:00", "run"),
        award("Wed 13:00", key="rerun", happened="last Tue 10:00"),
        current=2,
        longest=2,
        active="2 3",
    ),
    "the award of a Saturday reversed": case(
        chats("Fri 10:00"), award("Sat 10:00", key="run"), reverse("Mon 12:00", "run"), current=1, longest=1, active="6"
    ),
    "a reversal is no activity on its own day": case(
        award("Mon 10:00", key="run"), reverse("Tue 10:00", "run"), until("Wed 00:05"), current=0, longest=0, active=""
    ),
}
