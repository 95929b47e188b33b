"""One stage for all tests of a run, and counts that are printed at its end."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest
from attrs import Factory, define

from . import tracing
from .stage import Stage, staged


@define
class Figures:
    """How many of each thing were done, and the seconds that it took."""

    numbers: Counter[str] = Factory(Counter)
    seconds: defaultdict[str, float] = Factory(lambda: defaultdict(float))

    @contextmanager
    def counting(self, what: str) -> Iterator[Counter[str]]:
        """Time a block that adds to the counts."""
        began = monotonic()
        yield self.numbers
        self.seconds[what] += monotonic() - began


FIGURES = pytest.StashKey[Figures]()


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """Return the figures that are printed at the end."""
    return pytestconfig.stash.setdefault(FIGURES, Figures())


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Set a stage, or skip the test if nothing can be traced here."""
    if why := tracing.why_not():
        pytest.skip(why)
    with staged(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures."""
    figures = config.stash.get(FIGURES, Figures())
    for what, number in figures.numbers.items():
        terminalreporter.write_line(f"{what}: {number:,} in {figures.seconds[what]:.0f} s")
