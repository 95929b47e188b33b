"""Entries of the catalogue, and how adapters that break a promise are paired with the shipped contracts."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen


@frozen
class Planted:
    """A planted bug: where it is, what is broken, and what must catch it."""

    room: str
    """The port whose promise is broken, or the other place where it is planted."""
    breaks: str
    caught_by: str
    test: type[Any] | None = None
    """The part of the contract that must catch it, applied to the mutant."""

    @property
    def name(self) -> str:
        """The name of its test."""
        return "Test" + re.sub(r"\W", "", f"{self.room} {self.breaks}".title())


def spelled(name: str) -> str:
    """Return the name of a class or a function as words."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).replace("_", " ").lower()


def under(port: str, caught: Mapping[type[Any], Iterable[type[Any]]], made: str, hooks: type[Any]) -> list[Planted]:
    """Return the mutants of an adapter, by the part of the contract that must catch each.

    `hooks` tells the contract how to make the adapter; its attribute `made` holds the adapter's class.
    """
    return [
        Planted(
            port,
            spelled(mutant.__name__),
            part.__name__,
            type(f"{mutant.__name__}Contract", (hooks, part), {made: mutant}),
        )
        for part, mutants in caught.items()
        for mutant in mutants
    ]
