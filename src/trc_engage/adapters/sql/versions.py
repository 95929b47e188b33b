"""Whether a store's tables are of this version; another one may bring them up to date at any time."""

from ...core.errors import LedgerFailed


def refuse_newer(place: str, found: int, known: int) -> None:
    """Raise `LedgerFailed` if tables are newer than this version, which could then write no more than half of it."""
    if found > known:
        message = (
            f"{place} was written by a newer trc-engage (schema {found}, this one knows {known}); "
            "nothing was touched: upgrade trc-engage"
        )
        raise LedgerFailed(message)


def refuse_older(place: str, found: int, known: int) -> None:
    """Raise `LedgerFailed` if tables are older than this version, for whoever may not bring them up to date."""
    if found < known:
        message = (
            f"{place} was laid out by an older trc-engage (schema {found}, this one needs {known}); nothing was "
            "touched: open it once with `trc-engage status`, which brings it up to date, and begin again"
        )
        raise LedgerFailed(message)


def refuse_other(place: str, found: int, known: int) -> None:
    """Raise `LedgerFailed` if tables are not of this version: they were changed, or put back, while they were open."""
    refuse_newer(place, found, known)
    refuse_older(place, found, known)
