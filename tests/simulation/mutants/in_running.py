"""Bugs in when to run, and in which notices are sent to admins."""

from datetime import timedelta
from typing import Any

from trc_engage.core import incidents, slots
from trc_engage.core.posting import Posting
from trc_engage.usecases import leases

from .planting import Mutant, always, swap


def _alerts_again(due: Any) -> Any:
    def notices(lasting: Any, told: Any, *rest: Any) -> Any:
        topics = {trouble.topic for trouble in lasting}
        return due(lasting, [one for one in told if one.topic not in topics], *rest)

    return notices


def _not_reminded(due: Any) -> Any:
    return lambda *told: [notice for notice in due(*told) if notice.kind != "reminder"]


def _no_all_clear(due: Any) -> Any:
    return lambda *told: [notice for notice in due(*told) if notice.kind != "all_clear"]


def _wait_as_told(wait_asked: Any) -> Any:
    """Treat every wait as a quarter of an hour, whatever the server asked for."""
    return lambda error: None if wait_asked(error) is None else timedelta(minutes=15)


def _begins_nothing(post: Any) -> Any:
    def posted(run: Any, posting: Posting) -> None:
        if posting != Posting(posting.at, begun=posting.begun):
            post(run, posting)

    return posted


MUTANTS = {
    "Retry-After is forgotten": Mutant(swap(slots, "wait_asked", _wait_as_told)),
    "a wait is not kept": Mutant(always(slots, "keep_waiting", None), seed=3),
    "a slot takes a reading from before it": Mutant(
        swap(slots, "is_cached", lambda cached: lambda now, good_at, _slot: cached(now, good_at, None)),
        seed=3,
    ),
    "alerts come again": Mutant(swap(incidents, "notices_due", _alerts_again)),
    "nobody is reminded": Mutant(swap(incidents, "notices_due", _not_reminded), seed=6),
    "no all-clear comes": Mutant(swap(incidents, "notices_due", _no_all_clear)),
    "the lease of a long read is not renewed": Mutant(
        always(leases.Run, "renew", None), seed=4, story="reads of many minutes"
    ),
    "a notice is not recorded before it is sent": Mutant(
        swap(leases.Run, "post", _begins_nothing), seed=5, story="killed while an alert goes out"
    ),
    "a webhook that was deleted is used on": Mutant(
        always(incidents, "state_of", None), seed=4, story="a webhook that dies"
    ),
    "a clock that goes back is believed": Mutant(
        swap(slots, "not_before", lambda _: lambda now, _seen: now), story="clocks that step"
    ),
}
