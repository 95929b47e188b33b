"""A store on a PostgreSQL that may be stopped, and a daemon that works on it at times that the test sets."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from trc_engage import Engage
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.postgres.connection import Address
from trc_engage.core.slots import slot_of
from trc_engage.testing.mee6 import Mee6Server
from trc_engage.usecases.leases import TASK

from .attended import IDS
from .command import Operator
from .community import QUARTER
from .postgres import Server
from .receiver import Receiver
from .timed import TimedDaemon

BEGINS_AT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
PASSWORD = "cAnArY-0123456789"  # noqa: S105


class House:
    """A store on a server that may be stopped, a MEE6, and a daemon between them, all with the same clock."""

    def __init__(self, folder: Path, server: Server, receiver: Receiver) -> None:
        self.at = BEGINS_AT
        self.server = server
        self.receiver = receiver
        self.mee6 = Mee6Server.start(clock=lambda: self.at)
        self.dsn = server.dsn.replace(":@", f":{PASSWORD}@")
        self.schema = f"engage_{folder.name}".replace("-", "_").lower()
        self.ledger = PostgresLedger.open(self.dsn, schema=self.schema)
        self.engage = Engage(ledger=self.ledger, clock=lambda: self.at)
        self.operator = Operator(folder, self.mee6)
        self.operator.env["TRC_ENGAGE_STORE"] = f"{self.dsn}&schema={self.schema}"
        self.operator.env["TRC_ENGAGE_ALERT_WEBHOOK"] = receiver.url
        for member_id, discord_id in IDS.items():
            self.mee6.board.join(discord_id, xp=1_000)
            self.engage.enroll(member_id, discord_id=discord_id)
        self.daemon = self.start()
        self.daemon.rest()

    def start(self) -> TimedDaemon:
        """Start the daemon."""
        self.daemon = TimedDaemon.start(self.operator.env, self.operator.folder / "log", self.at)
        return self.daemon

    def end(self) -> None:
        """End the daemon and close the store and MEE6."""
        self.daemon.kill()
        self.ledger.close()
        self.mee6.stop()

    @property
    def lock_key(self) -> int:
        """The key of the advisory lock that writers take."""
        return Address.parse(self.dsn, self.schema).lock_key

    def stranger(self) -> psycopg.Connection[Any]:
        """Connect as another program that knows our schema."""
        return psycopg.connect(self.server.dsn, autocommit=True, options=f"-c search_path={self.schema}")

    def stop_server(self) -> None:
        """Stop the server as a crash would."""
        self.server.control("stop", "-m", "immediate")

    def earn(self) -> None:
        """Give everyone XP for two and a half points."""
        for discord_id in IDS.values():
            self.mee6.board.give(discord_id, 250)

    def pass_to(self, at: datetime) -> None:
        """Move the clock and wait until the daemon has done what is due."""
        self.at = at
        self.daemon.tell(at)
        self.daemon.rest()

    def outcomes(self) -> list[str | None]:
        """Return the outcome of each slot until now."""
        slots = [BEGINS_AT + QUARTER * number for number in range((self.at - BEGINS_AT) // QUARTER + 1)]
        ends = [self.ledger.run_state(slot).slot_end(slot) for slot in slots]
        return [None if end is None else end.outcome for end in ends]

    def assert_exact(self, points: int) -> None:
        """Assert that all is paid exactly once, that the doctor finds nothing, and that no lease is left."""
        for member_id in IDS:
            assert sum(entry.points for entry in self.engage.history(member_id)) == points
            assert self.engage.standing(member_id).points == points
        with self.ledger._database.connection() as session:
            ran = [at for (at,) in session.execute("SELECT at FROM runs WHERE outcome = 'synced' ORDER BY run_id")]
        slots = [slot_of(datetime.fromisoformat(at)) for at in ran]
        assert len(slots) == len(set(slots)) == self.outcomes().count("synced")
        assert self.engage.audit().breaches == []
        assert self.ledger.run_state().lease_of(TASK) is None
        assert PASSWORD not in "".join(self.daemon.told())
