"""The commands init and migrate: where a store is laid out on purpose."""

from typing import Annotated

import typer

from ...core.errors import StoreOutdated
from ..settings import PostgresUrl
from ..stores import migration_sql
from ..wiring import opened_ledger, opened_or_made_ledger
from ..wording.plain import safe
from .options import command, settings_in_force
from .output import print_lines

NEXT = "next: enroll members (`trc-engage members enroll --help`), then run `trc-engage sync` or `trc-engage daemon`"


@command("TRC_ENGAGE_STORE=/var/lib/trc/engage.db trc-engage init")
def init() -> None:
    """Create the store.

    A file that only you can read (mode 0600), or tables in a schema of a PostgreSQL database. A store that exists
    is not changed, except that one of an older version is brought up to date.
    """
    notes: list[str] = []
    with opened_or_made_ledger(settings_in_force(), notes.append) as ledger:
        print_lines(safe(next(iter(notes), f"there is a store at {ledger.address} already")), NEXT)


@command(
    "trc-engage migrate --dry-run",
    "trc-engage migrate",
    "trc-engage migrate --sql | psql --single-transaction -f - postgresql://dba@db.example/trc",
)
def migrate(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say whether there is anything to do.")] = False,
    sql: Annotated[
        bool, typer.Option("--sql", help="PostgreSQL: change nothing; print the SQL, to run in one transaction.")
    ] = False,
) -> None:
    """Bring the store up to date after an upgrade.

    Commands that write do this by themselves; commands that only read never do. Back up first. Processes of an
    older version can still read afterwards, but write nothing until you restart them with the new version.
    With --sql the store need not exist yet: the SQL then creates it.
    """
    settings = settings_in_force()
    if sql:
        if not isinstance(settings.store, PostgresUrl):
            raise typer.BadParameter("--sql is for a store in PostgreSQL; a file needs no DBA")
        typer.echo(migration_sql(settings.store), nl=False)
        return
    try:
        with opened_ledger(settings, read_only=True) as ledger:
            print_lines(f"{safe(ledger.address)} is up to date")
    except StoreOutdated as error:
        if dry_run:
            print_lines(safe(error.fact))
            return
        with opened_ledger(settings) as ledger:
            print_lines(f"brought up to date: {safe(ledger.address)}")
