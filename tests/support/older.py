"""Earlier versions of this package, each a wheel built from its commit, at work in processes of their own."""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = Path(tempfile.gettempdir()) / f"engage-older-{os.getuid()}"
"""Kept from one run to the next: a commit does not change."""
SCHEMA_2, SCHEMA_3 = "783e6b7", "21ea412"
"""The last commits before the third and the fourth version of the schema."""


@cache
def wheel_of(commit: str) -> Path:
    """Return a folder into which the wheel of a commit is unpacked; without the history the test is skipped."""
    target = FOLDER / commit
    if target.is_dir():
        return target
    found = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if found.returncode:
        message = f"commit {commit} is not there to be built; fetch the whole history (fetch-depth: 0)"
        if os.environ.get("CI") == "true" and (ROOT / ".git").exists():
            pytest.fail(message)
        pytest.skip(message)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        with tarfile.open(fileobj=BytesIO(found.stdout)) as tree:
            tree.extractall(folder / "tree", filter="data")
        words = ["pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(folder / "tree")]
        built = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
        if built.returncode:
            message = f"no wheel of {commit} can be built here: {built.stderr.strip().splitlines()[-1:]}"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        (wheel,) = folder.glob("*.whl")
        words = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder / "root"), str(wheel)]
        subprocess.run([sys.executable, "-m", *words], check=True)
        try:
            (folder / "root").rename(target)
        except OSError:
            # Another process was quicker.
            if not target.is_dir():
                raise
    return target


WORK = '''
import json, sys
from datetime import UTC, datetime
from trc_engage import Board, Engage, SourceError, __file__
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sqlite import SqliteLedger

kind, place, schema = sys.argv[1:]
ledger = SqliteLedger.open(place) if kind == "sqlite" else PostgresLedger.open(place, schema=schema)


class Source:
    """A board that is read when the test says so."""

    def read(self, _sought):
        print(json.dumps("reading"), flush=True)
        xp = json.loads(sys.stdin.readline())
        if xp is None:
            raise SourceError("down", "the board is away")
        return Board(xp, whole=True, rows=30, pages=1)


at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
engage = Engage(ledger=ledger, source=Source(), clock=lambda: at)
print(json.dumps(found), flush=True)
for line in sys.stdin:
    name, values, options = json.loads(line)
    if name == "award":
        options["at"] = at
    try:
        answer = ["done", str(getattr(engage, name)(*values, **options))]
    except Exception as error:
        answer = ["refused", f"{type(error).__name__}: {error}"]
    print(json.dumps(answer), flush=True)
'''


class Older:
    """A process that has a store open, of whatever version its folder holds."""

    def __init__(self, folder: Path, kind: str, place: str, schema: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORK, kind, place, schema],
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert str(self.heard()).startswith(str(folder))

    def say(self, value: Any) -> None:
        """Send a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(value)}\n")
        self.process.stdin.flush()

    def heard(self) -> Any:
        """Return the next line."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def do(self, name: str, *values: Any, **options: Any) -> tuple[str, str]:
        """Call a method of its `Engage`; return whether it was done or refused, and what was said."""
        self.say([name, values, options])
        outcome, told = self.heard()
        return outcome, told

    def award(self, member_id: str, key: str) -> tuple[str, str]:
        """Award 3 points."""
        return self.do("award", member_id, source="old", points=3, key=key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()
