"""All cases, by family."""

from collections.abc import Mapping, Sequence

from . import boards, bodies, delays, framings, heads, numbers, paging, refusals
from .case import Case

FAMILIES: Mapping[str, Sequence[Case]] = {
    "delays": delays.CASES,
    "bodies": bodies.CASES,
    "numbers": numbers.CASES,
    "boards": boards.CASES,
    "framings": framings.CASES,
    "heads": heads.CASES,
    "refusals": refusals.CASES,
    "paging": paging.CASES,
}
