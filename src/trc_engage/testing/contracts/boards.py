"""Whose board it is, and what was decided about it."""

from datetime import timedelta

import pytest
from attrs import evolve

from ...core.model import Board, Decision
from ...core.posting import Posting, SyncFailure, SyncRun
from ...core.reports import SyncReport
from ...core.slots import Wait
from ...core.sync import plan_adoption
from .story import ADA, ADA_ID, BO, BO_ID, CY, CY_ID, StoreContract, Story

ONE, OTHER = "mee6:1", "mee6:2"
ADOPTION = Decision("adopt_board", "admin-7", "we moved")


class BoardsContract(StoreContract):
    """What the store remembers of boards (R21, R24, R27)."""

    @pytest.fixture
    def three(self, story: Story) -> Story:
        """Begin with three members, opened at 1,000 XP; the last of them has left."""
        for member_id, discord_id in ((ADA, ADA_ID), (BO, BO_ID), (CY, CY_ID)):
            story.enroll(member_id, discord_id)
        story.sync({ADA_ID: 1_000, BO_ID: 1_000, CY_ID: 1_000})
        story.restate(CY, "left")
        return story

    def test_the_board_is_that_of_the_last_good_sync(self, three: Story) -> None:
        """A failed run names none, whatever it asked."""
        assert three.ledger.run_state().sync.board_id == ""
        _sync(three, {ADA_ID: 1_000, BO_ID: 1_000}, ONE)
        failure = SyncFailure(three.at, "down", "no answer", counts=True, board_id=OTHER)
        three.ledger.post(Posting(three.at, failure=failure))
        assert three.ledger.run_state().sync.board_id == ONE

    def test_each_board_has_a_wait_of_its_own(self, three: Story) -> None:
        """A failure replaces that of the board it asked, one that asked nobody none, a good sync ends its own."""
        until = three.at + timedelta(minutes=50)
        for board_id in (ONE, OTHER, ""):
            _fail(three, board_id, minutes=50)
        _fail(three, None)
        wait = Wait("rate_limited", until)
        assert three.ledger.run_state().sync.waits == {ONE: wait, OTHER: wait, "": wait}
        _fail(three, OTHER)
        _sync(three, {ADA_ID: 1_000, BO_ID: 1_000}, OTHER)
        assert three.ledger.run_state().sync.waits == {ONE: wait}
        _fail(three, ONE, minutes=40)
        assert three.ledger.run_state().sync.waits == {ONE: Wait("rate_limited", three.at + timedelta(minutes=40))}

    def test_linked_accounts_hold_who_has_left(self, three: Story) -> None:
        """All but the unlinked, by account id."""
        three.restate(BO, "unlinked")
        assert [account.member_id for account in three.ledger.linked_accounts()] == [ADA, CY]

    def test_an_adoption_rebases_marks_and_is_on_record(self, three: Story) -> None:
        """Entries say who decided and why; who has left is still to be rebased; no wait is left."""
        _fail(three, ONE, minutes=50)
        three.at += timedelta(minutes=15)
        state, board = three.ledger.run_state().sync, Board({ADA_ID: 77_000}, whole=True, rows=9, pages=1)
        looked_for = {account.account_id for account in three.ledger.accounts_to_sync()}
        plan = plan_adoption(three.ledger.linked_accounts(), looked_for, board, three.at, state)
        run = SyncRun(SyncReport("synced", three.at, rows=9), True, state.good_run, OTHER, ADOPTION)  # noqa: FBT003
        three.ledger.post(Posting(three.at, moves=plan.moves, run=run))
        state = three.ledger.run_state().sync
        assert (state.board_id, state.whole_rows, state.waits) == (OTHER, 9, {})
        ada, bo, cy = (three.account(member_id) for member_id in (ADA, BO, CY))
        assert (ada.xp_total, ada.xp_baseline, ada.next_reading) == (77_000, 77_000, "continues")
        assert (bo.xp_total, bo.xp_baseline, bo.next_reading) == (0, 0, "begins")
        assert (cy.xp_total, cy.status, cy.next_reading) == (1_000, "left", "rebases")
        newest = three.ledger.feed(after=3, limit=10)
        assert [(one.kind, one.points, one.silent, one.actor, one.reason) for one in newest] == [
            ("rebase", 0, True, "admin-7", "we moved")
        ] * 2

    def test_only_what_was_decided_on_says_so(self, three: Story) -> None:
        """A deduction that was accepted does, the gain of the same sync does not."""
        accepted = Decision("accept_drops", "admin-7", "they cheated")
        _sync(three, {ADA_ID: 800, BO_ID: 1_100}, "", accepted)
        lost, gained = three.ledger.feed(after=3, limit=10)
        assert (lost.kind, lost.actor, lost.reason) == ("deduction", "admin-7", "they cheated")
        assert (gained.kind, gained.actor, gained.reason) == ("gain", None, None)


def _sync(story: Story, xp: dict[str, int], board_id: str, decision: Decision | None = None) -> None:
    story.at += timedelta(minutes=15)
    planned = story.planned(xp)
    assert planned.run is not None
    story.ledger.post(evolve(planned, run=evolve(planned.run, board_id=board_id, decision=decision)))


def _fail(story: Story, board_id: str | None, minutes: int | None = None) -> None:
    retry_at = None if minutes is None else story.at + timedelta(minutes=minutes)
    failure = SyncFailure(story.at, "rate_limited", "slow down", True, retry_at, board_id)  # noqa: FBT003
    story.ledger.post(Posting(story.at, failure=failure))
