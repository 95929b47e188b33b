"""For testing your own adapters: contracts, and local MEE6, Lurkr and Discord servers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .contracts import LedgerContract, PagedSourceContract, RosterContract, SourceContract

__all__ = ["LedgerContract", "PagedSourceContract", "RosterContract", "SourceContract"]


def __getattr__(name: str) -> object:
    """Import a contract on first use: it needs pytest, which a running system does not."""
    if name in __all__:
        import pytest  # noqa: PLC0415

        # Before the import, or a failing assert would not show its values.
        pytest.register_assert_rewrite(f"{__name__}.contracts")
        from . import contracts  # noqa: PLC0415

        return getattr(contracts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
