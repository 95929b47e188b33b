"""Each trouble of MEE6's API, over a real socket, gives the right error and leaves the ledger as it was (R19)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.community import IDS, Community
from trc_engage import Engage, SourceError
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.entrypoints.wording.alerts import describe_error
from trc_engage.testing.mee6 import Mee6Server

TROUBLES = {
    "private": ("private", "Make the leaderboard public"),
    "expired_token": ("private", "TRC_ENGAGE_MEE6_TOKEN"),
    "unknown_guild": ("unknown_guild", "TRC_ENGAGE_GUILD_ID"),
    "rate_limited": ("rate_limited", "asks for fewer requests"),
    "rate_limited_html": ("rate_limited", "asks for fewer requests"),
    "rate_limited_seconds": ("rate_limited", "asks for fewer requests"),
    "rate_limited_date": ("rate_limited", "asks for fewer requests"),
    "rate_limited_absurd": ("rate_limited", "asks for fewer requests"),
    "blocked": ("blocked", "blocked"),
    "challenge_200": ("blocked", "turns this client away"),
    "challenge_403": ("blocked", "403"),
    "challenge_503": ("blocked", "turns this client away"),
    "bad_gateway": ("down", "502"),
    "unavailable": ("down", "503"),
    "gateway_timeout": ("down", "504"),
    "internal_error": ("down", "500"),
    "reset": ("down", "broke off the connection"),
    "refused_early": ("down", "broke off the connection"),
    "drip_body": ("down", "too slow"),
    "drip_headers": ("down", "too slow"),
    "timeout": ("down", "too slow"),
    "truncated": ("down", "broke off the connection"),
    "gzip_bomb": ("malformed", "compressed"),
    "endless_body": ("malformed", "longer than"),
    "not_json": ("malformed", "not valid JSON"),
    "empty_body": ("malformed", "not valid JSON"),
    "deep_json": ("malformed", "not valid JSON"),
    "nan_xp": ("malformed", "not valid JSON"),
    "wrong_guild": ("malformed", "guild"),
    "no_guild": ("malformed", "guild"),
    "rows_missing": ("malformed", "players"),
    "rows_not_list": ("malformed", "a list was expected"),
    "redirect": ("malformed", "302"),
    "ids_as_numbers": ("malformed", "its id is a int"),
    "xp_null": ("malformed", "its xp is None"),
    "xp_float": ("malformed", "its xp is 1250.5"),
    "xp_negative": ("malformed", "its xp is -"),
    "xp_boolean": ("malformed", "its xp is True"),
    "xp_huge": ("malformed", "its xp is 18446744073709551616"),
    "clock_off": ("clock", "date -u"),
}


@pytest.fixture
def server() -> Iterator[Mee6Server]:
    """Start a server whose board has three members."""
    community = Community()
    with Mee6Server.start(clock=lambda: community.now) as server:
        for name, xp in (("ada", 1_000), ("bo", 500), ("cy", 50)):
            server.board.join(IDS[name], username=name, xp=xp)
        yield server


@pytest.fixture
def community(server: Mee6Server, tmp_path: Path) -> Iterator[Community]:
    """Yield a community that syncs a store on disk with that board."""
    with (
        SqliteLedger.open(tmp_path / "engage.db") as ledger,
        Mee6Source.open(server.guild_id, base_url=server.url, page_gap=0, deadline_seconds=1.0) as source,
    ):
        community = Community(ledger)
        community.engage = Engage(ledger=ledger, source=source, clock=server.clock)
        yield community


@pytest.mark.parametrize(("trouble", "kind", "says"), [(name, *value) for name, value in TROUBLES.items()])
def test_trouble_changes_nothing(server: Mee6Server, community: Community, trouble: str, kind: str, says: str) -> None:
    """Entries, accounts and balances stay, the error says what to do, and the next sync pays everything."""
    community.enroll("ada", "bo")
    community.engage.sync(fresh=True)
    server.board.give(IDS["ada"], 250)
    before = meaning(community)
    server.trouble(trouble)
    with pytest.raises(SourceError) as caught:
        community.engage.sync(fresh=True)
    assert caught.value.kind == kind
    assert says in describe_error(caught.value)
    assert meaning(community) == before
    assert community.ledger.run_state().sync.failures == 1
    server.recover()
    if caught.value.retry_at is not None:
        assert timedelta(seconds=1) <= caught.value.retry_at - community.now <= timedelta(hours=1)
    else:
        assert community.engage.sync(fresh=True).points == 2


def meaning(community: Community) -> object:
    """Return the ledger's entries, accounts and standings."""
    return community.engage.feed(), community.ledger.accounts_to_sync(), community.engage.members()
