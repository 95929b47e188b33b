"""Eight processes on one store for 20 seconds."""

from pathlib import Path

from .conftest import Figures
from .crowd import gathered

SECONDS = 20


def test_eight_processes_lose_nothing(figures: Figures, tmp_path: Path) -> None:
    """Eight processes award, sync, settle and read; no update is lost, and no caller sees a locked database."""
    with gathered(tmp_path, SECONDS) as crowd, figures.counting("deeds of eight processes") as numbers:
        crowd.hammer()
        crowd.check()
    numbers["deeds of eight processes"] += sum(crowd.counts.values())
    for what, number in sorted(crowd.counts.items()):
        figures.seconds[what], numbers[what] = SECONDS, number
    assert {"awards", "syncs", "settled days", "reads"} <= crowd.counts.keys()
