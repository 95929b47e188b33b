"""Shipped for whoever brings an adapter of their own: the ledger's contract and a MEE6 on loopback."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .contracts import LedgerContract

__all__ = ["LedgerContract"]


def __getattr__(name: str) -> object:
    """Import the contract when it is asked for: it needs pytest, which a running system does not."""
    if name == "LedgerContract":
        import pytest  # noqa: PLC0415

        # Before the import, or a failing assert would not show its values.
        pytest.register_assert_rewrite(f"{__name__}.contracts")
        from .contracts import LedgerContract  # noqa: PLC0415

        return LedgerContract
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
