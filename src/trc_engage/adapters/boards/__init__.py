"""How any paged leaderboard is read politely and believed with care.

Read in this order: `paging` (a board that moves while it is read), `client` (one request under limits),
`responses` (what trouble means), `source` (what a caller may hand in).
"""
