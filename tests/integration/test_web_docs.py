"""The code and pictures of `docs/web.md` are kept true."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/web.md"


def test_the_program_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's Python blocks, joined from top to bottom, are one program that runs."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    exec("".join(blocks), {})  # noqa: S102
    assert len(blocks) == 2


def test_every_picture_is_there_and_shown() -> None:
    """The page shows exactly the pictures that exist, each smaller than 150 kB."""
    folder = PAGE.parent / "screenshots"
    shown = re.findall(r"\(screenshots/([a-z-]+\.png)\)", PAGE.read_text())
    assert sorted(shown) == sorted(one.name for one in folder.iterdir())
    assert all(one.stat().st_size < 150_000 for one in folder.iterdir())
