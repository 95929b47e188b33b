"""Hunt: `python -m fuzz` all targets, `python -m fuzz page env --seconds 60` some; the exit code is 1 if any finds.

`--keep` adds what was learned to the corpus, minimized: of the new inputs, shortest first, only those that take a step
from one line of the package to another that no earlier input takes, and only as many as fit.
"""

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from attrs import frozen

from fuzz import kept, reached
from fuzz.targets import TARGETS

SECONDS = 600
TOGETHER = 2
ADDED_BYTES_MAX = 4 * 1024
"""For each target."""


@frozen
class Hunt:
    """How one hunt went."""

    name: str
    folder: Path
    said: str

    @property
    def findings(self) -> Sequence[Path]:
        """The inputs that did something no input may do."""
        return sorted(path for path in (self.folder / "findings").iterdir() if path.suffix != ".txt")

    @property
    def failed(self) -> bool:
        """Whether it found something, or broke off."""
        return bool(self.findings) or self.told("number_of_executed_units") < 0

    @property
    def inputs(self) -> Sequence[bytes]:
        """The inputs that took a new path, and those that it began with."""
        return [path.read_bytes() for path in sorted((self.folder / "corpus").iterdir())]

    def told(self, fact: str) -> int:
        """Return a number of Atheris's summary, or -1 if there is no summary."""
        found = re.search(rf"stat::{fact}:\s+(\d+)", self.said)
        return int(found[1]) if found else -1


def hunted(name: str, seconds: int) -> Hunt:
    """Hunt in a process of its own."""
    folder = Path(mkdtemp(prefix=f"fuzz-{name}-"))
    (folder / "corpus").mkdir()
    for number, given in enumerate(kept.read(name)):
        (folder / "corpus" / f"kept-{number:03}").write_bytes(given)
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-m", "fuzz.hunt", name, str(seconds), str(folder)]
        # It ends without cleaning up.
        variables = {**os.environ, "TMPDIR": str(folder)}
        subprocess.run(command, env=variables, stdout=log, stderr=subprocess.STDOUT, check=False)
    return Hunt(name, folder, (folder / "log").read_text("utf-8", "replace"))


def summary(hunt: Hunt) -> str:
    """Return a line about a hunt, with where to look if it found anything or broke off."""
    target = TARGETS[hunt.name]
    runs, memory = hunt.told("number_of_executed_units"), hunt.told("peak_rss_mb")
    share = reached.share(target, hunt.inputs)
    line = (
        f"{hunt.name:8} {runs:9,} inputs, {len(hunt.inputs):5,} in the corpus, {share:4.0%} of the lines that read "
        f"{target.what}, {memory:,} MiB at most, {len(hunt.findings)} findings"
    )
    return f"{line}: see {hunt.folder}" if hunt.failed else line


def main() -> int:
    """Hunt the targets that were named, or all; return the exit code."""
    parser = ArgumentParser(prog="python -m fuzz", description="Fuzz what comes from outside.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for each target (default: %(default)s)")
    parser.add_argument("--together", type=int, default=TOGETHER, help="targets at a time (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="add what was learnt to the corpus")
    given = parser.parse_args()
    if unknown := set(given.targets) - TARGETS.keys():
        parser.error(f"there is no target {min(unknown)}; there are {', '.join(TARGETS)}")
    failed = False
    with ThreadPoolExecutor(given.together) as pool:
        for hunt in pool.map(lambda name: hunted(name, given.seconds), given.targets or TARGETS):
            sys.stdout.write(f"{summary(hunt)}\n")
            sys.stdout.flush()
            failed = failed or hunt.failed
            if given.keep:
                known = kept.read(hunt.name)
                found = reached.new(TARGETS[hunt.name], known, hunt.inputs, ADDED_BYTES_MAX)
                kept.write(hunt.name, [*known, *found])
            if not hunt.failed:
                rmtree(hunt.folder)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
