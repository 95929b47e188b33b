"""Discord ids that a spreadsheet took for numbers, and rounded."""

from collections.abc import Sequence

from .exits import BadData

KEPT_DIGITS = 15
"""What a spreadsheet keeps of a number; the others become zeros."""
LENGTH_MIN = 17
ROUNDED_MIN = 2


def refuse_rounded(path: str, discord_ids: Sequence[str | None]) -> None:
    """Raise `BadData` if most of the long ids of a file look rounded, two or more: they are not theirs (R31)."""
    long = [one for one in discord_ids if one is not None and len(one) >= LENGTH_MIN]
    rounded = [one for one in long if not one[KEPT_DIGITS:].strip("0")]
    if len(rounded) >= ROUNDED_MIN and len(rounded) * 2 > len(long):
        raise BadData(
            f"{path}: {len(rounded):,} of {len(long):,} Discord ids hold only zeros after their {KEPT_DIGITS}th digit, "
            f"such as {rounded[0]}: a spreadsheet has rounded them. Nothing was imported: take the ids anew from where "
            "they come from, and format their column as text before they are put into it"
        )
