"""A faithful MEE6 on loopback, with its faults.

To be read in this order: board (who has how much XP), shapes (how a page looked in which year),
answers and troubles (what goes over the wire), server (what holds them together).
"""

from .board import Leaderboard
from .request import Request
from .server import Mee6Server
from .trouble import Trouble
from .troubles import TROUBLES

__all__ = ["TROUBLES", "Leaderboard", "Mee6Server", "Request", "Trouble"]
