"""How a bug is planted: for a while, something else stands in the place of the real thing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from attrs import frozen

Bug = Callable[[], AbstractContextManager[object]]


@frozen
class Mutant:
    """A bug, and the first of the `SEEDS` to look for it, so that it is soon found."""

    bug: Bug
    seed: int = 1
    story: str | None = None
    """The story in which it shows, where it hardly does in others."""


def swap(where: Any, name: str, made: Callable[[Any], Any]) -> Bug:
    """Return the bug that puts something made of the real thing in its place."""
    return lambda: patch.object(where, name, made(getattr(where, name)))


def always(where: Any, name: str, value: Any) -> Bug:
    """Return the bug of a function that does not look."""
    return swap(where, name, lambda _: lambda *_, **__: value)


def without(part: str) -> Callable[[str], str]:
    """Return what leaves a part of a statement out."""

    def edited(statement: str) -> str:
        assert part in statement
        return statement.replace(part, "")

    return edited
