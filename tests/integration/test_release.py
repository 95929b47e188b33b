"""What is released can be rebuilt byte for byte, and its documents name no person."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines()]
SCHEMAS = {
    "compose.yaml": "vendor.compose-spec",
    ".github/workflows/publish.yml": "vendor.github-workflows",
    ".github/ISSUE_TEMPLATE/bug.yml": "vendor.github-issue-forms",
    ".github/ISSUE_TEMPLATE/idea.yml": "vendor.github-issue-forms",
    ".github/ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
}
PAPERS = ("SECURITY.md", "CONTRIBUTING.md", *SCHEMAS)
EPOCH = "1790000000"


def built(source: Path, mode: int, at: int) -> dict[str, str]:
    """Build a tree whose files have this mode and time; return the digests of the wheel and the sdist."""
    for path in source.rglob("*"):
        if path.is_file():
            path.chmod(mode)
            os.utime(path, (at, at))
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(source / "dist")]
    subprocess.run(command, cwd=source, env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH}, capture_output=True, check=True)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (source / "dist").iterdir()}


def copied(target: Path) -> Path:
    """Copy what is released, without what tools leave behind."""
    ignored = shutil.ignore_patterns(".venv", ".git", ".tox", "__pycache__", ".*_cache", ".hypothesis", "dist", "*.db")
    return Path(shutil.copytree(ROOT, target, ignore=ignored))


def test_who_builds_again_gets_the_same_files(tmp_path: Path) -> None:
    """A build in another folder, with other modes and times, has the same bytes; the sdist has what its tests read."""
    first = built(copied(tmp_path / "one"), 0o644, 1_600_000_000)
    assert first == built(copied(tmp_path / "two"), 0o600, 1_700_000_000)
    wheel, sdist = sorted(first, key=lambda name: name.endswith(".gz"))
    with tarfile.open(tmp_path / "one/dist" / sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {*PAPERS, "constraints.txt", "Dockerfile", ".dockerignore", "tests/integration/test_release.py"}
    with zipfile.ZipFile(tmp_path / "one/dist" / wheel) as archive:
        assert not [name for name in archive.namelist() if not name.startswith("trc_engage")]


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_file_is_as_its_published_schema_says(path: str) -> None:
    """Each file is valid by its published schema, as far as that shows without the service that reads the file."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[path], str(ROOT / path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_constraints_are_names_and_versions_of_all_that_is_needed() -> None:
    """Each dependency is pinned once, by name and an exact version that the package allows; no address, no option."""
    pinned = {canonicalize_name(one.name): one for one in PINNED}
    assert len(pinned) == len(PINNED)
    assert all(one.url is None and re.fullmatch(r"==[\w.]+", str(one.specifier)) for one in PINNED)
    extras = PROJECT["optional-dependencies"]
    for text in (*PROJECT["dependencies"], *extras["web"], *extras["postgres"], *extras["metrics"]):
        needed = Requirement(text)
        (version,) = pinned[canonicalize_name(needed.name)].specifier
        assert needed.specifier.contains(version.version), text


def test_typer_may_be_a_newer_one_and_is_not_in_the_image() -> None:
    """The package allows Typer 0.29, which an app may need; the image pins 0.28, which starts twice as fast."""
    (typer,) = (Requirement(text) for text in PROJECT["dependencies"] if text.startswith("typer"))
    assert typer.specifier.contains("0.29.5")
    assert not typer.specifier.contains("0.30.0")
    assert "typer==0.28.0" in map(str, PINNED)


@pytest.mark.parametrize("path", PAPERS)
def test_papers_name_no_person_and_no_address(path: str) -> None:
    """The documents have no e-mail address and no link to a host, since those are for the owner to fill in."""
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+|https?://(?!127\.0\.0\.1\b)", (ROOT / path).read_text())


def test_publishing_needs_no_stored_credential() -> None:
    """Publishing uses trusted publishing without secrets, minimal rights and a time limit for each job."""
    text = (ROOT / ".github/workflows/publish.yml").read_text()
    assert "permissions: {}" in text
    assert text.count("timeout-minutes:") == text.count("runs-on:") == 2
    assert not re.search(r"secrets\.|password:|api-token", text)
    assert re.search(r"environment: release\n    permissions:\n      id-token: write\n    steps:", text)
    assert {"attest-build-provenance", "attest-sbom"} <= set(re.findall(r"attest-[\w-]+", text))
