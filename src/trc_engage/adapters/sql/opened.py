"""A store that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .session import Sessions

Database = TypeVar("Database", bound="Sessions")


class Opened:
    """Is closed; where it is, and what can be done in between, its children say."""

    def __init__(self, database: Sessions) -> None:
        self._database = database

    @classmethod
    def _prepared(cls, database: Database, prepare: Callable[[Database], None]) -> Self:
        """Open a store once it is ready; if it cannot be made so, nothing stays open."""
        try:
            prepare(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @property
    def place(self) -> str:
        """Where the store is, without any password."""
        return self._database.place

    def close(self) -> None:
        """Close the store."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
