"""How many files a walk through the package enters, and so how many a newcomer who follows it opens."""

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
    """Return the files that each walk enters once everything is loaded."""
    folder: Path = tmp_path_factory.mktemp("walks")
    with opened(folder) as scene:
        return counted(scene)


@pytest.mark.parametrize("walk", FILES_MAX)
def test_a_walk_enters_few_files(files: dict[str, set[str]], walk: str) -> None:
    """A walk enters few files, which `python -m support.walks` lists, in `tests`."""
    assert len(files[walk]) <= FILES_MAX[walk], sorted(files[walk])


def test_a_walk_is_seen(files: dict[str, set[str]]) -> None:
    """The files of a sync include those that it must enter, so the counts are known to see something."""
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
    """The document names every file of a walk, by its own name or by its folder's."""
    section = ARCHITECTURE.partition(begins)[2].partition(ends)[0]
    told = {f"entrypoints/{path}" if path.startswith(DOORS) else path for path in NAMED.findall(section)}
    assert {path for path in files[walk] if path not in told and f"{path.rpartition('/')[0]}/" not in told} == set()


def test_what_the_document_names_is_there() -> None:
    """Each file and folder that the document names exists."""
    roots = [ROOT, PACKAGE, *(PACKAGE / room for room in ("entrypoints", "adapters", "core", "usecases"))]
    named = [path for path in NAMED.findall(ARCHITECTURE) if "<" not in path]
    assert len(named) > 50
    assert [path for path in named if not any((root / path).exists() for root in roots)] == []
