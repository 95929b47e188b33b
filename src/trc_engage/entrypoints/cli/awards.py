"""The commands award, reverse and adjust."""

from collections.abc import Callable
from typing import Annotated

from ...core.reports import Receipt, Standing
from ...engage import Engage
from ..stores import now
from ..wire import members as wire
from ..wire.shape import parsed_instant
from ..wiring import opened
from ..wording import counted, dated, moment, named, points, safe
from .days import changed
from .options import Changed, Json, argument, command, flag, option, settings_in_force
from .output import print_lines, print_result

Key = Annotated[str, option("KEY", "A unique name of your choice; a key is booked once, however often you send it.")]
Reason = Annotated[str, option("TEXT", "Why, for later readers of the ledger.")]
By = Annotated[str, option("WHO", "Who decided this.")]


@command(
    "trc-engage award m-1 --source benchmark --points 50 --key benchmark:991",
    "trc-engage award m-1 --source benchmark --points 50 --key benchmark:991 \\",
    "    --at 2026-03-05T14:00Z",
)
def award(
    member: Changed,
    *,
    source: Annotated[str, option("TEXT", "What the points are for; anything but 'discord'.")],
    points: Annotated[int, option("POINTS", "How many points, at least 1.")],
    key: Key,
    at: Annotated[str | None, option("TIME", "When it happened, with a UTC offset or Z. [default: now]")] = None,
    no_activity: Annotated[bool, flag("--no-activity", "Not an action of the member, such as a bonus.")] = False,
    by: Annotated[str | None, option("WHO", "Who awards it.")] = None,
    as_json: Json = False,
) -> None:
    """Award points for a benchmark, a download or anything else.

    The UTC day on which it happened becomes active, unless you pass --no-activity. If that day is already
    settled, the streak is recomputed. Repeating a key with the same contents does nothing; with other
    contents it is refused.
    """
    happened_at = now() if at is None else parsed_instant("at", at)
    more = {"counts_as_activity": not no_activity}

    def post(engage: Engage) -> Receipt:
        member_id = engage.resolve(member, exact=True)
        return engage.award(member_id, source=source, points=points, key=key, at=happened_at, by=by, **more)

    _book(post, as_json=as_json)


@command("trc-engage reverse benchmark:991 --reason 'withdrawn' --by admin-7")
def reverse(
    key: Annotated[str, argument("KEY", "The award's key.")], *, reason: Reason, by: By, as_json: Json = False
) -> None:
    """Reverse an award and the activity that it made.

    Nothing is deleted: a second entry takes the points back. The key cannot be used again.
    """
    _book(lambda engage: engage.reverse(key, reason=reason, by=by), as_json=as_json)


@command("trc-engage adjust m-1 --points -5 --key fix:17 --reason 'typo' --by admin-7")
def adjust(
    member: Changed,
    *,
    points: Annotated[int, option("POINTS", "How many points; a negative number takes them away.")],
    key: Key,
    reason: Reason,
    by: By,
    as_json: Json = False,
) -> None:
    """Add or remove points by hand, with a reason.

    An adjustment is not activity: it makes no day active and breaks no streak.
    """
    _book(
        lambda engage: engage.adjust(engage.resolve(member, exact=True), points=points, key=key, reason=reason, by=by),
        as_json=as_json,
    )


def _book(step: Callable[[Engage], Receipt], *, as_json: bool) -> None:
    with opened(settings_in_force()) as engage:
        receipt = step(engage)
        standing = engage.standing(receipt.entry.member_id)
    print_result(
        wire.Receipt.of(receipt, member_id=standing.member_id, points=standing.points),
        lambda: print_receipt(receipt, standing),
        as_json=as_json,
    )


def print_receipt(receipt: Receipt, standing: Standing) -> None:
    """Print what happened, the member's points now, and whether the streak changed."""
    entry = receipt.entry
    if receipt.changed:
        what_for = "" if entry.kind == "adjustment" else f" for {safe(entry.source)}"
        counted_on = f"counted on {dated(entry.day)} (entry {entry.position})"
        print_lines(f"{receipt.outcome}: {points(entry.points)}{what_for}, {counted_on}")
    else:
        print_lines(f"unchanged: already posted as entry {entry.position} of {moment(entry.at)} UTC")
    print_lines(f"{named(standing)}: {counted(standing.points, 'point')}")
    if receipt.late is not None:
        print_lines(f"streak: {changed(receipt.late)} (derived again, because that day is over)")
