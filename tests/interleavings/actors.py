"""The actors that work on the store at the same time, and what each does."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from trc_engage.core.ports import Store

from .scene import LATER, MONDAY, TUESDAY, Down, World

Act = Callable[[World, Store], Any]


def run_late(world: World, ledger: Store) -> Any:
    """Run half an hour later, as if every actor that began before had been asleep that long."""
    world.now = LATER
    return world.engage(ledger).run_due()


def award(member_id: str, key: str, days: int) -> Act:
    """Return the act of awarding something that happened this many days after Monday."""
    at = MONDAY + timedelta(days)
    return lambda world, ledger: world.engage(ledger).award(member_id, source="benchmark", points=10, key=key, at=at)


def run_in_vain(world: World, ledger: Store) -> Any:
    """Run while the board is down."""
    return world.engage(ledger, source=Down(world)).run_due()


LATE = "late runner"
ACTORS: Mapping[str, Act] = {
    "runner": lambda world, ledger: world.engage(ledger).run_due(),
    LATE: run_late,
    "runner in vain": run_in_vain,
    # For a day that is about to be settled, and for one that is settled.
    "award": award("fay", "run:3", 1),
    "late award": award("eli", "run:4", -3),
    "settlement": lambda world, ledger: world.engage(ledger).settle(),
    "roster": lambda world, ledger: world.engage(ledger, with_roster=True).check_roster(),
    "reversal": lambda world, ledger: world.engage(ledger).reverse("run:1", reason="a mistake", by="admin"),
    "excusal": lambda world, ledger: world.engage(ledger).excuse(TUESDAY, reason="a holiday", by="admin"),
    "unlink": lambda world, ledger: world.engage(ledger).unlink("ada", by="admin"),
}
"""Runners, awards, settlement and roster; the others are what admins do."""
