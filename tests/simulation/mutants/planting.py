"""How a bug is planted: for a while, something else replaces the real thing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from attrs import frozen

Bug = Callable[[], AbstractContextManager[object]]


@frozen
class Mutant:
    """A bug, and the first of the `SEEDS` with which to look for it, so that it is found soon."""

    bug: Bug
    seed: int = 1
    story: str | None = None
    """The story in which it shows, if it hardly does in others."""


def swap(where: Any, name: str, made: Callable[[Any], Any]) -> Bug:
    """Return the bug that replaces a thing by something made from it."""
    return lambda: patch.object(where, name, made(getattr(where, name)))


def always(where: Any, name: str, value: Any) -> Bug:
    """Return the bug of a function that always returns the same value."""
    return swap(where, name, lambda _: lambda *_, **__: value)


def without(part: str) -> Callable[[str], str]:
    """Return a function that removes a part of a statement."""

    def edited(statement: str) -> str:
        assert part in statement
        return statement.replace(part, "")

    return edited
