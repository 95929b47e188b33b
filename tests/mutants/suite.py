"""The shipped contracts applied to the adapters that break them, for pytest: every class must fail."""

from .catalogue import CONTRACTS

globals().update({one.name: one.test for one in CONTRACTS})
