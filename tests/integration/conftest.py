"""Fixtures shared by several files; a file that needs another board or store defines its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.command import ADA, GRACE, Operator
from support.community import Community, opened as lent
from trc_engage import Engage
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server


@pytest.fixture
def server() -> Iterator[Mee6Server]:
    """Start a server whose board has two members."""
    with Mee6Server.start() as server:
        server.board.join(ADA, username="ada", xp=1_000)
        server.board.join(GRACE, username="grace", xp=2_000)
        yield server


@pytest.fixture
def operator(tmp_path: Path, server: Mee6Server) -> Operator:
    """Return an operator who reads that board and has no store yet."""
    return Operator(tmp_path, server)


@pytest.fixture
def opened(operator: Operator, server: Mee6Server, tmp_path: Path) -> Operator:
    """Return an operator with a store in which two members were opened and have earned 250 and 50 XP since."""
    with (
        SqliteLedger.open(tmp_path / "engage.db") as ledger,
        Mee6Source.open(server.guild_id, base_url=server.url) as source,
    ):
        engage = Engage(ledger=ledger, source=source, clock=lambda: datetime.now(UTC))
        engage.enroll("m-1", discord_id=ADA, name="Ada")
        engage.enroll("m-2", discord_id=GRACE)
        engage.sync()
    server.board.give(ADA, 250)
    server.board.give(GRACE, 50)
    return operator


@pytest.fixture
def community(tmp_path: Path) -> Iterator[Community]:
    """Yield a community of Ada, who has an award, and Bo, on a SQLite ledger in a file."""
    with lent("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.sync(ada=1_000, bo=1_000)
        community.award("ada", "benchmark:1")
        yield community
