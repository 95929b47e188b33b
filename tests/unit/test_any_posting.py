"""The SQL that posts many moves at once does the same as the core, whatever the moves."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from attrs import evolve
from hypothesis import given, settings, strategies as st

from support.community import IDS, LEDGERS, MONDAY, opened
from trc_engage.core.days import Window
from trc_engage.core.model import (
    Decision,
    DecisionKind,
    DiscordActivity,
    Entry,
    Link,
    Member,
    Move,
    NextReading,
    Status,
    SyncKind,
)
from trc_engage.core.ports import Store
from trc_engage.core.posting import Posting, SyncRun
from trc_engage.core.reports import SyncReport

NAMES = ("ada", "bo", "cy")
XP = st.integers(0, 2**53)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
WINDOWS = st.builds(lambda at, span: Window.between(at, at + span), INSTANTS, st.timedeltas(timedelta(0), timedelta(9)))
STEPS = st.fixed_dictionaries(
    {
        "status": st.sampled_from([status for status in get_args(Status) if status != "unlinked"]),
        "next_reading": st.sampled_from(get_args(NextReading)),
        "xp_baseline": st.integers(-(2**53), 2**53),
        "xp_total": XP,
        "xp_high": XP,
        "window_from": st.none() | INSTANTS,
        "kind": st.none() | st.sampled_from(get_args(SyncKind)),
        "points": st.integers(-(2**40), 2**40),
        "window": WINDOWS,
        "active": st.booleans(),
    }
)
DECISIONS = st.none() | st.builds(Decision, st.sampled_from(get_args(DecisionKind)), st.just("admin"), st.just("why"))


def begun(ledger: Store) -> Sequence[DiscordActivity]:
    """Enroll three members, each with a linked account, and return the accounts."""
    ledger.post(
        Posting(
            MONDAY,
            members=[Member(name, None, MONDAY) for name in NAMES],
            links=[Link(name, IDS[name]) for name in NAMES],
        )
    )
    return ledger.accounts_to_sync()


def meant(moves: Sequence[Move], at: datetime, decision: Decision | None) -> list[Entry]:
    """Return the entries that the core makes of the moves, in their order."""
    entries: list[Entry] = []
    for move in moves:
        if entry := move.entry(len(entries) + 1, at, decision):
            entries.append(entry)
    return entries


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, min_size=3, max_size=3), DECISIONS)
def test_a_store_makes_of_any_move_what_the_core_does(
    steps: list[dict[str, object]], decision: Decision | None
) -> None:
    """Memory and SQLite store the same entries, accounts and run state as the core makes of the moves."""
    at = MONDAY + timedelta(minutes=15)
    for kind in LEDGERS[:2]:
        with TemporaryDirectory() as folder, opened(kind, Path(folder)) as ledger:
            accounts = begun(ledger)
            moves = [Move(account, **step) for account, step in zip(accounts, steps, strict=True)]  # type: ignore[arg-type]
            moves = [move if move.kind else evolve(move, points=0) for move in moves]
            state = ledger.run_state()
            posting = Posting(at, moves=moves, run=SyncRun(SyncReport("synced", at), True, 0, "", decision))  # noqa: FBT003
            ledger.post(posting)
            assert ledger.feed(after=0, limit=9) == meant(moves, at, decision)
            assert ledger.linked_accounts() == [move.account_after for move in moves]
            told = evolve(ledger.run_state(), rises={}, tracks_anyone=True, unseen_since=None)
            assert told == evolve(state.after(posting), unseen_since=None)
