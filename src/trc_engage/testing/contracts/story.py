"""A store and what happens to it: enrollments and syncs, planned by the core."""

from collections.abc import Iterator, Mapping
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ...core.errors import InvalidValue
from ...core.model import Board, DiscordActivity, Link, Member, Move
from ...core.ports import AuditedStore, Store
from ...core.posting import Posting, SyncRun
from ...core.reports import Standing, SyncReport
from ...core.sync import plan_sync
from ...usecases import audit

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADA, BO, CY = "m-ada", "m-bo", "m-cy"
ADA_ID, BO_ID, CY_ID = "80351110224678912", "80351110224678913", "80351110224678914"


class Story:
    """A store in the making, a quarter of an hour after the other."""

    def __init__(self, ledger: Store) -> None:
        self.ledger = ledger
        self.at: datetime = MONDAY

    def enroll(self, member_id: str, discord_id: str | None = None, name: str | None = None) -> None:
        """Post a new member, linked if an id is given."""
        links = [] if discord_id is None else [Link(member_id, discord_id)]
        self.ledger.post(Posting(self.at, members=[Member(member_id, name, self.at)], links=links))

    def account(self, member_id: str) -> DiscordActivity:
        """Return the member's account, which must be there."""
        account = self.ledger.account_of(member_id)
        assert account is not None, f"{member_id} has no account"
        return account

    def standing(self, member_id: str) -> Standing:
        """Return where a member stands, who must be there."""
        facts = self.ledger.facts(member_id, self.at.date())
        assert facts is not None, f"{member_id} is not enrolled"
        return facts.standing

    def restate(self, member_id: str, status: Any, **change: Any) -> None:
        """Post a change of status that leaves the XP alone."""
        account = self.account(member_id)
        next_reading = change.pop("next_reading", account.next_reading)
        self.ledger.post(Posting(self.at, moves=[Move.of_status(account, status, next_reading, **change)]))

    def planned(self, xp: Mapping[str, int], *, whole: bool = True) -> Posting:
        """Return what a sync of this board would post."""
        state = self.ledger.run_state().sync
        board = Board(xp, whole=whole, rows=len(xp), pages=1)
        plan = plan_sync(self.ledger.accounts_to_sync(), board, self.at, state)
        report = SyncReport("synced", self.at, points=plan.points, pages=1, rows=len(xp))
        return Posting(self.at, moves=plan.moves, run=SyncRun(report, whole, state.good_run))

    def sync(self, xp: Mapping[str, int], *, whole: bool = True) -> None:
        """Post a sync of this board, a quarter of an hour after the last."""
        self.at += timedelta(minutes=15)
        self.ledger.post(self.planned(xp, whole=whole))

    def meaning(self) -> object:
        """Return all that the ports tell of the store, to see whether anything changed."""
        return (
            self.ledger.members(),
            self.ledger.feed(after=0, limit=1_000),
            self.ledger.accounts_to_sync(),
            self.ledger.run_state().sync,
        )


class AuditedStory(Story):
    """The story of a store that the doctor can look at."""

    ledger: AuditedStore


class StoreContract:
    """The factory, the hooks, and the fixture that every part of the contract builds on."""

    lasts = True
    """Whether what was posted outlives the store's `close`; a ledger in memory says that it does not."""

    def make_ledger(self, folder: Path) -> Store:
        """Return an empty store; `folder` is an empty one for its files."""
        raise NotImplementedError

    def reopen(self, ledger: Store, folder: Path) -> Store:
        """Close a store and open the same again: as `make_ledger` does where it finds it in its folder."""
        if close := getattr(ledger, "close", None):
            close()
        return self.make_ledger(folder)

    def unbalance(self, ledger: Store, member_id: str) -> None:
        """Change, behind the store's back, what it keeps as a member's points for 'benchmark'; if you can."""

    def damage(self, ledger: Store) -> None:
        """Do to the store what only its own `irregularities` can see; if you can."""

    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Store]:
        """Lend a store to one test."""
        ledger: Any = self.make_ledger(tmp_path)
        with closing(ledger) if hasattr(ledger, "close") else nullcontext():
            yield ledger

    @pytest.fixture
    def story(self, ledger: Store) -> Story:
        """Begin a story in an empty store."""
        return Story(ledger)

    @pytest.fixture
    def audited(self, ledger: Store) -> AuditedStory:
        """Begin a story in an empty store, for the doctor to look at; skipped for one that has nothing for it."""
        try:
            return AuditedStory(audit.audited(ledger))
        except InvalidValue as error:
            pytest.skip(str(error))
