"""Bugs in days, streaks and settling."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from trc_engage.core import days, settlement
from trc_engage.core.days import Calendar
from trc_engage.core.posting import Derived
from trc_engage.usecases import streaks

from .planting import Mutant, always, swap


def _settles_out_of_turn(_: Any) -> Any:
    return lambda day, good_at: good_at is not None and good_at.date() >= day


def _not_of(kind: str) -> Callable[[Any], Any]:
    """Derive nothing for drafts of this kind."""
    return lambda derive: (
        lambda ledger, draft, calendar: Derived() if draft.kind == kind else derive(ledger, draft, calendar)
    )


MUTANTS = {
    "23:55 counts for the next day": Mutant(lambda: patch.object(days, "FOOTHOLD", timedelta(0))),
    "the evening before is forgotten": Mutant(
        swap(days, "days_counted", lambda count: lambda opens, closes: count(opens, closes)[-1:]),
        seed=2,
    ),
    "weekends count": Mutant(swap(Calendar, "adds", lambda _: lambda _self, _day: True)),
    "weekends are required": Mutant(lambda: patch.object(days, "SATURDAY", 7)),
    "a day is settled before a sync": Mutant(always(settlement, "is_read_past", True), seed=2),  # noqa: FBT003
    "a day is settled after its last sync": Mutant(swap(settlement, "is_read_past", _settles_out_of_turn), seed=2),
    "a frozen board breaks streaks": Mutant(always(settlement, "is_frozen", False), seed=3),  # noqa: FBT003
    "a reversal derives nothing": Mutant(swap(streaks, "of_draft", _not_of("reversal"))),
    "a late award derives nothing": Mutant(swap(streaks, "of_draft", _not_of("award")), seed=3),
    "an excuse derives nothing": Mutant(always(streaks, "of_excusal", Derived()), seed=2),
}
