"""A port to the outside, each call of which may be the last."""

from collections.abc import Callable
from typing import Any


class Port:
    """A port of which every call may be the last."""

    def __init__(self, inner: Any, at: Callable[[str], None]) -> None:
        self._inner = inner
        self._at = at

    def __getattr__(self, name: str) -> Any:
        inner, at = getattr(self._inner, name), self._at
        if not callable(inner):
            return inner

        def call(*values: Any, **options: Any) -> Any:
            at(name)
            result = inner(*values, **options)
            at(f"{name} done")
            return result

        setattr(self, name, call)
        return call
