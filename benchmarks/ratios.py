"""Measurements that take turns, each round in a fresh process, and the ratios between them."""

import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

MEASURED = Path(__file__).with_name("measured.py")


@frozen
class Ratio:
    """One line of the table."""

    what: str
    against: str
    median: float
    best: float
    limit: float | None

    def __str__(self) -> str:
        verdict = "" if self.limit is None else f"<= {self.limit:<5.1f} {'ok' if self.median <= self.limit else 'OVER'}"
        return f"{self.what:<46} {self.against:<34} {self.median:>9.2f} {self.best:>9.2f}  {verdict}"


def ratio(what: str, against: str, measured: Sequence[float], floor: Sequence[float], limit: float | None) -> Ratio:
    """Compare a measurement with its floor, round by round."""
    paired = [one / other for one, other in zip(measured, floor, strict=True)]
    return Ratio(what, against, statistics.median(paired), min(measured) / min(floor), limit)


def growth(what: str, times: float, many: Sequence[float], few: Sequence[float], limit: float) -> Ratio:
    """Return the exponent with which a time grows when the size grows this many times."""

    def exponent(large: float, small: float) -> float:
        return math.log(large / small) / math.log(times)

    median = exponent(statistics.median(many), statistics.median(few))
    return Ratio(what, f"exponent over {times:g} times the size", median, exponent(min(many), min(few)), limit)


def alternating(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure each in turn, after a first round whose results are discarded."""
    results: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            result = measure()
            if number > 0:
                results[name].append(result)
    return results


def measure(name: str, store: Path, accounts: int, environment: Mapping[str, str] | None = None) -> float:
    """Measure one thing once."""
    command = [sys.executable, str(MEASURED), name, str(store), str(accounts)]
    finished = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
    )
    return float(finished.stdout)
