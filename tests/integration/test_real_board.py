"""A real board of 999 rows, in a file that TRC_ENGAGE_REAL_BOARD names and that is not part of the project."""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from trc_engage import Engage, Newcomer
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server

REAL_BOARD = os.environ.get("TRC_ENGAGE_REAL_BOARD")
SYNCS = 200

pytestmark = pytest.mark.skipif(
    REAL_BOARD is None, reason="TRC_ENGAGE_REAL_BOARD does not name a saved page of a real board"
)


@pytest.fixture(scope="module")
def real_page() -> dict[str, Any]:
    """Load the page."""
    page: dict[str, Any] = json.loads(Path(str(REAL_BOARD)).read_text())
    return page


def test_a_real_board_is_read_without_loss(real_page: dict[str, Any]) -> None:
    """The read returns every id and XP of the page, and nothing else."""
    xp = {player["id"]: player["xp"] for player in real_page["players"]}
    guild_id = real_page["guild"]["id"]
    with (
        Mee6Server.start(guild_id=guild_id) as server,
        Mee6Source.open(guild_id, base_url=server.url, page_gap=0) as source,
    ):
        server.shape = 2019
        server.board.load(real_page)
        board = source.read(frozenset([*xp, "80351110224678912"]))
    assert board.readings == xp
    assert (board.whole, board.rows, len(xp)) == (True, 999, 999)


def test_everybody_of_a_real_board_is_paid_exactly(real_page: dict[str, Any], tmp_path: Path) -> None:
    """After 200 syncs of gains and removals, every balance is floor((xp - baseline) / 100)."""
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    guild_id = real_page["guild"]["id"]
    baselines = {player["id"]: player["xp"] for player in real_page["players"]}
    chance = random.Random(2019)
    with (
        Mee6Server.start(guild_id=guild_id, clock=lambda: now) as server,
        Mee6Source.open(guild_id, base_url=server.url, page_gap=0) as source,
        SqliteLedger.open(tmp_path / "engage.db") as ledger,
    ):
        server.board.load(real_page)
        engage = Engage(ledger=ledger, source=source, clock=lambda: now)
        engage.enroll_all([Newcomer(f"m-{discord_id}", discord_id) for discord_id in baselines])
        assert engage.sync().opened == 999
        for _ in range(SYNCS):
            now += timedelta(minutes=15)
            for discord_id in chance.sample(list(baselines), 300):
                server.board.give(discord_id, chance.randint(1, 400))
            for discord_id in chance.sample(list(baselines), 4):
                server.board.remove(discord_id, chance.randint(1, 2_000))
            assert engage.sync().missed == 0
        for standing in engage.members():
            assert standing.discord is not None
            discord_id = standing.discord.discord_id
            assert standing.discord.xp_total == server.board.xp(discord_id)
            assert standing.points == (server.board.xp(discord_id) - baselines[discord_id]) // 100
            entries = engage.history(standing.member_id, limit=1_000)
            assert standing.points == sum(entry.points for entry in entries)
