"""The commands that book points by hand: award, reverse, adjust."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from .arguments import Json, Member, examples
from .instants import parsed_instant
from .jsonable import of_receipt, say_json
from .settings import Settings
from .wiring import now, opened

if TYPE_CHECKING:
    from ..core.reports import Receipt
    from ..engage import Engage

app = typer.Typer(rich_markup_mode=None)

Key = Annotated[str, typer.Option(metavar="KEY", help="Your name for it: one key is booked once, however often told.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever reads the ledger later.")]
By = Annotated[str, typer.Option(metavar="WHO", help="Who decided it.")]


@app.command(
    epilog=examples(
        "Examples:",
        "trc-engage award m-1 --source benchmark --points 50 --key benchmark:991",
        "trc-engage award m-1 --source benchmark --points 50 --key benchmark:991 \\",
        "    --at 2026-03-05T14:00Z",
    )
)
def award(
    member: Member,
    *,
    source: Annotated[str, typer.Option(metavar="TEXT", help="What it is for: any word but discord.")],
    points: Annotated[int, typer.Option(metavar="POINTS", help="How many, 1 at least.")],
    key: Key,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it happened, with its zone; now if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Award points for a benchmark, a download or whatever else.

    The UTC day on which it happened becomes active, even if it is settled already: the streak is then
    derived anew. The same key with the same contents again does nothing; with others it is refused.
    """
    happened_at = now() if at is None else parsed_instant("at", at)
    _book(
        lambda engage: engage.award(member, source=source, points=points, key=key, at=happened_at),
        as_json=as_json,
    )


@app.command(epilog=examples("Example:", "trc-engage reverse benchmark:991 --reason 'withdrawn' --by admin-7"))
def reverse(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key of the award.")],
    *,
    reason: Reason,
    by: By,
    as_json: Json = False,
) -> None:
    """Take an award back, and its activity with it.

    Nothing is deleted: another entry takes the points back. The key is used up; a new award needs a new one.
    """
    _book(lambda engage: engage.reverse(key, reason=reason, by=by), as_json=as_json)


@app.command(epilog=examples("Example:", "trc-engage adjust m-1 --points -5 --key fix:17 --reason 'typo' --by admin-7"))
def adjust(
    member: Member,
    *,
    points: Annotated[int, typer.Option(metavar="POINTS", help="How many; a negative number takes points.")],
    key: Key,
    reason: Reason,
    by: By,
    as_json: Json = False,
) -> None:
    """Add or take points by hand, with a reason.

    A correction is no activity: it makes no day active, and breaks no streak.
    """
    _book(
        lambda engage: engage.adjust(member, points=points, key=key, reason=reason, by=by),
        as_json=as_json,
    )


def _book(step: "Callable[[Engage], Receipt]", *, as_json: bool) -> None:
    with opened(Settings.from_mapping(os.environ)) as engage:
        receipt = step(engage)
        standing = engage.standing(receipt.entry.member_id)
    if as_json:
        say_json(of_receipt(receipt, standing))
    else:
        from .sentences.receipts import say_receipt  # noqa: PLC0415

        say_receipt(receipt, standing)
