"""Members and their links (R7), and that who is forgotten is forgotten (R9)."""

from collections.abc import Iterator

from ..errors import InvalidValue
from ..fields import checked_discord_id
from ..model import TOMBSTONE, DiscordActivity
from .books import Books
from .breaches import BALANCE, STREAK, Breach, of_member
from .holdings import Holdings


def breaches_of_people(holdings: Holdings, books: Books) -> Iterator[Breach]:
    """Yield what is wrong with members, links, and what names a member that is not there."""
    for member in holdings.members:
        subject = of_member(member.member_id)
        if member.is_forgotten and member.name is not None:
            yield Breach("member", subject, "the name of somebody forgotten", "still there", "none")
        if member.version < 1:
            yield Breach("member", subject, "the version", member.version, "1 or more")
    yield from _taken_twice(holdings)
    forgotten = {member.member_id for member in holdings.members if member.is_forgotten}
    for account in holdings.accounts:
        yield from _of_link(account, is_forgotten=account.member_id in forgotten)
    if not holdings.unreadable:
        yield from _strangers(holdings, books)


def _of_link(account: DiscordActivity, *, is_forgotten: bool) -> Iterator[Breach]:
    subject = f"account {account.account_id}"
    if is_forgotten and account.status != "unlinked":
        yield Breach("link", subject, "the account of somebody forgotten", account.status, "unlinked")
    if account.discord_id == TOMBSTONE:
        if account.status != "unlinked":
            yield Breach("link", subject, "the Discord id of a linked account", "forgotten", "there")
        return
    if is_forgotten:
        yield Breach("link", subject, "the Discord id of somebody forgotten", "still there", "none")
    try:
        checked_discord_id(account.discord_id)
    except InvalidValue:
        yield Breach("link", subject, "the Discord id", "no Discord id", "1 to 20 digits")


def _taken_twice(holdings: Holdings) -> Iterator[Breach]:
    """Yield members and Discord ids that have more than one link."""
    members: dict[str, int] = {}
    discord_ids: dict[str, int] = {}
    for account in holdings.accounts:
        if account.status == "unlinked":
            continue
        number = account.account_id
        for what, held in (
            ("the link of its member", members.setdefault(account.member_id, number)),
            ("the link of its Discord id", discord_ids.setdefault(account.discord_id, number)),
        ):
            if held != number:
                yield Breach("link", f"account {number}", what, "a second one", f"one: account {held} has it")


def _strangers(holdings: Holdings, books: Books) -> Iterator[Breach]:
    """Yield what belongs to a member that is not there."""
    known = {member.member_id for member in holdings.members}
    for account in holdings.accounts:
        if account.member_id not in known:
            yield Breach("link", f"account {account.account_id}", "its member", "unknown", "an enrolled one")
    owners = (
        ("entry", "the member of entries", books.sums),
        (BALANCE, "the member of a balance", holdings.balances),
        (STREAK, "the member of a streak", [streak.member_id for streak in holdings.streaks]),
    )
    for check, what, member_ids in owners:
        for member_id in sorted(set(member_ids) - known):
            yield Breach(check, of_member(member_id), what, "unknown", "an enrolled one")
