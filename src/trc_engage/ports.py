"""What you can bring yourself: the protocols that a source, a ledger, a clock or a channel of your own fits."""

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
