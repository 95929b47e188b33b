"""`manage.py run_due`: do what is due, once; call it every five minutes."""

import os
from contextlib import ExitStack

from django.core.management.base import BaseCommand
from django.utils import timezone

from shop.points import dsn
from trc_engage import Engage
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.adapters.postgres import PostgresLedger


class Command(BaseCommand):
    """Reads the guild's board if its id is set; without it, points for XP and the days of linked members wait."""

    help = "Sync, settle days and send notices, as far as they are due."

    def handle(self, *_: object, **__: object) -> None:
        """Create the ledger's tables if there are none, and do what is due."""
        guild_id, url = os.environ.get("TRC_ENGAGE_GUILD_ID"), os.environ.get("TRC_ENGAGE_MEE6_URL")
        if not guild_id:
            self.stderr.write("TRC_ENGAGE_GUILD_ID is not set: no board is read")
        with ExitStack() as stack:
            source = stack.enter_context(Mee6Source.open(guild_id, base_url=url)) if guild_id else None
            ledger = stack.enter_context(PostgresLedger.open(dsn()))
            report = Engage(ledger=ledger, source=source, clock=timezone.now).run_due()
            self.stdout.write(f"{report.outcome}, settled {len(report.settled)} days")
