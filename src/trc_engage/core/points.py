"""XP to points: floor, with the remainder carried (R3, R4)."""

XP_PER_POINT = 100


def convert(xp_carried: int, xp_gained: int) -> tuple[int, int]:
    """Turn gained XP into `(points, xp_carried)`; lost XP is negative and takes points away.

    The carried XP that results is always 0-99, so a loss floors towards minus infinity:

    >>> convert(50, 160)
    (2, 10)
    >>> convert(50, -101)
    (-1, 49)
    """
    return divmod(xp_carried + xp_gained, XP_PER_POINT)


def carried(xp_total: int, xp_baseline: int) -> int:
    """Return the XP, 0-99, that the account keeps for its next point.

    >>> carried(xp_total=1_250, xp_baseline=1_000)
    50
    """
    return (xp_total - xp_baseline) % XP_PER_POINT
