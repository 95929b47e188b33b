"""Instants and months as texts."""

from datetime import datetime


class Stamp(str):
    """An instant as a text; a type of its own, for databases that must be told what a text means."""

    __slots__ = ()


def stamp(at: datetime) -> Stamp:
    """Write an instant so that texts sort as the instants do."""
    return Stamp(at.isoformat(timespec="microseconds"))


def month_of(day: str) -> str:
    """Name the month of a day by its first one."""
    return f"{day[:8]}01"
