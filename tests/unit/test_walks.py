"""How far a walk through the package leads: a newcomer who follows it opens so many files and no more."""

import re
from pathlib import Path

import pytest

import trc_engage
from support.walks import counted, opened

PACKAGE, ROOT = Path(trc_engage.__file__).parent, Path(__file__).parents[2]
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
NAMED = re.compile(r"`((?:[\w<>]+/)*[\w<>]*(?:\.py|/))`")
DOORS = ("cli/", "web/", "wire/", "daemon/")

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
    assert {"usecases/sync.py", "core/sync.py", "adapters/boards/paging.py", "adapters/sql/posting.py"} <= files["sync"]


@pytest.mark.parametrize(
    ("walk", "begins", "ends"),
    [
        ("sync", "## How a board becomes points", "## How an award"),
        ("run_due", "## How a board becomes points", "## How an award"),
        ("award", "## How an award becomes points", "## How to add"),
    ],
)
def test_the_documented_walk_is_the_one_taken(files: dict[str, set[str]], walk: str, begins: str, ends: str) -> None:
    """Whoever follows it in the document is told of every file, by its own name or by its folder's."""
    section = ARCHITECTURE.partition(begins)[2].partition(ends)[0]
    told = {f"entrypoints/{path}" if path.startswith(DOORS) else path for path in NAMED.findall(section)}
    assert {path for path in files[walk] if path not in told and f"{path.rpartition('/')[0]}/" not in told} == set()


def test_what_the_document_names_is_there() -> None:
    """Each file and folder, seen from the package, its doors, or the repository."""
    roots = [ROOT, PACKAGE, *(PACKAGE / room for room in ("entrypoints", "adapters", "core", "usecases"))]
    named = [path for path in NAMED.findall(ARCHITECTURE) if "<" not in path]
    assert len(named) > 50
    assert [path for path in named if not any((root / path).exists() for root in roots)] == []
