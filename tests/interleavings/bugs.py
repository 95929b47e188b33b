"""Bugs that are planted for the search or the model to find; those for the search with the actors that meet them."""

import inspect
import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import evolve, frozen

from simulation.mutants.planting import Bug, always, swap, without
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.adapters.postgres.connection import Address
from trc_engage.adapters.sql import posting, runs
from trc_engage.adapters.sqlite.database import SqliteDatabase
from trc_engage.core import slots
from trc_engage.core.posting import Lease
from trc_engage.usecases import members, sync
from trc_engage.usecases.leases import Run


@frozen
class Race:
    """A bug that shows when two actors meet."""

    bug: Bug
    names: tuple[str, str]
    """The actors that meet it."""
    store: str = "sqlite"


def rewritten(where: Any, name: str, *changes: tuple[str, str]) -> Bug:
    """Return the bug of a function with parts of its source replaced."""

    def made(real: Any) -> Any:
        text = textwrap.dedent(inspect.getsource(real))
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        found = dict(inspect.unwrap(real).__globals__)
        exec(text, found)  # noqa: S102  a text of our own
        return found[name]

    return swap(where, name, made)


def instead(old: str, new: str) -> Callable[[str], str]:
    """Return a function that replaces a part of a statement."""

    def edited(statement: str) -> str:
        assert old in statement
        return statement.replace(old, new)

    return edited


def _keys_are_not_unique(post: Any) -> Any:
    """Rely only on the lookup before the transaction to tell whether a key is known."""

    def posted(self: Any, what: Any) -> Any:
        drafts = [evolve(one, key=None) if one.key and self.booking(one.key).posted else one for one in what.drafts]
        return post(self, evolve(what, drafts=drafts))

    return posted


def _in_two_transactions(post: Any) -> Any:
    def posted(self: Any, what: Any) -> Any:
        if what.run is None or not what.moves:
            return post(self, what)
        post(self, evolve(what, run=None, slot=None))
        return post(self, evolve(what, moves=(), streaks=(), changes=(), reached=()))

    return posted


BUGS: Mapping[str, Race] = {
    "a transaction begins deferred": Race(
        rewritten(SqliteDatabase, "transaction", ("BEGIN IMMEDIATE", "BEGIN")), ("award", "reversal")
    ),
    "versions of accounts are not checked": Race(
        swap(posting, "MOVE_ACCOUNTS", without(" AND discord_activity.version = moves.version")), ("runner", "unlink")
    ),
    "versions of streaks are not checked": Race(
        swap(posting, "POST_LATER_STREAK", instead("streaks.version = ? - 1", "? > 0")),
        ("late award", "reversal"),
    ),
    "a posting does not look at its lease": Race(
        always(posting, "check_lease", None), ("runner in vain", "late runner")
    ),
    "whoever ends gives back anybody's lease": Race(
        rewritten(runs.Running, "release", (' AND owner = ?", [lease.task, lease.owner]', '", [lease.task]')),
        ("runner", "late runner"),
    ),
    "a lease is taken though somebody has it": Race(
        rewritten(runs.Running, "lease", ("raise LedgerBusy(", "str(")), ("runner", "runner")
    ),
    "a key is looked up before the transaction": Race(
        swap(posting.SqlLedger, "post", _keys_are_not_unique), ("award", "award")
    ),
    "a day is settled on evidence that was read before": Race(
        rewritten(posting, "_check", ("!= settlement.revision", "is None")), ("award", "settlement")
    ),
    "an award is planned on the calendar of before": Race(
        always(posting, "_check_calendar", None), ("award", "settlement")
    ),
    "a sync and its record are two transactions": Race(
        swap(posting.SqlLedger, "post", _in_two_transactions), ("runner", "late runner")
    ),
    "a leave is noted with the window of before": Race(
        rewritten(
            members,
            "noted",
            ("    def decide", "    looked_at = ledger.run_state().sync.good_at\n\n    def decide"),
            ("_left(ledger, current, now, trace)", "membership.leave(current, now, looked_at, trace)"),
        ),
        ("runner", "roster"),
    ),
    "writers do not wait for each other": Race(
        swap(Address, "lock", lambda _: property(lambda _: "SELECT 1")), ("award", "reversal"), "postgres"
    ),
}
"""The bugs for the search to find, by what each does."""


RECORDING = partial(rewritten, sync, "_is_recorded_without_lease")
BUGS_OF_RUNS: Mapping[str, Bug] = {
    "a pause is forgotten by whoever lost the lease": RECORDING(("None if failure.retry_at is None else", "")),
    "a failure counts though a sync was good since": RECORDING(("made_up = ", "made_up = False and ")),
    "a pause is not kept": always(slots, "is_kept_away", value=False),
    "a lease that has not expired is taken": always(Lease, "is_free", value=True),
    "a lease that has expired is left alone": always(Lease, "is_free", value=False),
    "a lease that was lost is renewed": rewritten(MemoryLedger, "renew", ("raise LeaseLost", "pass")),
    "a run that ended keeps its lease": rewritten(MemoryLedger, "release", ("del self._leases[lease.task]", "pass")),
    "a slot is ended without the lease": swap(Run, "post", lambda _: lambda self, what: self.ledger.post(what)),
}
"""The bugs for the model to find."""
