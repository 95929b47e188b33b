"""The use cases: each gathers, decides and applies."""

from collections.abc import Callable
from typing import TypeVar

from ..core.errors import Conflict, LedgerBusy

ATTEMPTS_MAX = 8

Result = TypeVar("Result")


def retry_on_conflict(attempt: Callable[[], Result]) -> Result:
    """Run gather-decide-post until it was planned on what still holds; `LedgerBusy` if it never does."""
    for _ in range(ATTEMPTS_MAX):
        try:
            return attempt()
        except Conflict as error:
            moved = error
    message = f"others changed the same accounts {ATTEMPTS_MAX} times in a row; nothing was written: try again"
    raise LedgerBusy(message) from moved
