"""Instants as texts."""

from datetime import datetime


def stamp(at: datetime) -> str:
    """Write an instant so that texts sort as the instants do."""
    return at.isoformat(timespec="microseconds")
