"""Adapters for the outside world, independent of each other."""
