"""What the rules of engagement say must hold, computed again from what is visible from outside.

Nothing here knows how the package computes. It has its own calendar, its own windows, and R3 in its
closed form: an account has paid exactly floor((xp - baseline) / 100) points.
"""

from .accounts import Account, Award, Decision, Drops, Sight
from .days import WEEKEND
from .oracle import CACHED_FOR, CLOCKS_APART_MAX, KEPT_AWAY_MAX, SLACK, Oracle

__all__ = [
    "CACHED_FOR",
    "CLOCKS_APART_MAX",
    "KEPT_AWAY_MAX",
    "SLACK",
    "WEEKEND",
    "Account",
    "Award",
    "Decision",
    "Drops",
    "Oracle",
    "Sight",
]
