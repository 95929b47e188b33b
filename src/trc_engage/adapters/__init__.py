"""Adapters: one room for each outside thing; they do not know each other."""
