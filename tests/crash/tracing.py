"""What strace does to a victim, and what it reports."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

MUTATING = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "truncate", "fallocate"),
    *("fsync", "fdatasync", "sync_file_range", "copy_file_range", "sendfile", "splice"),
    *("open", "openat", "openat2", "creat", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "utimensat"),
)
"""Every system call that can change a file, make it durable, or open one."""
READING = ("read", "pread64", "readv", "preadv", "preadv2")

CALL = re.compile(r"^(\w+)\((.*)")
AT = "TRC_ENGAGE_CRASH_AT"


@frozen
class Call:
    """One system call of a victim: its name, its number among calls of that name, and how strace shows it."""

    name: str
    nth: int
    shown: str

    def __str__(self) -> str:
        return f"{self.name}:{self.nth}"

    @property
    def opens(self) -> bool:
        """Whether it opens a file."""
        return self.name in {"open", "openat", "openat2", "creat"}


@frozen
class Trace:
    """The files whose calls are traced, where the log goes, those calls, and what is injected into them."""

    paths: Sequence[Path]
    log: Path
    calls: Sequence[str] = MUTATING
    inject: Sequence[str] = ()
    is_whole: bool = False
    """Whether the log shows everything that is written, in hexadecimal digits."""

    @contextmanager
    def attached(self, pid: int) -> Iterator[None]:
        """Trace the first thread of a waiting process until it ends; no other thread touches a store."""
        command = ["strace", "-y", "-o", str(self.log), "-p", str(pid), "-e", f"trace={','.join(self.calls)}"]
        command += ["-xx", "-s", "70000"] if self.is_whole else []
        for path in self.paths:
            command += ["-P", str(path)]
        for injection in self.inject:
            command += ["-e", f"inject={injection}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr is not None
            told = ""
            while not told.endswith(" attached\n"):
                line = strace.stderr.readline()
                assert line, told
                told += line
            yield
            strace.stderr.read()

    def read(self) -> Sequence[Call]:
        """Return the calls that were logged, in order."""
        seen: Counter[str] = Counter()
        calls = []
        for line in self.log.read_text().splitlines():
            if found := CALL.match(line):
                seen[found[1]] += 1
                calls.append(Call(found[1], seen[found[1]], found[2]))
        return calls


def once(call: Call, what: str) -> Sequence[str]:
    """Return the injection of something at one call."""
    return [f"{call.name}:{what}:when={call.nth}"]


def for_good(call: Call, calls: Sequence[Call], what: str) -> Sequence[str]:
    """Return the injections at this call and all that follow, for every kind of call in `calls`."""
    before = Counter(earlier.name for earlier in calls[: calls.index(call)])
    return [f"{name}:{what}:when={before[name] + 1}+" for name in sorted({call.name for call in calls})]


def picked(calls: Sequence[Call]) -> Sequence[Call]:
    """Return all calls, or the one that the environment names."""
    return [call for call in calls if os.environ.get(AT, str(call)) == str(call)]


@contextmanager
def at(call: Call, test: str) -> Iterator[None]:
    """Add to a failure how to reproduce it."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"at {call.name}({call.shown[:200]}\nagain: {AT}={call} tox -e crash -- {test}")
        raise


def why_not() -> str | None:
    """Return why nothing can be traced here, or None if it can."""
    if shutil.which("strace") is None:
        return "strace is missing; tests/crash/README.md says how to get it"
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()}"
