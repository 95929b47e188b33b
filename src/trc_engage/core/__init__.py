"""What the system decides: pure functions on values, the rules R1-R23 and nothing else.

Read in this order: `model`, `points`, `days`, `planning`, `trust`, `timing`, then `ports`.
"""
