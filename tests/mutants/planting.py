"""What a line of the catalogue says, and how adapters that break a promise are put before the shipped contracts."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen


@frozen
class Planted:
    """A bug that is planted: where, what is broken, and who must catch it."""

    room: str
    """The port whose promise is broken, or where else it is planted."""
    breaks: str
    caught_by: str
    test: type[Any] | None = None
    """The part of the contract that must catch it, before the mutant."""

    @property
    def name(self) -> str:
        """What its test is called."""
        return "Test" + re.sub(r"\W", "", f"{self.room} {self.breaks}".title())


def spelled(name: str) -> str:
    """Say in words what a class or a function is called."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).replace("_", " ").lower()


def under(port: str, caught: Mapping[type[Any], Iterable[type[Any]]], made: str, hooks: type[Any]) -> list[Planted]:
    """Return the mutants of an adapter, by the part of the contract that must catch each.

    `hooks` says how the contract makes the adapter, whose class its attribute `made` names.
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
