"""A faithful Discord on loopback, as far as a roster asks it, with its faults."""

from .server import DiscordServer
from .troubles import TROUBLES

__all__ = ["TROUBLES", "DiscordServer"]
