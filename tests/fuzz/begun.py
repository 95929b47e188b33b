"""What each input begins with: a community of its own, copied from one that is made only once."""

from collections.abc import Callable
from copy import copy
from functools import cache

from support.community import Community
from trc_engage.adapters.memory import MemoryLedger

Begin = Callable[[], Community]
_made = cache(lambda begin: begin())


def copied(begin: Begin) -> Community:
    """Return a fresh community with a ledger of its own."""
    community: Community = _made(begin)
    made = Community(begun_ledger(community.ledger))
    made.now, made.xp, made.board_id = community.now, dict(community.xp), community.board_id
    return made


def begun_ledger(ledger: object) -> MemoryLedger:
    """Return a ledger that holds the same; its rows are frozen, so only their containers are copied."""
    other = MemoryLedger()
    held = {name: copy(value) for name, value in vars(ledger).items() if name != "_lock"}
    vars(other).update(held)
    for member_id, balance in other._balances.items():
        other._balances[member_id] = dict(balance)
    return other
