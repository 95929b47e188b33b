"""A store that records the names of the methods called on it."""

from collections.abc import Callable
from typing import Any, cast

from trc_engage import Engage
from trc_engage.core.ports import Store

from .community import Community


class Counting:
    """Wraps a store; `calls` are the names of the methods called, in order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def called(*values: Any, **options: Any) -> Any:
            self.calls.append(name)
            return method(*values, **options)

        return called


def calls_of(community: Community, act: Callable[[Engage], object], source: Any = None) -> list[str]:
    """Return the calls that an action makes on the store, with the community's board or another source."""
    store = Counting(community.ledger)
    act(Engage(ledger=cast("Store", store), source=source or community, clock=lambda: community.now))
    return store.calls
