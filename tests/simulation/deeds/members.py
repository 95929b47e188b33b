"""What members do: they come and go, and link and unlink their accounts."""

from collections.abc import Callable

from trc_engage.core.errors import LinkTaken, NotLinked

from ..oracle import Account
from ..process import Process
from ..verdict import Breach
from .doer import Doer

LINKED_MIN = 8
"""So many stay."""


def leave(doer: Doer, process: Process) -> None:
    """Let somebody leave Discord."""
    account = _linked(doer, left=False)
    if account is not None:
        member = account.member
        doer.do(process, lambda engage: engage.leave(member))
        account.has_left = True
        doer.life.world.here.discard(account.discord_id)


def rejoin(doer: Doer, process: Process) -> None:
    """Let somebody come back, now and then with less XP than he had (R6)."""
    account = _linked(doer, left=True)
    if account is not None:
        life, member = doer.life, account.member
        if doer.random.random() < 0.3:
            life.world.give(account.discord_id, -doer.random.randint(1, 3_000))
        if doer.random.random() < 0.1:
            life.world.reset(account.discord_id)
        began = doer.do(process, lambda engage: engage.rejoin(member))
        life.oracle.rejoin(account, began)
        life.world.here.add(account.discord_id)


def unlink(doer: Doer, process: Process) -> None:
    """Close an account, also of somebody who left."""
    account = _linked(doer, left=doer.random.random() < 0.3)
    if account is not None:
        member = account.member
        doer.do(process, lambda engage: engage.unlink(member))
        account.is_closed = True


def link(doer: Doer, process: Process) -> None:
    """Link somebody to any id that is free: a new one, the old one, or another member's of before."""
    oracle = doer.life.oracle
    members = [one for one in sorted(oracle.enrolled) if oracle.account_of(one) is None]
    free = [one for one in doer.life.ids if oracle.holder_of(one) is None]
    if members and free:
        member, discord_id = doer.random.choice(members), doer.random.choice(free)
        began = doer.do(process, lambda engage: engage.link(member, discord_id))
        oracle.link(member, discord_id, began)
        doer.life.world.here.add(discord_id)


def enroll(doer: Doer, process: Process) -> None:
    """Enroll somebody new, or once more with what holds already (R7)."""
    oracle = doer.life.oracle
    member = doer.random.choice(doer.life.members)
    if member not in oracle.enrolled:
        free = [one for one in doer.life.ids if oracle.holder_of(one) is None]
        enroll_one(doer, process, member, doer.random.choice([None, *free]))
    else:
        account = oracle.account_of(member)
        discord_id = account.discord_id if account else None
        doer.do(process, lambda engage: engage.enroll(member, discord_id=discord_id, name="A"), changes=False)


def enroll_one(doer: Doer, process: Process, member: str, discord_id: str | None) -> None:
    """Enroll a member, with an account or without."""
    began = doer.do(process, lambda engage: engage.enroll(member, discord_id=discord_id, name="A"))
    doer.life.oracle.enroll(member, began)
    if discord_id is not None:
        doer.life.oracle.link(member, discord_id, began)


def link_taken(doer: Doer, process: Process) -> None:
    """Ask for a second link of either side, which is refused, and let one leave who has none."""
    oracle, account = doer.life.oracle, _linked(doer, left=False)
    other = doer.random.choice(sorted(oracle.enrolled))
    if account is None or account.member == other:
        return
    process.begin()
    discord_id = account.discord_id
    _refused(LinkTaken, lambda: process.engage.link(other, discord_id))
    if oracle.account_of(other) is None:
        _refused(NotLinked, lambda: process.engage.leave(other))


def _linked(doer: Doer, *, left: bool) -> Account | None:
    found = [one for one in doer.life.oracle.accounts if not one.is_closed and one.has_left == left]
    return doer.random.choice(found) if len(found) > (0 if left else LINKED_MIN) else None


def _refused(error: type[Exception], call: Callable[[], object]) -> None:
    """Check that something is refused."""
    try:
        call()
    except error:
        return
    raise Breach(f"not refused as {error.__name__}")
