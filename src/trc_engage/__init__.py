"""MEE6 XP becomes points on an append-only ledger, exactly once.

Start at `Engage`; bring a ledger and a source from `trc_engage.adapters`, or your own. The public names
are listed in `public.py` and loaded when you first use one, so importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .public import *  # noqa: F403


def __getattr__(name: str) -> object:
    """Load the public names, and return the one asked for."""
    public = vars(import_module(".public", __name__))
    if name.startswith("_") or name not in public:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    globals()[name] = public[name]
    return globals()[name]


def __dir__() -> list[str]:
    return sorted(name for name in vars(import_module(".public", __name__)) if not name.startswith("_"))
