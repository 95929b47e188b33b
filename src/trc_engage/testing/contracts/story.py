"""A store and what happens to it: enrollments, syncs and awards, planned by the core."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ...core.boards import Board
from ...core.errors import Conflict, InvalidValue
from ...core.model import DiscordActivity, Entry, Link, Member, Move
from ...core.ports import AuditedStore, Store
from ...core.posting import Posting, Settlement, SyncRun, drafted
from ...core.reports import MemberFacts, Standing, SyncReport
from ...core.sync import plan_sync
from ...usecases import audit

MONDAY = datetime(2026, 3, 2, 9, 0, 0, 123_457, UTC)
"""With microseconds, as all instants of the stories, so that cutting or rounding shows."""
LATER = MONDAY + timedelta(minutes=5, microseconds=1)
TODAY = MONDAY.date()
DAY = timedelta(days=1)
ADA, BO, CY, NOBODY = "m-ada", "m-bo", "m-cy", "m-nobody"
ADA_ID, BO_ID, CY_ID = "80351110224678912", "80351110224678913", "80351110224678914"
BENCHMARK = drafted("award", ADA, "benchmark", 50, TODAY, MONDAY, "benchmark:1")


class Story:
    """A store under test, and the current time, which each sync moves on by 15 minutes."""

    def __init__(self, ledger: Store) -> None:
        self.ledger = ledger
        self.at: datetime = MONDAY

    def post(self, **what: Any) -> Sequence[Entry]:
        """Post these parts of a posting now."""
        return self.ledger.post(Posting(**{"at": self.at} | what))

    @staticmethod
    def reversal(award: Entry, **what: Any) -> Entry:
        """Return the reversal of an award."""
        return evolve(award.reversal(award.at, "withdrawn 雪", "admin-7"), **what)

    def refuses(self, *postings: Posting) -> None:
        """Assert that each posting is a `Conflict` and changes nothing."""
        before = self.meaning()
        for posting in postings:
            with pytest.raises(Conflict):
                self.ledger.post(posting)
        assert self.meaning() == before

    def enroll(self, member_id: str, discord_id: str | None = None, name: str | None = None) -> None:
        """Post a new member, linked if an id is given."""
        links = [] if discord_id is None else [Link(member_id, discord_id)]
        self.post(members=[Member(member_id, name, self.at)], links=links)

    def member(self, member_id: str) -> Member:
        """Return a member who must exist."""
        member = self.ledger.member(member_id)
        assert member is not None, f"{member_id} is not enrolled"
        return member

    def change(self, member_id: str, **what: Any) -> None:
        """Post a change of a member."""
        self.post(members=[evolve(self.member(member_id), **what)])

    def account(self, member_id: str) -> DiscordActivity:
        """Return the member's account, which must exist."""
        account = self.ledger.account_of(member_id)
        assert account is not None, f"{member_id} has no account"
        return account

    def facts(self, member_id: str) -> MemberFacts:
        """Return the facts of a member who must exist."""
        facts = self.ledger.facts(member_id, self.at.date())
        assert facts is not None, f"{member_id} is not enrolled"
        return facts

    def standing(self, member_id: str) -> Standing:
        """Return the standing of a member who must exist."""
        return self.facts(member_id).standing

    def restate(self, member_id: str, status: Any, **change: Any) -> None:
        """Post a change of status that leaves the XP alone."""
        account = self.account(member_id)
        next_reading = change.pop("next_reading", account.next_reading)
        self.post(moves=[Move.of_status(account, status, next_reading, **change)])

    def planned(self, xp: Mapping[str, int], *, whole: bool = True, **run: Any) -> Posting:
        """Return what a sync of this board would post; `run` adds to its record."""
        state = self.ledger.run_state().sync
        board = Board(xp, whole=whole, rows=len(xp), pages=1)
        plan = plan_sync(self.ledger.accounts_to_sync(), board, self.at, state)
        report = SyncReport("synced", self.at, points=plan.points, pages=1, rows=len(xp), missed=run.pop("missed", 0))
        return Posting(self.at, moves=plan.moves, run=SyncRun(report, whole, state.good_run, **run))

    def sync(self, xp: Mapping[str, int], **how: Any) -> None:
        """Post a sync of this board, 15 minutes later."""
        self.at += timedelta(minutes=15)
        self.ledger.post(self.planned(xp, **how))

    def settlement(self, day: date = TODAY) -> Settlement:
        """Return the settlement of a day at its current revision."""
        return Settlement(day, self.ledger.day_record(day).revision)

    def meaning(self) -> dict[str, object]:
        """Return what the ports show of the store, to see whether anything changed."""
        ledger, accounts = self.ledger, range(1, 5)
        told: dict[str, object] = {
            "members": [ledger.members(), *map(ledger.member, (ADA, BO, CY))],
            "accounts": [ledger.accounts_to_sync(), ledger.linked_accounts(), ledger.holder_of(BO_ID)],
            "entries": [ledger.feed(after=0, limit=1_000), ledger.booking(str(BENCHMARK.key))],
            "events": ledger.events(None),
            "ranks": [ledger.rank_of(ADA, month) for month in (None, TODAY.replace(day=1))],
            "activity": ledger.activity(date.max),
            "excusals": [ledger.excusals(), ledger.calendar(ADA)],
            "lengths": ledger.lengths_reached({1, 5}, after=0, limit=10),
            "runs": [ledger.run_state(MONDAY), ledger.good_runs(MONDAY, self.at)],
            "rosters": ledger.checks(),
            "read": [ledger.xp_read([number], TODAY) for number in accounts],
        }
        for who in (ADA, BO, CY):
            own = ledger.evidence(who, date.min, date.max), ledger.streak_changes(who), ledger.resets(who)
            told[who] = (*own, ledger.facts(who, TODAY))
        return told


class AuditedStory(Story):
    """The story of a store that the doctor can check."""

    ledger: AuditedStore


class StoreContract:
    """The factory, the hooks and the fixtures of every part of the contract."""

    lasts = True
    """Whether postings outlive the store's `close`; set it to False for a ledger in memory."""

    def make_ledger(self, folder: Path) -> Store:
        """Return an empty store; `folder` is an empty folder for its files."""
        raise NotImplementedError

    def reopen(self, ledger: Store, folder: Path) -> Store:
        """Close a store and open it again; by default with `make_ledger`, which must find it in its folder."""
        if close := getattr(ledger, "close", None):
            close()
        return self.make_ledger(folder)

    def unbalance(self, ledger: Store, member_id: str) -> None:
        """Change a member's stored points for 'benchmark' without the store's methods; optional."""

    def damage(self, ledger: Store) -> None:
        """Damage the store in a way that only its own `irregularities` can see; optional."""

    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Store]:
        """Yield a store for one test."""
        ledger: Any = self.make_ledger(tmp_path)
        with closing(ledger) if hasattr(ledger, "close") else nullcontext():
            yield ledger

    @pytest.fixture
    def story(self, ledger: Store) -> Story:
        """Begin a story in an empty store."""
        return Story(ledger)

    @pytest.fixture
    def members(self, story: Story) -> Story:
        """Begin with three members: two are linked and opened at 1,000 and 50 XP, one is not linked."""
        story.enroll(ADA, ADA_ID, "Ada 雪\u202e👍")
        story.enroll(BO, BO_ID, "Bo")
        story.enroll(CY)
        story.sync({ADA_ID: 1_000, BO_ID: 50})
        return story

    @pytest.fixture
    def audited(self, ledger: Store) -> AuditedStory:
        """Begin a story in an empty store for the doctor; skip the test if the store lacks `Records`."""
        try:
            return AuditedStory(audit.audited(ledger))
        except InvalidValue as error:
            pytest.skip(str(error))
