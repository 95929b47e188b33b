"""The protocols to implement for a custom source, ledger, roster, clock or alert channel."""

from .core.ports import (
    Alerts as Alerts,
    Clock as Clock,
    Ledger as Ledger,
    PagedSource as PagedSource,
    Records as Records,
    Requests as Requests,
    Roster as Roster,
    RunBook as RunBook,
    Store as Store,
    Views as Views,
    XpSource as XpSource,
)
