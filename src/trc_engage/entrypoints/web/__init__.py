"""A JSON API and pages for members and admins, as an ASGI app to run alone or to mount.

`create_app` is loaded on first use, and Starlette with it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .access import Earning, Login, Site
    from .app import create_app
    from .brand import Brand

_HOMES = {"create_app": "app", "Login": "access", "Earning": "access", "Site": "access", "Brand": "brand"}

__all__ = ["Brand", "Earning", "Login", "Site", "create_app"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
