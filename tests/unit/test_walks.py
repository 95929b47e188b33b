"""How far a walk through the package leads: a newcomer who follows it opens so many files and no more."""

from pathlib import Path

import pytest

from support.walks import counted, opened

FILES_MAX = {"sync": 26, "run_due": 30, "award": 16, "explain": 14}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Take every walk once, and count the next."""
    folder: Path = tmp_path_factory.mktemp("walks")
    with opened(folder) as scene:
        return counted(scene)


@pytest.mark.parametrize("walk", FILES_MAX)
def test_a_walk_enters_few_files(files: dict[str, set[str]], walk: str) -> None:
    """Each of them is named by `python -m support.walks`, in `tests`."""
    assert len(files[walk]) <= FILES_MAX[walk], sorted(files[walk])


def test_a_walk_is_seen(files: dict[str, set[str]]) -> None:
    """The count would be small too if nothing was seen."""
    assert {"usecases/sync.py", "core/sync.py", "adapters/boards/source.py", "adapters/sql/posting.py"} <= files["sync"]
