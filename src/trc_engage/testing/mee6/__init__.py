"""A faithful MEE6 on loopback, with its faults.

Read in this order: `board` (who has how much XP, and how a page looked in which year), `http` and `troubles`
(what goes over the wire), `server` (what holds them together).
"""

from .board import Leaderboard
from .http import Request
from .server import Mee6Server
from .troubles import TROUBLES, Trouble

__all__ = ["TROUBLES", "Leaderboard", "Mee6Server", "Request", "Trouble"]
