"""What the system decides: pure functions on values, the rules and nothing else.

Read in this order: `model`, `points`, `days`, `streaks`, `settlement`, `boards`, `sync`, then `posting` and `ports`.
"""
