"""Planted bugs, a few lines each: what real clients get wrong, and what a careless change would break.

Each is a context in which the package has that bug; the seed and the days beside it are a life that ends early by it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from attrs import evolve, frozen

from trc_engage.adapters.mee6 import answer, fetch, page
from trc_engage.adapters.mee6.pace import Pace
from trc_engage.adapters.mee6.sweep import Sweeper
from trc_engage.adapters.sql import activity, moving
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core import days, incidents, planning, points, settling, timing, trust
from trc_engage.core.days import Calendar
from trc_engage.core.errors import SourceError
from trc_engage.core.model import Move
from trc_engage.core.postings import SyncState
from trc_engage.core.reports import Enrolment
from trc_engage.core.slots import SlotEnd
from trc_engage.posting import awards, deriving, enrolling

Bug = Callable[[], AbstractContextManager[object]]


@frozen
class Mutant:
    """A bug, and a life that it ends early."""

    bug: Bug
    seed: int
    days: int


def _swap(where: Any, name: str, made: Callable[[Any], Any]) -> Bug:
    """Return the bug that puts something made of the real thing in its place."""
    return lambda: patch.object(where, name, made(getattr(where, name)))


def _always(where: Any, name: str, value: Any) -> Bug:
    """Return the bug of a function that does not look."""
    return _swap(where, name, lambda _: lambda *_, **__: value)


def _half_truncated(carried: int, gained: int) -> tuple[int, int]:
    paid = int((carried + gained) / 100)
    return paid, carried + gained - 100 * paid


def _two_transactions(post: Any) -> Any:
    def posted(self: SqliteLedger, posting: Any) -> Any:
        if posting.run is None or not posting.moves:
            return post(self, posting)
        post(self, evolve(posting, run=None, slot=None))
        return post(self, evolve(posting, moves=(), streaks=()))

    return posted


@contextmanager
def _failures_in_memory() -> Iterator[None]:
    """Count failures where a restart forgets them."""
    real_state, real_post = SqliteLedger.sync_state, SqliteLedger.post

    def post(self: Any, posting: Any) -> Any:
        result = real_post(self, posting)
        self.counted = 0 if posting.run else getattr(self, "counted", 0) + bool(posting.failure)
        return result

    def sync_state(self: Any) -> SyncState:
        state = real_state(self)
        count = getattr(self, "counted", 0)
        failing = evolve(state.failing, count=count) if state.failing and count else None
        return evolve(state, failing=failing)

    with patch.object(SqliteLedger, "post", post), patch.object(SqliteLedger, "sync_state", sync_state):
        yield


def _ends_short(take: Any) -> Any:
    length = limit = 0

    def taken(self: Any, number: int, trail: Any) -> Any:
        nonlocal length, limit
        if number and length < limit:
            return page.Page({}, [], 0, 0)
        found = take(self, number, trail)
        length, limit = found.length, self.limit
        return found

    return taken


def _ends_at_trouble(take: Any) -> Any:
    def taken(self: Any, number: int, trail: Any) -> Any:
        try:
            return take(self, number, trail)
        except SourceError:
            if not number:
                raise
            return page.Page({}, [], 0, 0)

    return taken


@contextmanager
def _key_ignored() -> Iterator[None]:
    real = awards._post

    def post(ledger: Any, draft: Any, *told: Any) -> Any:
        return real(ledger, evolve(draft, key=None) if ledger.entry_of(draft.key) else draft, *told)

    with patch.object(awards, "_posted", lambda *_: None), patch.object(awards, "_post", post):
        yield


def _history_paid(opening: Any) -> Any:
    def opened(account: Any, xp: int | None, window: Any) -> Move:
        move: Move = opening(account, xp, window)
        return evolve(move, kind="gain", xp_baseline=0, points=xp // 100) if xp else move

    return opened


def _any_rise_counts(read: Any) -> Any:
    def taken(account: Any, xp: int, window: Any, drops: Any) -> Any:
        outcome, move = read(account, xp, window, drops)
        return outcome, evolve(move, active=xp > account.xp_total) if move.kind != "rebase" else move

    return taken


def _wait_forgotten_by_others(state_of: Any) -> Any:
    """Keep the wait where only the process that was told it knows of it."""

    def sync_state(self: Any) -> SyncState:
        state: SyncState = state_of(self)
        if not hasattr(self, "knows_from"):
            self.knows_from = state.failing and state.failing.count
        return evolve(state, wait=None) if state.failing and state.failing.count == self.knows_from else state

    return sync_state


@contextmanager
def _lease_ignored() -> Iterator[None]:
    real = SqliteLedger.claim

    def claim(self: Any, task: str, at: Any, until: Any) -> Any:
        with self._database.writing() as session:
            session.execute("DELETE FROM claims")
        return real(self, task, at, until)

    with patch.object(SqliteLedger, "claim", claim):
        yield


def _continues(read: Any) -> Any:
    """Take the first reading after a return for any other."""

    def taken(account: Any, *told: Any) -> Any:
        return read(evolve(account, next_reading="continues") if account.next_reading == "returns" else account, *told)

    return taken


def _slot_tried_again(slot_end: Any) -> Any:
    def ended(self: Any, slot: Any) -> SlotEnd | None:
        end: SlotEnd | None = slot_end(self, slot)
        return None if end and end.outcome == "failed" else end

    return ended


def _not_of(kind: str) -> Callable[[Any], Any]:
    """Derive nothing for drafts of a kind."""
    return lambda derive: (
        lambda ledger, draft, calendar: deriving.Derived() if draft.kind == kind else derive(ledger, draft, calendar)
    )


def _without(statement: str) -> Callable[[str], str]:
    def edited(sql: str) -> str:
        assert statement in sql
        return sql.replace(statement, "")

    return edited


def _baseline_stays(rebase: Any) -> Any:
    def rebased(account: Any, *told: Any) -> Move:
        move: Move = rebase(account, *told)
        return evolve(move, xp_baseline=account.xp_baseline)

    return rebased


def _no_losses(convert: Any) -> Any:
    return lambda carried, gained: convert(carried, gained) if gained > 0 else (0, carried)


def _settles_out_of_turn(_: Any) -> Any:
    return lambda day, good_at: good_at is not None and good_at.date() >= day


def _alerts_again(due: Any) -> Any:
    def notices(lasting: Any, told: Any, now: Any) -> Any:
        topics = {trouble.topic for trouble in lasting}
        return due(lasting, [one for one in told if one.topic not in topics], now)

    return notices


def _not_reminded(due: Any) -> Any:
    return lambda *told: [notice for notice in due(*told) if notice.kind != "reminder"]


def _no_all_clear(due: Any) -> Any:
    return lambda *told: [notice for notice in due(*told) if notice.kind != "all_clear"]


def _wait_as_told(wait_asked: Any) -> Any:
    """Take every wait for a quarter of an hour, whatever was told."""
    return lambda error: None if wait_asked(error) is None else timedelta(minutes=15)


MUTANTS: dict[str, Mutant] = {
    "the remainder is dropped": Mutant(
        _swap(points, "convert", lambda _: lambda _c, gained: divmod(gained, 100)), 1, 1
    ),
    "carried XP is truncated towards zero": Mutant(_swap(points, "convert", lambda _: _half_truncated), 1, 1),
    "losses are forgiven": Mutant(_swap(points, "convert", _no_losses), 1, 1),
    "absent is zero": Mutant(
        _swap(planning, "_unseen", lambda _: lambda account, window, drops: planning._read(account, 0, window, drops)),
        1,
        2,
    ),
    "cursor and award in two transactions": Mutant(_swap(SqliteLedger, "post", _two_transactions), 1, 7),
    "23:55 counts for the next day": Mutant(lambda: patch.object(days, "FOOTHOLD", timedelta(0)), 1, 1),
    "the evening before is forgotten": Mutant(
        _swap(days, "days_counted", lambda count: lambda opens, closes: count(opens, closes)[-1:]),
        2,
        4,
    ),
    "weekends count": Mutant(_swap(Calendar, "adds", lambda _: lambda _self, _day: True), 1, 5),
    "weekends are required": Mutant(lambda: patch.object(days, "SATURDAY", 7), 1, 4),
    "a distrusted board is applied": Mutant(_always(trust, "why_distrusted", None), 1, 1),
    "clocks that disagree are believed": Mutant(_always(trust, "why_clocks_differ", None), 1, 4),
    "failures are counted in memory": Mutant(_failures_in_memory, 1, 1),
    "a day is settled before a sync": Mutant(_always(settling, "is_read_past", True), 2, 2),  # noqa: FBT003
    "a day is settled after its last sync": Mutant(_swap(settling, "is_read_past", _settles_out_of_turn), 2, 2),
    "a frozen board breaks streaks": Mutant(_always(settling, "is_frozen", False), 16, 11),  # noqa: FBT003
    "a short page ends the board": Mutant(_swap(Sweeper, "_take", _ends_short), 1, 1),
    "half a board is taken for a whole one": Mutant(_swap(Sweeper, "_take", _ends_at_trouble), 1, 4),
    "the end is believed at once": Mutant(_swap(Sweeper, "_ends_still", lambda _: lambda _self: True), 1, 1),
    "who was missed was looked for": Mutant(
        _swap(Sweeper, "_board", lambda board: lambda self, _missed: board(self, frozenset())),
        1,
        5,
    ),
    "keys are ignored": Mutant(_key_ignored, 1, 1),
    "a link pays its history": Mutant(_swap(planning, "_opening", _history_paid), 1, 1),
    "history that a board missed is paid": Mutant(_always(planning, "_is_history", False), 1, 10),  # noqa: FBT003
    "a stale page is activity": Mutant(_swap(planning, "_read", _any_rise_counts), 2, 4),
    "Retry-After is forgotten": Mutant(_swap(timing, "wait_asked", _wait_as_told), 1, 6),
    "a wait is not kept": Mutant(_always(timing, "keep_waiting", None), 3, 2),
    "a wait is known to one process": Mutant(_swap(SqliteLedger, "sync_state", _wait_forgotten_by_others), 5, 8),
    "the lease is ignored": Mutant(_lease_ignored, 1, 1),
    "a return is not rebased": Mutant(_swap(planning, "_read", _continues), 1, 6),
    "a rebase leaves the baseline": Mutant(_swap(planning, "_rebase", _baseline_stays), 1, 7),
    "who is not on the board is not opened": Mutant(
        _swap(planning, "_opening", lambda opening: lambda a, xp, w: None if xp is None else opening(a, xp, w)),
        1,
        2,
    ),
    "a reversal leaves the evidence": Mutant(
        _swap(
            activity,
            "AWARD_EVIDENCE",
            _without("AND NOT EXISTS (SELECT 1 FROM entries WHERE reverses = award.position)"),
        ),
        1,
        3,
    ),
    "a reversal derives nothing": Mutant(_swap(deriving, "of_draft", _not_of("reversal")), 1, 10),
    "a late award derives nothing": Mutant(_swap(deriving, "of_draft", _not_of("award")), 3, 10),
    "an excuse derives nothing": Mutant(_always(deriving, "of_everyone", deriving.Derived()), 1, 8),
    "a failed slot is tried again": Mutant(_swap(SqliteLedger, "slot_end", _slot_tried_again), 1, 1),
    "a slot takes a reading from before it": Mutant(
        _swap(timing, "is_cached", lambda cached: lambda now, state, _slot: cached(now, state, None)),
        2,
        5,
    ),
    "alerts come again": Mutant(_swap(incidents, "notices_due", _alerts_again), 1, 1),
    "nobody is reminded": Mutant(_swap(incidents, "notices_due", _not_reminded), 2, 3),
    "no all-clear comes": Mutant(_swap(incidents, "notices_due", _no_all_clear), 1, 1),
    "a clock that goes back is believed": Mutant(_swap(timing, "not_before", lambda _: lambda now, _seen: now), 7, 6),
    "versions are not checked": Mutant(
        _swap(moving, "MOVE_ACCOUNTS", _without(" AND discord_activity.version = moves.version")),
        2,
        6,
    ),
    "who is away is still synced": Mutant(
        _swap(enrolling, "leave", lambda _: lambda *told: Enrolment(told[1], "left")),
        1,
        1,
    ),
    "the gap between requests is forgotten": Mutant(_swap(Pace, "await_turn", lambda _: lambda _self: None), 1, 1),
    "what will not pass is tried again": Mutant(_always(fetch, "_may_pass", True), 1, 1),  # noqa: FBT003
    "any page is taken": Mutant(_always(fetch, "trouble", None), 1, 6),
    "a refusal is an outage": Mutant(_swap(answer, "_meaning", lambda _: lambda _answer: ("down", "")), 1, 1),
}
