"""Every trouble by name, and the queue of those to come."""

from collections.abc import Mapping
from types import MappingProxyType

from attrs import define, field

from .board import Snapshot
from .broken_pages import BROKEN_PAGES
from .broken_wires import BROKEN_WIRES
from .refusals import REFUSALS
from .trouble import Trouble

TROUBLES: Mapping[str, Trouble] = MappingProxyType(
    {trouble.name: trouble for trouble in (*REFUSALS, *BROKEN_PAGES, *BROKEN_WIRES)}
)


def trouble_named(trouble: str | Trouble) -> Trouble:
    """Return a trouble by its name, or as it is; an unknown name is a `ValueError` that lists the known ones."""
    if isinstance(trouble, Trouble):
        return trouble
    if trouble not in TROUBLES:
        raise ValueError(f"no trouble is called {trouble!r}; there are {', '.join(TROUBLES)}")
    return TROUBLES[trouble]


@define
class Ahead:
    """A trouble that waits for its requests."""

    trouble: Trouble
    times: int | None
    """How many requests it still answers; None is for ever."""
    page: int | None
    """The one page it answers; None is any."""
    stale_board: Snapshot
    """The board as it was when the trouble began."""


@define
class Queue:
    """Troubles to come: the oldest that fits a request and is not used up answers it."""

    _ahead: list[Ahead] = field(factory=list, init=False)

    def append(self, ahead: Ahead) -> None:
        """Add one behind the others."""
        self._ahead.append(ahead)

    def clear(self) -> None:
        """Forget all of them."""
        self._ahead.clear()

    def taken(self, page: int | None) -> Ahead | None:
        """Return what answers a request for this page, one time used up."""
        for ahead in self._ahead:
            if ahead.times != 0 and ahead.page in {None, page}:
                ahead.times = ahead.times and ahead.times - 1
                return ahead
        return None
