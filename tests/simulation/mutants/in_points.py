"""Bugs in what a reading pays, and in who is read."""

from typing import Any

from attrs import evolve

from trc_engage.core import points, sync
from trc_engage.core.model import Move
from trc_engage.core.reports import Enrollment
from trc_engage.usecases import members

from .planting import Mutant, always, swap


def _half_truncated(carried: int, gained: int) -> tuple[int, int]:
    paid = int((carried + gained) / 100)
    return paid, carried + gained - 100 * paid


def _no_losses(convert: Any) -> Any:
    return lambda carried, gained: convert(carried, gained) if gained > 0 else (0, carried)


def _history_paid(opening: Any) -> Any:
    def opened(account: Any, xp: int | None, window: Any) -> Move:
        move: Move = opening(account, xp, window)
        return evolve(move, kind="gain", xp_baseline=0, points=xp // 100) if xp else move

    return opened


def _adoption_paid(_: Any) -> Any:
    """Treat an adopted board's reading like any other."""

    def adopted(account: Any, xp: int | None, window: Any) -> Any:
        if account.next_reading == "opens":
            return "opened", sync._opening(account, xp, window)
        if xp is None:
            return sync._unseen(account, window, None)
        return sync._read(account, xp, window, None)

    return adopted


def _any_rise_counts(read: Any) -> Any:
    def taken(account: Any, xp: int, window: Any, drops: Any) -> Any:
        outcome, move = read(account, xp, window, drops)
        return outcome, evolve(move, active=xp > account.xp_total) if move.kind != "rebase" else move

    return taken


def _continues(read: Any) -> Any:
    """Treat the first reading after a return like any other."""

    def taken(account: Any, *told: Any) -> Any:
        return read(evolve(account, next_reading="continues") if account.next_reading == "returns" else account, *told)

    return taken


def _baseline_stays(rebase: Any) -> Any:
    def rebased(account: Any, *told: Any) -> Move:
        move: Move = rebase(account, *told)
        return evolve(move, xp_baseline=account.xp_baseline)

    return rebased


MUTANTS = {
    "the remainder is dropped": Mutant(swap(points, "convert", lambda _: lambda _c, gained: divmod(gained, 100))),
    "carried XP is truncated towards zero": Mutant(swap(points, "convert", lambda _: _half_truncated)),
    "losses are forgiven": Mutant(swap(points, "convert", _no_losses)),
    "absent is zero": Mutant(
        swap(sync, "_unseen", lambda _: lambda account, window, drops: sync._read(account, 0, window, drops))
    ),
    "a link pays its history": Mutant(swap(sync, "_opening", _history_paid)),
    "history that a board missed is paid": Mutant(always(sync, "_is_history", False)),  # noqa: FBT003
    "a stale page is activity": Mutant(swap(sync, "_read", _any_rise_counts), seed=4),
    "a return is not rebased": Mutant(swap(sync, "_read", _continues)),
    "a rebase leaves the baseline": Mutant(swap(sync, "_rebase", _baseline_stays)),
    "adopting a board pays": Mutant(swap(sync, "_adopted", _adoption_paid)),
    "who was away is not rebased to an adopted board": Mutant(always(sync, "_to_be_rebased", None), seed=2),
    "who is not on the board is not opened": Mutant(
        swap(sync, "_opening", lambda opening: lambda a, xp, w: None if xp is None else opening(a, xp, w))
    ),
    "who is away is still synced": Mutant(
        swap(members, "leave", lambda _: lambda *told: [Enrollment(one, "left") for one in told[1]])
    ),
}
