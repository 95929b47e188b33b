"""The catalogue of planted bugs: what is broken on purpose, and who must catch it. `python -m mutants` prints it.

Adapters that break a promise of a port are put before the shipped contract alone (`suite`). The others are planted in
the package while it lives, and each kind is known to the test that must catch it.
"""
