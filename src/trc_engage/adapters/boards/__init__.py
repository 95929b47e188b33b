"""How any paged leaderboard is read politely and believed with care.

A source of your own is a `BoardSource` with the facts of its `Service`. Read in this order: `responses` (the facts, and
what trouble means), `paging` (a board that moves while it is read), `client` (one request under limits), `source` (what
a caller holds).
"""

from .responses import Service
from .source import BoardSource

__all__ = ["BoardSource", "Service"]
