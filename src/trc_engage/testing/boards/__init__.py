"""A board on loopback with every fault that a service may have; what one service is like is its `Dialect`.

Read in this order: `board` (who has how much XP, and how a page looks), `troubles` (how an answer goes wrong), `server`
(what holds them together). The HTTP below them is `loopback`.
"""

from ..loopback import Trouble
from .board import Dialect, Leaderboard
from .server import BoardServer, Request
from .troubles import TROUBLES

__all__ = ["TROUBLES", "BoardServer", "Dialect", "Leaderboard", "Request", "Trouble"]
