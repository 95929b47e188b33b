"""What the doctor reports about all that is stored besides the entries, in exact words (R7, R9, R11, R14)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from support.sound_books import ENTRIES, FRI, HELD, MON, SAT, SUN, THU, TUE, WED, Kept, account, at, found
from trc_engage.core.audit import CHECKS, Breach, Holdings, Rises
from trc_engage.core.days import Calendar
from trc_engage.core.model import TOMBSTONE
from trc_engage.core.streaks import Streak
from trc_engage.usecases.audit import audit

_NEXT = "account: account 1: the next reading of an account that is"
_BACKWARDS = "2026-03-03 09:00:00 to 2026-03-02 09:00:00, expected one that opens before it closes"
_SHORT = "2026-03-05 09:00:00 to 2026-03-06 00:04:00, expected one that counts for that day"
ACCOUNTS: Sequence[tuple[int, Mapping[str, Any], Sequence[str]]] = [
    (
        1,
        {"status": "waiting"},
        [f"{_NEXT} waiting is one that continues, expected one that opens"],
    ),
    (
        1,
        {"status": "waiting", "next_reading": "opens"},
        ["account: account 1: its opening is there, expected none before it is opened"],
    ),
    (
        1,
        {"status": "absent", "next_reading": "begins"},
        [
            f"{_NEXT} absent is one that begins, expected one that continues or rebases or returns",
            "account: account 1: the XP of a zero-XP record is 850, expected 0",
        ],
    ),
    (
        1,
        {"next_reading": "opens"},
        [
            f"{_NEXT} tracked is one that opens, expected one that begins or continues or rebases or returns",
            "account: account 1: its opening is there, expected none before it is opened",
        ],
    ),
    (
        1,
        {"status": "left", "window_from": at(TUE, 9)},
        [
            "account: account 1: the window of an account that is left is 2026-03-03T09:00:00+00:00, expected nothing",
            "event: event 3: the account that it is about is left, expected there, as it says",
        ],
    ),
    (1, {"version": 7}, ["account: account 1: its version is 7, expected 8 or more"]),
    (
        1,
        {"member_id": "bo"},
        [
            "account: account 1: its member is another than that of its entries, expected the same",
            "link: account 2: the link of its member is a second one, expected one: account 1 has it",
            "event: event 1: the member of its account is another, expected its own",
            "event: event 2: the member of its account is another, expected its own",
            "event: event 3: the member of its account is another, expected its own",
            "streak: member 'ada': the streak is 4 to 2026-03-05 (longest 4), expected none (longest 0)",
            "streak: member 'bo': the streak is 1 to 2026-03-04 (longest 1), expected 4 to 2026-03-05 (longest 4)",
        ],
    ),
    (
        1,
        {"xp_baseline": 500},
        [
            "account: account 1: its baseline is 500, expected 600, as entry 12 left it",
            "account: account 1: floor((XP 850 - baseline 500) / 100) is 3, expected 2, the sum of its entries",
        ],
    ),
    (1, {"xp_posted": 700}, ["account: account 1: its XP at the last entry is 700, expected 800, as entry 12 left it"]),
    (
        1,
        {"xp_total": 900},
        [
            "account: account 1: floor((XP 900 - baseline 600) / 100) is 3, expected 2, the sum of its entries",
            "account: account 1: the higher of its last two readings is 850, expected 900 or more, the last one",
        ],
    ),
    (
        1,
        {"xp_total": -10, "xp_high": -10, "xp_baseline": -260},
        [
            "account: account 1: its baseline is -260, expected 600, as entry 12 left it",
            "account: account 1: its XP is -10, expected 0 or more",
        ],
    ),
    (
        1,
        {"xp_high": 849},
        ["account: account 1: the higher of its last two readings is 849, expected 850 or more, the last one"],
    ),
    (
        2,
        {"status": "tracked", "next_reading": "continues"},
        ["account: account 2: its opening is missing, expected there"],
    ),
    (2, {"xp_total": 40}, ["account: account 2: its XP before the opening is 40, expected 0"]),
    (
        2,
        {"xp_baseline": 1, "xp_total": 2, "xp_posted": 3, "xp_high": 4},
        [
            "account: account 2: its XP before the opening is 2, expected 0",
            "account: account 2: its baseline before the opening is 1, expected 0",
            "account: account 2: its XP at the last entry before the opening is 3, expected 0",
            "account: account 2: the higher of its last two readings before the opening is 4, expected 0",
        ],
    ),
    (
        2,
        {"xp_high": 40},
        ["account: account 2: the higher of its last two readings before the opening is 40, expected 0"],
    ),
    (
        2,
        {"window_from": at(MON, 9)},
        ["account: account 2: the window of an account that is waiting is 2026-03-02T09:00:00+00:00, expected nothing"],
    ),
    (2, {"version": 0}, ["account: account 2: its version is 0, expected 1 or more"]),
    (
        2,
        {"discord_id": "101"},
        ["link: account 2: the link of its Discord id is a second one, expected one: account 1 has it"],
    ),
    (2, {"discord_id": "bo#1"}, ["link: account 2: the Discord id is no Discord id, expected 1 to 20 digits"]),
    (
        2,
        {"discord_id": TOMBSTONE},
        ["link: account 2: the Discord id of a linked account is forgotten, expected there"],
    ),
    (2, {"member_id": "zoe"}, ["link: account 2: its member is unknown, expected an enrolled one"]),
    (
        2,
        {"member_id": "ada"},
        ["link: account 2: the link of its member is a second one, expected one: account 1 has it"],
    ),
    (
        3,
        {"status": "tracked"},
        [
            "link: account 3: the account of somebody forgotten is tracked, expected unlinked",
            "link: account 3: the Discord id of a linked account is forgotten, expected there",
            "event: event 4: the account that it is about is tracked, expected as it says",
        ],
    ),
    (
        3,
        {"status": "left"},
        [
            "link: account 3: the account of somebody forgotten is left, expected unlinked",
            "link: account 3: the Discord id of a linked account is forgotten, expected there",
        ],
    ),
    (3, {"discord_id": "103"}, ["link: account 3: the Discord id of somebody forgotten is still there, expected none"]),
    (
        3,
        {"xp_total": 1, "xp_high": 1, "next_reading": "begins"},
        [
            "account: account 3: floor((XP 1 - baseline 40) / 100) is -1, expected 0, the sum of its entries",
            "account: account 3: the XP of a zero-XP record is 1, expected 0",
        ],
    ),
    (
        3,
        {"xp_baseline": 0, "xp_total": 0, "xp_high": 0, "xp_posted": 0, "next_reading": "begins"},
        [
            "account: account 3: its baseline is 0, expected 40, as entry 16 left it",
            "account: account 3: its XP at the last entry is 0, expected 40, as entry 16 left it",
        ],
    ),
]
"""The account, the damage to it, and everything that the doctor reports."""
SOUND: Sequence[tuple[int, Mapping[str, Any]]] = [
    (1, {"status": "absent", "window_from": at(MON, 9)}),
    (1, {"status": "tracked", "window_from": at(MON, 9)}),
    (1, {"next_reading": "returns"}),
    (1, {"next_reading": "rebases"}),
    (1, {"version": 80}),
    (1, {"xp_total": 800, "xp_high": 8_000}),
    (2, {"status": "unlinked"}),
    (2, {"status": "left"}),
]
_ADA, _BO, _CY = HELD.members
_LINKED, _LEFT, _RETURNED, _CY_LEFT, _FORGOTTEN = HELD.events
OTHERS: Sequence[tuple[Mapping[str, Any], Sequence[str]]] = [
    (
        {"accounts": HELD.accounts[1:]},
        [
            "account: account 1: the account of entries is unknown, expected one that is there",
            "streak: member 'ada': the streak is 4 to 2026-03-05 (longest 4), expected none (longest 0)",
        ],
    ),
    (
        {"members": [_ADA, _BO, evolve(_CY, name="Cy")]},
        ["member: member 'cy': the name of somebody forgotten is still there, expected none"],
    ),
    ({"members": [_ADA, evolve(_BO, version=0), _CY]}, ["member: member 'bo': the version is 0, expected 1 or more"]),
    (
        {"members": [_ADA, _CY]},
        [
            "entry: member 'bo': the member of entries is unknown, expected an enrolled one",
            "link: account 2: its member is unknown, expected an enrolled one",
            "calendar: member 'bo': the member of an excusal is unknown, expected an enrolled one",
            "balance: member 'bo': the member of a balance is unknown, expected an enrolled one",
            "streak: member 'bo': the member of a streak is unknown, expected an enrolled one",
        ],
    ),
    (
        {"events": [evolve(_LINKED, account_id=2), _LEFT, _RETURNED]},
        ["event: event 1: the member of its account is another, expected its own"],
    ),
    ({"events": [_LEFT]}, ["event: event 2: the account that it is about is tracked, expected as it says"]),
    (
        {"events": [evolve(_CY_LEFT, reason="ill"), evolve(_CY_LEFT, number=5, note="ill"), _FORGOTTEN]},
        [
            "event: event 4: what was said of somebody forgotten is still there, expected none",
            "event: event 5: what was said of somebody forgotten is still there, expected none",
        ],
    ),
    (
        {"rises": [*HELD.rises, Rises(MON, at(TUE, 9), at(MON, 9), [1])]},
        [f"evidence: account 1: the window of 2026-03-02 is {_BACKWARDS}"],
    ),
    (
        {"rises": [*HELD.rises, Rises(FRI, at(THU, 9), at(FRI, 0, 4), [1, 3])]},
        [f"evidence: account 1 and 1 more: the window of 2026-03-06 is {_SHORT}"],
    ),
    (
        {"rises": [*HELD.rises, Rises(THU, at(THU, 9), at(THU, 10), [1, 2, 9])]},
        [
            "evidence: account 2: its activity on 2026-03-05 is there, expected none before it is opened",
            "evidence: account 9: its activity on 2026-03-05 is there, expected none before it is opened",
            "streak: member 'bo': the streak is 1 to 2026-03-04 (longest 1), expected 2 to 2026-03-05 (longest 2)",
        ],
    ),
    (
        {"rises": [Rises(MON, at(MON, 9), at(TUE, 9), [3, 1]), *HELD.rises[1:]]},
        ["streak: member 'cy': the streak is none (longest 0), expected 1 to 2026-03-02 (longest 1)"],
    ),
    (
        {"balances": {**HELD.balances, "ada": {"discord": 3}}},
        ["balance: member 'ada': the balance of 'discord' is 3, expected 2, the sum of its entries"],
    ),
    (
        {"streaks": [Streak("bo", 0, WED, 2, 2)]},
        [
            "streak: member 'ada': the streak is none (longest 0), expected 4 to 2026-03-05 (longest 4)",
            "streak: member 'bo': the streak is 2 to 2026-03-04 (longest 2), expected 1 to 2026-03-04 (longest 1)",
            "streak: member 'bo': the streak's version is 0, expected 1 or more",
        ],
    ),
    (
        {"calendar": Calendar(THU, frozenset({SUN})), "excused": {WED: {"bo"}, SAT: {"ada"}}},
        [
            "calendar: day 2026-03-07: an excused day is Saturday, expected a weekday",
            "calendar: day 2026-03-08: an excused day is Sunday, expected a weekday",
        ],
    ),
]
"""The damage, and everything that the doctor reports."""


def _unreadable(check: str = "unreadable", **whose: Any) -> Breach:
    return Breach(check, "the table members", "a row", "rubbish", "a member", **whose)


def _but(change: Mapping[str, Any] | None = None, /, **more: Any) -> Holdings:
    return evolve(HELD, **(change or {}), **more)


@pytest.mark.parametrize(("number", "change", "says"), ACCOUNTS)
def test_a_damaged_account_is_named_with_what_is_wrong(
    number: int, change: Mapping[str, Any], says: Sequence[str]
) -> None:
    """A damaged account is reported with its number, what was found and expected, and what else no longer fits."""
    assert found(held=account(number, **change)) == says


@pytest.mark.parametrize(("number", "change"), SOUND)
def test_an_account_may_be_so(number: int, change: Mapping[str, Any]) -> None:
    """An account is sound with any kind of next reading, and wherever its window begins."""
    assert found(held=account(number, **change)) == []


@pytest.mark.parametrize(("change", "says"), OTHERS)
def test_other_damage_is_named_too(change: Mapping[str, Any], says: Sequence[str]) -> None:
    """Damage to members, events, evidence, calendar, balances or streaks is reported as found and as expected."""
    assert found(held=_but(change)) == says


def test_without_a_calendar_nothing_is_said_of_streaks() -> None:
    """Without a calendar nothing is reported about streaks, because their true value cannot be known."""
    assert found(held=_but(calendar=None, streaks=[Streak("ada", 4, MON, 1, 1)], excused={SAT: {"bo"}})) == []


DOUBTED: Sequence[tuple[Mapping[str, Any], Sequence[str]]] = [
    ({}, ["ada", "bo"]),
    ({"unreadable": [_unreadable(member_id="ada")]}, ["bo"]),
    ({"unreadable": [_unreadable(member_id="bo")]}, ["ada"]),
    ({"unreadable": [_unreadable()]}, []),
    ({"unreadable": [_unreadable("balance")]}, ["ada", "bo"]),
]


@pytest.mark.parametrize(("change", "whose"), DOUBTED)
def test_a_row_that_cannot_be_read_silences_what_depends_on_it(change: Mapping[str, Any], whose: Sequence[str]) -> None:
    """An unreadable row silences the balances and streaks of its member, or of all members if it shows none."""
    balances = {**HELD.balances, "ada": {"discord": 3}, "bo": {"benchmark": 11, "adjustment": -4}}
    streaks = [Streak("ada", 4, MON, 1, 1), Streak("bo", 2, MON, 1, 1)]
    held = _but(change, balances=balances, streaks=streaks)
    said = [one for one in found(held=held) if not one.endswith("a member")]
    assert [one.split("'")[1] for one in said if one.startswith("balance")] == whose
    assert [one.split("'")[1] for one in said if one.startswith("streak")] == whose
    assert len(said) == 2 * len(whose)


STRANGE: Sequence[tuple[Mapping[str, Any], Sequence[int]]] = [
    ({}, [2, 9]),
    ({"unreadable": [_unreadable(member_id="ada")]}, [2]),
    ({"unreadable": [_unreadable(member_id="bo")]}, []),
]


@pytest.mark.parametrize(("change", "accounts"), STRANGE)
def test_activity_before_an_opening_is_none_unless_a_row_is_missing(
    change: Mapping[str, Any], accounts: Sequence[int]
) -> None:
    """Activity before an opening is reported, unless an unreadable row may be that of the account or its member."""
    held = _but(change, rises=[*HELD.rises, Rises(SAT, at(SAT, 9), at(SAT, 10), [2, 9])])
    there = "its activity on 2026-03-07 is there, expected none before it is opened"
    said = [one for one in found(held=held) if not one.endswith("a member")]
    assert said == [f"evidence: account {number}: {there}" for number in accounts]


def test_strangers_are_not_called_so_while_a_row_is_missing() -> None:
    """Unknown members and accounts are not reported while a row is unreadable that may be theirs."""
    held = _but(members=HELD.members[:1], accounts=[], unreadable=[_unreadable()])
    assert found(held=held) == ["unreadable: the table members: a row is rubbish, expected a member"]


def test_breaches_of_one_check_stand_in_the_order_of_names_and_days() -> None:
    """Breaches of one check are sorted by name and day, so that two reports can be compared line by line."""
    names = [f"m-{number}" for number in range(9)]
    days = [SAT + timedelta(weeks=number) for number in range(9)]
    held = _but(
        balances={**HELD.balances, **{name: {"quiz": 0} for name in reversed(names)}},
        excused={WED: {"bo"}} | {day: {*names} for day in reversed(days)},
    )
    said = found(held=held)
    assert [one.split("'")[1] for one in said if one.startswith("balance")] == names
    assert [one.split()[2][:-1] for one in said if one.startswith("calendar: day")] == [day.isoformat() for day in days]
    assert [one.split("'")[1] for one in said if one.startswith("calendar: member")] == names


def test_what_is_damaged_first_is_told_first() -> None:
    """Breaches are listed in the order of the checks, each once; a check that only the store knows comes last."""
    first = [Breach(check, "here", "it", "so", "not so") for check in ("of-its-own", *reversed(CHECKS))]
    checks = [one.check for one in audit(Kept(ENTRIES, HELD, [*first, *first])).breaches]
    assert checks == [*CHECKS, "of-its-own"]
