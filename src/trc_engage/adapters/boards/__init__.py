"""How any paged leaderboard is read politely and believed with care.

A source of your own is a `BoardSource` with the facts of its `Service`. Read in this order: `service` (the facts),
`paging` (a board that moves while it is read), `client` (one request under limits), `responses` (what trouble means),
`source` (what a caller holds).
"""

from .service import Service
from .source import BoardSource

__all__ = ["BoardSource", "Service"]
