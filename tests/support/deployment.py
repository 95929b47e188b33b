"""A community that notifies its admins over real HTTP, with a store on disk that survives restarts."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Self

from trc_engage import Engage, RunReport, SourceError
from trc_engage.adapters.alerts import WebhookAlerts
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.entrypoints.wording.alerts import describe_notice

from .community import QUARTER, Community
from .receiver import Receiver

TROUBLES: dict[str, Callable[[], SourceError | None]] = {
    "good": lambda: None,
    "fail": lambda: SourceError("down", "MEE6 is in trouble (status 502)"),
    "wait": lambda: SourceError("rate_limited", "MEE6 asks for fewer requests", timedelta(hours=1)),
}
"""What a slot's sync meets if it reads the board."""


class Deployment:
    """A community that notifies its admins by webhooks, with a store on disk that survives restarts."""

    def __init__(self, path: Path, *receivers: Receiver) -> None:
        self.path = path
        self.urls = [receiver.url for receiver in receivers]
        self.community = Community()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.restart()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def engage(self) -> Engage:
        """The `Engage` that currently runs."""
        return self.community.engage

    def restart(self) -> None:
        """Start again from what is on disk."""
        self._stack.close()
        ledger = self._stack.enter_context(SqliteLedger.open(self.path))
        alerts = [WebhookAlerts(url, timeout=1.0, describe=describe_notice) for url in self.urls]
        community = self.community
        community.ledger = ledger
        community.engage = Engage(ledger=ledger, source=community, clock=lambda: community.now, alerts=alerts)

    def run(self, what: str = "good", after: timedelta = QUARTER) -> RunReport:
        """Do what is due, one slot later by default."""
        self.community.now += after
        self.community.trouble = TROUBLES[what]()
        return self.engage.run_due()
