"""A port to the outside, any call of which may be the process's last."""

from collections.abc import Callable
from typing import Any


class Port:
    """Wraps a port, and reports a step before and after each call."""

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
