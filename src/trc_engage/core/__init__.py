"""The rules, as pure functions on values.

Read in this order: `model`, `points`, `days`, `streaks`, `settlement`, `boards`, `sync`, then `posting` and `ports`.
"""
