"""Channels to an admin: the log, Sentry, a Discord webhook."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .log import LogAlerts
    from .sentry import SentryAlerts
    from .webhook import WebhookAlerts

__all__ = ["LogAlerts", "SentryAlerts", "WebhookAlerts"]

_MODULES = {"LogAlerts": ".log", "SentryAlerts": ".sentry", "WebhookAlerts": ".webhook"}


def __getattr__(name: str) -> object:
    """Load the one that is asked for."""
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_MODULES[name], __name__), name)
