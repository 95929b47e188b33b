"""The methods of `AsyncEngage`, made from those of `Engage`; for editors they stand in the stub beside it."""

from collections.abc import Callable
from functools import partial, wraps
from inspect import getmembers, isfunction
from typing import Any

from .engage import Engage


class Awaited:
    """Every method of an `Engage` as a coroutine."""

    def __init__(self, engage: Engage) -> None:
        self._engage = engage

    async def _run(self, call: Callable[[], Any]) -> Any:
        raise NotImplementedError


def _awaited(method: Callable[..., Any]) -> Any:
    @wraps(method)
    async def call(self: Awaited, *values: Any, **options: Any) -> Any:
        return await self._run(partial(method, self._engage, *values, **options))

    return call


for _name, _method in getmembers(Engage, isfunction):
    if not _name.startswith("_") and _name != "on":
        setattr(Awaited, _name, _awaited(_method))
