"""Every way to damage one entry of the sound books, and all that the doctor reports for it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from .sound_books import ENTRIES, FRI, MON, TUE, WED, at

_ABOVE = "09:00:00+00:00 or later, as of the sync above"

DAMAGED: Sequence[tuple[int, Mapping[str, Any], Sequence[str]]] = [
    (
        2,
        {"points": 3},
        [
            "entry: entry 2: the amount is 3, expected 2, by the XP before and after",
            "account: account 1: floor((XP 850 - baseline 600) / 100) is 2, expected 3, the sum of its entries",
            "balance: member 'ada': the balance of 'discord' is 2, expected 3, the sum of its entries",
        ],
    ),
    (
        2,
        {"xp": None},
        [
            "entry: entry 2: the xp of a gain is missing, expected one",
            "chain: entry 8: the XP before it is 1250, expected 1000, as entry 1 left it",
            "account: account 1: floor((XP 850 - baseline 600) / 100) is 2, expected 0, the sum of its entries",
        ],
    ),
    (2, {"key": "k"}, ["entry: entry 2: the key of a gain is there, expected none"]),
    (2, {"silent": True}, ["entry: entry 2: a gain is silent, expected loud"]),
    (
        2,
        {"source": "benchmark"},
        [
            "entry: entry 2: the source is 'benchmark', expected 'discord'",
            "balance: member 'ada': the balance of 'benchmark' is 0, expected 2, the sum of its entries",
            "balance: member 'ada': the balance of 'discord' is 2, expected 0, the sum of its entries",
        ],
    ),
    (2, {"day": WED}, ["entry: entry 2: the day is 2026-03-04, expected 2026-03-03 or earlier"]),
    (
        2,
        {"counts_as_activity": False},
        ["entry: entry 2: whether a gain counts as activity is no, expected yes, for only awards may not"],
    ),
    (
        2,
        {"xp_before": None},
        [
            "entry: entry 2: what stood before a gain is nothing, expected XP and baseline",
            "chain: entry 2: the XP before it is nothing, expected 1000, as entry 1 left it",
        ],
    ),
    (
        2,
        {"baseline_after": 900},
        [
            "entry: entry 2: the baseline after it is 900, expected 1000, as before it",
            "entry: entry 2: the amount is 2, expected 3, by the XP before and after",
            "chain: entry 8: the baseline before it is 1000, expected 900, as entry 2 left it",
        ],
    ),
    (
        2,
        {"xp_before": 1100},
        [
            "entry: entry 2: the amount is 2, expected 1, by the XP before and after",
            "chain: entry 2: the XP before it is 1100, expected 1000, as entry 1 left it",
        ],
    ),
    (
        2,
        {"baseline_before": 900},
        [
            "entry: entry 2: the baseline after it is 1000, expected 900, as before it",
            "entry: entry 2: the amount is 2, expected 1, by the XP before and after",
            "chain: entry 2: the baseline before it is 900, expected 1000, as entry 1 left it",
        ],
    ),
    (
        2,
        {"member_id": "bo"},
        [
            "chain: entry 2: its member is member 'bo', expected member 'ada', as entry 1 left it",
            "balance: member 'ada': the balance of 'discord' is 2, expected 0, the sum of its entries",
            "balance: member 'bo': the balance of 'discord' is 0, expected 2, the sum of its entries",
        ],
    ),
    (
        2,
        {"kind": "opening"},
        [
            "entry: entry 2: the amount of an opening is 2, expected 0",
            "entry: entry 2: an opening is loud, expected silent",
            "entry: entry 2: the day is 2026-03-02, expected 2026-03-03",
            "entry: entry 2: what stood before an opening is something, expected nothing",
            "entry: entry 2: the baseline of an opening is 1000, expected 1250, the XP read",
            "chain: entry 2: account 1 is opened again, expected one opening",
        ],
    ),
    (2, {"position": 1}, ["order: entry 1: the position is 1, expected one above 1"]),
    (
        1,
        {"points": 1},
        [
            "entry: entry 1: the amount of an opening is 1, expected 0",
            "account: account 1: floor((XP 850 - baseline 600) / 100) is 2, expected 3, the sum of its entries",
            "balance: member 'ada': the balance of 'discord' is 2, expected 3, the sum of its entries",
        ],
    ),
    (1, {"xp_before": 5}, ["entry: entry 1: what stood before an opening is something, expected nothing"]),
    (
        1,
        {"baseline_after": 900},
        [
            "entry: entry 1: the baseline of an opening is 900, expected 1000, the XP read",
            "chain: entry 2: the baseline before it is 1000, expected 900, as entry 1 left it",
        ],
    ),
    (
        1,
        {"kind": "gain"},
        [
            "entry: entry 1: the amount of a gain is 0, expected more than 0",
            "entry: entry 1: a gain is silent, expected loud",
            "entry: entry 1: what stood before a gain is nothing, expected XP and baseline",
            "chain: entry 1: the first entry of account 1 is gain, expected opening",
        ],
    ),
    (1, {"day": TUE}, ["entry: entry 1: the day is 2026-03-03, expected 2026-03-02"]),
    (
        8,
        {"points": 2},
        [
            "entry: entry 8: the amount of a deduction is 2, expected less than 0",
            "entry: entry 8: the amount is 2, expected -2, by the XP before and after",
            "account: account 1: floor((XP 850 - baseline 600) / 100) is 2, expected 6, the sum of its entries",
            "balance: member 'ada': the balance of 'discord' is 2, expected 6, the sum of its entries",
        ],
    ),
    (
        8,
        {"at": at(MON, 9)},
        [
            f"order: entry 8: the instant is 2026-03-02T09:00:00+00:00, expected 2026-03-03 {_ABOVE}",
            "entry: entry 8: the day is 2026-03-03, expected 2026-03-02 or earlier",
        ],
    ),
    (
        12,
        {"at": at(WED, 8)},
        [f"order: entry 12: the instant is 2026-03-04T08:00:00+00:00, expected 2026-03-04 {_ABOVE}"],
    ),
    (
        11,
        {"points": 1},
        [
            "entry: entry 11: the amount of a rebase is 1, expected 0",
            "entry: entry 11: the amount is 1, expected 0, by the XP before and after",
            "account: account 1: floor((XP 850 - baseline 600) / 100) is 2, expected 3, the sum of its entries",
            "balance: member 'ada': the balance of 'discord' is 2, expected 3, the sum of its entries",
        ],
    ),
    (
        3,
        {"points": 0},
        [
            "entry: entry 3: the amount of an award is 0, expected more than 0",
            "balance: member 'bo': the balance of 'benchmark' is 10, expected 0, the sum of its entries",
        ],
    ),
    (3, {"key": None}, ["entry: entry 3: the key of an award is missing, expected one"]),
    (3, {"reason": "fast"}, ["entry: entry 3: the reason of an award is there, expected none"]),
    (3, {"silent": True}, ["entry: entry 3: an award is silent, expected loud"]),
    (
        3,
        {"source": "Discord "},
        [
            "entry: entry 3: the source is 'Discord ', expected another: only a sync posts to it",
            "balance: member 'bo': the balance of 'Discord ' is 0, expected 10, the sum of its entries",
            "balance: member 'bo': the balance of 'benchmark' is 10, expected 0, the sum of its entries",
        ],
    ),
    (
        3,
        {"day": MON},
        [
            "entry: entry 3: the day is 2026-03-02, expected 2026-03-03",
            "streak: member 'bo': the streak is 1 to 2026-03-04 (longest 1), expected 1 to 2026-03-02 (longest 1)",
        ],
    ),
    (
        3,
        {"at": at(date(1999, 12, 31), 23)},
        ["entry: entry 3: the instant is 1999-12-31T23:00:00+00:00, expected one from 2000 on"],
    ),
    (
        3,
        {"xp": ENTRIES[1].xp},
        [
            "entry: entry 3: the xp of an award is there, expected none",
            "chain: entry 3: the XP before it is 1000, expected 1250, as entry 2 left it",
            "chain: entry 3: its member is member 'bo', expected member 'ada', as entry 2 left it",
            "account: account 1: its version is 8, expected 9 or more",
            "account: account 1: floor((XP 850 - baseline 600) / 100) is 2, expected 12, the sum of its entries",
            "streak: member 'bo': the streak is 1 to 2026-03-04 (longest 1), expected none (longest 0)",
        ],
    ),
    (
        3,
        {"counts_as_activity": False},
        ["streak: member 'bo': the streak is 1 to 2026-03-04 (longest 1), expected none (longest 0)"],
    ),
    (13, {"reverses": 3}, ["entry: entry 13: the reverses of an award is there, expected none"]),
    (6, {"reverses": None}, ["entry: entry 6: the reverses of a reversal is missing, expected one"]),
    (
        6,
        {"reverses": 5},
        [
            "reversal: entry 6: the day is 2026-03-03, expected 2026-03-04, by its award, entry 5",
            "reversal: entry 6: the amount is -20, expected -30, by its award, entry 5",
            "reversal: entry 7: the reversal of entry 5 is a second one, expected one: entry 6 is it",
        ],
    ),
    (6, {"reverses": 2}, ["reversal: entry 6: entry 2, which it takes back, is no award, expected an earlier award"]),
    (
        6,
        {"reverses": 13},
        [
            "reversal: entry 6: entry 13, which it takes back, is no award, expected an earlier award",
            "reversal: entry 14: the reversal of entry 13 is a second one, expected one: entry 6 is it",
        ],
    ),
    (6, {"reverses": 9}, ["reversal: entry 6: entry 9, which it takes back, is no award, expected an earlier award"]),
    (
        6,
        {"points": 20},
        [
            "entry: entry 6: the amount of a reversal is 20, expected less than 0",
            "reversal: entry 6: the amount is 20, expected -20, by its award, entry 4",
            "balance: member 'bo': the balance of 'benchmark' is 10, expected 50, the sum of its entries",
        ],
    ),
    (6, {"day": WED}, ["reversal: entry 6: the day is 2026-03-04, expected 2026-03-03, by its award, entry 4"]),
    (
        6,
        {"member_id": "ada"},
        [
            "reversal: entry 6: the member is member 'ada', expected member 'bo', by its award, entry 4",
            "balance: member 'ada': the balance of 'benchmark' is 0, expected -20, the sum of its entries",
            "balance: member 'bo': the balance of 'benchmark' is 10, expected 30, the sum of its entries",
        ],
    ),
    (
        6,
        {"source": "quiz"},
        [
            "reversal: entry 6: the source is 'quiz', expected 'benchmark', by its award, entry 4",
            "balance: member 'bo': the balance of 'benchmark' is 10, expected 30, the sum of its entries",
            "balance: member 'bo': the balance of 'quiz' is 0, expected -20, the sum of its entries",
        ],
    ),
    (
        6,
        {"counts_as_activity": False},
        ["reversal: entry 6: whether it counts is False, expected True, by its award, entry 4"],
    ),
    (
        15,
        {"points": 0},
        [
            "entry: entry 15: an adjustment is 0 points, expected some",
            "balance: member 'bo': the balance of 'adjustment' is -4, expected 0, the sum of its entries",
        ],
    ),
    (
        15,
        {"source": "discord"},
        [
            "entry: entry 15: the source is 'discord', expected 'adjustment'",
            "balance: member 'bo': the balance of 'adjustment' is -4, expected 0, the sum of its entries",
            "balance: member 'bo': the balance of 'discord' is 0, expected -4, the sum of its entries",
        ],
    ),
    (
        15,
        {"source": "benchmark"},
        [
            "entry: entry 15: the source is 'benchmark', expected 'adjustment'",
            "balance: member 'bo': the balance of 'adjustment' is -4, expected 0, the sum of its entries",
            "balance: member 'bo': the balance of 'benchmark' is 10, expected 6, the sum of its entries",
        ],
    ),
    (
        15,
        {"counts_as_activity": False},
        ["entry: entry 15: whether an adjustment counts as activity is no, expected yes, for only awards may not"],
    ),
    (15, {"day": WED}, ["entry: entry 15: the day is 2026-03-04, expected 2026-03-05"]),
    (15, {"actor": None}, ["entry: entry 15: the actor of an adjustment is missing, expected one"]),
    (15, {"at": at(FRI, 0, 1)}, ["entry: entry 15: the day is 2026-03-05, expected 2026-03-06"]),
]
"""Position of the entry, what is wrong with it, and all that the doctor reports: the damage first, then its effects."""
