"""The audit of a store: every invariant in one place, for every store alike. Pure.

What is held goes in as a `Holdings`, the entries follow page by page into `Books`, which keep what they add
up to and not the entries; `conclude` compares the two.

Read in this order: `model`, `books`, `checks`.
"""
