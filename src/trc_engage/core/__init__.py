"""What the system decides: pure functions on values, the rules R1-R23 and nothing else.

Read in this order: `model`, `entries`, `points`, `days`, `planning`, `trust`, `timing`, `streaks`,
`settling`, then `ports`.
"""
