"""A store that is open."""

from types import TracebackType
from typing import Self

from .session import Sessions


class Opened:
    """Is closed; how it is opened, and what can be done in between, its children say."""

    def __init__(self, database: Sessions) -> None:
        self._database = database

    def close(self) -> None:
        """Close the store."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
