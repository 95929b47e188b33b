"""The catalogue of planted bugs: what is broken on purpose, and what must catch it. `python -m mutants` prints it.

Adapters that break a promise of a port are tested by the shipped contract alone (`suite`). The other bugs are planted
in the package at run time, and each kind has its own test that must catch it.
"""
