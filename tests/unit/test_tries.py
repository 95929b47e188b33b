"""What is tried before anything runs, and what is refused before anything is written (R13a, R21, R25)."""

from datetime import date, timedelta

import pytest

from support.community import Community
from trc_engage import InvalidValue, SourceError, UnknownMember
from trc_engage.core.errors import KeptAway
from trc_engage.core.posting import Posting
from trc_engage.core.roster import Round
from trc_engage.usecases.audit import audited, repair
from trc_engage.usecases.sync import try_board


def tried(community: Community) -> int:
    """Try the board, and return how many rows it has."""
    return try_board(community.ledger, community, lambda: community.now).rows


def test_a_try_reads_the_whole_board_for_nobody() -> None:
    """So that it is known how many are on it; nothing is posted, and nobody is opened."""
    community = Community()
    community.enroll("ada")
    community.xp = {"ada": 1_000}
    assert tried(community) == 21
    (sought,) = community.sought
    assert (sought, getattr(sought, "whole", False)) == (frozenset(), True)
    assert (community.engage.feed(), community.ledger.run_state().sync.good_at) == ([], None)


def test_a_try_that_fails_counts_for_nothing_but_a_wait() -> None:
    """A failure of it is no failure in a row; what its board asks for is kept, and of that board alone (R20, R21)."""
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


def test_nobody_is_excused_who_is_not_enrolled() -> None:
    """The error names who is missing; everybody's calendar stays (R13a)."""
    community = Community()
    with pytest.raises(UnknownMember, match="member 'nobody' is not enrolled"):
        community.engage.excuse(date(2026, 3, 3), reason="ill", by="admin-7", member_id="nobody")
    assert community.engage.excusals() == []


def test_the_doctor_names_what_it_lacks() -> None:
    """Of an own ledger that does without it."""
    with pytest.raises(InvalidValue, match=r"^ledger: 'object': the doctor needs holdings, lines, irregularities"):
        audited(object())  # type: ignore[arg-type]


def test_the_status_tells_of_the_roster() -> None:
    """When the next round may begin."""
    community = Community()
    next_at = community.now + timedelta(minutes=5)
    community.ledger.post(Posting(community.now, round=Round(community.now, next_at)))
    assert community.engage.status().roster.next_at == next_at


def test_where_no_streak_is_stored_none_is_mended() -> None:
    """A repair of a sound store changes nothing."""
    community = Community()
    done = repair(community.ledger, community.now)
    assert (list(done.changes), list(done.audit.breaches)) == ([], [])
