"""MEE6's leaderboard, read politely and believed with care.

Read in this order: `source` (what a caller holds), `sweep` (paging over a board that moves),
`page` (one page, strictly), `fetch` (one request under limits), `answer` (what trouble means).
"""

from .source import Mee6Source

__all__ = ["Mee6Source"]
