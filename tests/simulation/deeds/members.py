"""What members do: they come and go, and link and unlink their accounts."""

from collections.abc import Callable

from trc_engage.core.errors import LinkTaken, NotLinked

from ..oracle import Account
from ..process import Process
from ..verdict import Breach
from .doer import Doer

LINKED_MIN = 8
"""How many accounts stay linked and on Discord."""


def leave(doer: Doer, process: Process) -> None:
    """Let someone leave Discord."""
    account = _linked(doer, left=False)
    if account is not None:
        member = account.member
        doer.do(process, lambda engage: engage.leave(member))
        account.has_left = True
        doer.life.world.here.discard(account.discord_id)


def rejoin(doer: Doer, process: Process) -> None:
    """Let someone come back, now and then with less XP than before (R6)."""
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
    """Unlink an account, sometimes one whose member has left."""
    account = _linked(doer, left=doer.random.random() < 0.3)
    if account is not None:
        member = account.member
        doer.do(process, lambda engage: engage.unlink(member))
        account.is_closed = True


def link(doer: Doer, process: Process) -> None:
    """Link someone to any free id: a new one, their old one, or one that another member had before."""
    oracle = doer.life.oracle
    members = [one for one in sorted(oracle.enrolled) if oracle.account_of(one) is None]
    free = [one for one in doer.life.ids if oracle.holder_of(one) is None]
    if members and free:
        member, discord_id = doer.random.choice(members), doer.random.choice(free)
        began = doer.do(process, lambda engage: engage.link(member, discord_id))
        oracle.link(member, discord_id, began)
        doer.life.world.here.add(discord_id)


def enroll(doer: Doer, process: Process) -> None:
    """Enroll someone new, or repeat an enrollment that changes nothing (R7)."""
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
    """Check that a second link of an id, or of a member, is refused, and that a member without a link cannot leave."""
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
    """Check that a call is refused with this error."""
    try:
        call()
    except error:
        return
    raise Breach(f"not refused as {error.__name__}")
