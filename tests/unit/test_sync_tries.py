"""Trying the board before anything runs, to learn how many rows it has (R20, R21)."""

from datetime import timedelta

import pytest

from support.community import Community
from trc_engage import SourceError
from trc_engage.core.errors import KeptAway
from trc_engage.usecases.sync import try_board


def tried(community: Community) -> int:
    """Try the board, and return how many rows it has."""
    return try_board(community.ledger, community, lambda: community.now).rows


def test_a_try_reads_the_whole_board_for_nobody() -> None:
    """A try reads the board to its end without looking for any account, and posts and opens nothing."""
    community = Community()
    community.enroll("ada")
    community.xp = {"ada": 1_000}
    assert tried(community) == 21
    (sought,) = community.sought
    assert (sought, getattr(sought, "whole", False)) == (frozenset(), True)
    assert (community.engage.feed(), community.ledger.run_state().sync.good_at) == ([], None)


def test_a_try_that_fails_counts_for_nothing_but_a_wait() -> None:
    """A failed try is no failure of the sync; a wait that it was asked for is kept, for that board alone (R20, R21)."""
    community = Community()
    community.board_id = "mee6:1"
    community.trouble = SourceError("rate_limited", "too many requests", timedelta(minutes=9))
    with pytest.raises(SourceError, match="too many"):
        tried(community)
    state = community.ledger.run_state().sync
    assert (state.failures, {*state.waits}) == (0, {"mee6:1"})
    community.trouble = None
    with pytest.raises(KeptAway):
        tried(community)
    assert len(community.sought) == 1
    community.board_id = "mee6:2"
    assert tried(community) == 20
