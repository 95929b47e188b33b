"""What a disk may hold after the power was cut: files replayed from a recording of system calls.

The model is harsher than most disks. Until a file is synced, each write to it may be kept, lost or torn
into sectors of 512 bytes, in any order; so may a change of its size, and where a lost write had grown the file
there are zeros or garbage. Until the folder is synced, each file that was created, renamed or removed
in it may still be as it was.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Literal

from attrs import define, field, frozen

from .tracing import Call

SECTOR = 512
SHARES = (0.0, 0.1, 0.5, 0.9, 1.0)
"""The share of unsynced changes that is lost: in some images nearly all, in some nearly nothing."""

TEXT = r'"((?:\\x[0-9a-f]{2})*)"'
FILE = r"\d+<((?:\\x[0-9a-f]{2})*)>"
FOLDER = r"AT_FDCWD<[^>]*>, "

Kind = Literal["create", "write", "truncate", "sync", "link", "rename", "remove", "acknowledge", "nothing"]


@frozen
class Step:
    """One thing that happened to a file, or that was acknowledged."""

    kind: Kind
    file: str = ""
    at: int = 0
    data: bytes = b""
    target: str = ""


UNDERSTOOD: Sequence[tuple[str, Callable[..., Step]]] = (
    (
        rf"pwrite64\({FILE}, {TEXT}, \d+, (\d+)\) += (\d+)$",
        lambda file, data, at, size: Step("write", _text(file), int(at), _bytes(data)[: int(size)]),
    ),
    (
        rf"write\([12]<\S+>, {TEXT}, \d+\) += \d+$",
        lambda line: Step("acknowledge" if _text(line).startswith("acknowledged") else "nothing"),
    ),
    (rf"ftruncate\({FILE}, (\d+)\) += 0$", lambda file, size: Step("truncate", _text(file), int(size))),
    (rf"(?:fsync|fdatasync)\({FILE}\) += 0$", lambda file: Step("sync", _text(file))),
    (rf"openat\({FOLDER}{TEXT}, \S*O_CREAT\S*, \d+\) += \d+<", lambda file: Step("create", _text(file))),
    (rf"openat\({FOLDER}{TEXT}, (?!\S*O_CREAT)\S+\) += \d+<", lambda _: Step("nothing")),
    (rf"openat\({FOLDER}{TEXT}, .*\) += -1 ", lambda _: Step("nothing")),
    (rf"link\({TEXT}, {TEXT}\) += 0$", lambda file, target: Step("link", _text(file), target=_text(target))),
    (rf"rename\({TEXT}, {TEXT}\) += 0$", lambda file, target: Step("rename", _text(file), target=_text(target))),
    (rf"unlink\({TEXT}\) += 0$", lambda file: Step("remove", _text(file))),
    (rf"unlink\({TEXT}\) += -1 ENOENT", lambda _: Step("nothing")),
    (r"fch(?:own|mod)\(.*", lambda: Step("nothing")),
)
"""What each call does to a disk, matched against how strace shows it."""


def step_of(call: Call) -> Step:
    """Return the step of a recorded call; a call that is not understood is an error."""
    shown = f"{call.name}({call.shown}"
    for pattern, step in UNDERSTOOD:
        if found := re.match(pattern, shown):
            return step(*found.groups())
    message = f"what does {shown[:200]} do to a disk?"
    raise AssertionError(message)


def _bytes(digits: str) -> bytes:
    return bytes.fromhex(digits.replace(r"\x", ""))


def _text(digits: str) -> str:
    return _bytes(digits).decode()


@define(eq=False)
class File:
    """A file's synced bytes, and what was done to it since."""

    synced: bytes = b""
    since: list[Step] = field(factory=list)

    def sync(self) -> None:
        """Make everything durable."""
        self.synced, self.since = self.whole(), []

    def whole(self) -> bytes:
        """Return the file as a reader sees it while the power is on."""
        content = bytearray(self.synced)
        for step in self.since:
            _apply(content, step)
        return bytes(content)

    def cut(self, chance: Random, share: float) -> bytes:
        """Return the file as a power loss may leave it."""
        content = bytearray(self.synced)
        for step in self.since:
            for part in _parts(step) if chance.random() < 0.5 else (step,):
                if chance.random() >= share:
                    _apply(content, part)
                elif part.kind == "write" and chance.random() < 0.5:
                    _grow(content, part.at + len(part.data), chance)
        return bytes(content)


def _parts(step: Step) -> Iterator[Step]:
    """Yield a step as one step per sector."""
    if step.kind != "write":
        yield step
        return
    begin, end = step.at, step.at + len(step.data)
    while begin < end:
        stop = min(end, (begin // SECTOR + 1) * SECTOR)
        yield Step("write", step.file, begin, step.data[begin - step.at : stop - step.at])
        begin = stop


def _apply(content: bytearray, step: Step) -> None:
    if step.kind == "truncate":
        del content[step.at :]
        content.extend(bytes(step.at - len(content)))
    else:
        content.extend(bytes(max(0, step.at - len(content))))
        content[step.at : step.at + len(step.data)] = step.data


def _grow(content: bytearray, size: int, chance: Random) -> None:
    lacking = max(0, size - len(content))
    content.extend(chance.randbytes(lacking) if chance.random() < 0.5 else bytes(lacking))


@define(eq=False)
class Disk:
    """A folder and its files after the steps so far; a disk that does not heed syncs forgets them."""

    folder: str
    names: dict[str, File]
    heeds_syncs: bool = True
    _synced: dict[str, File] = field(init=False)
    _since: list[dict[str, File]] = field(factory=list, init=False)
    """The names after each change since the folder was synced."""

    def __attrs_post_init__(self) -> None:
        self._synced = self.names

    @classmethod
    def of(cls, folder: Path, files: Mapping[str, bytes], *, heeds_syncs: bool = True) -> "Disk":
        """Return a disk with these files by path, all of them synced."""
        return cls(str(folder), {path: File(content) for path, content in files.items()}, heeds_syncs)

    def take(self, step: Step) -> None:
        """Let one step happen."""
        if step.kind in {"write", "truncate"}:
            self.names[step.file].since.append(step)
        elif step.kind == "sync" and self.heeds_syncs:
            self._sync(step.file)
        elif step.kind == "create" and step.file not in self.names:
            self._rename({**self.names, step.file: File()})
        elif step.kind in {"link", "rename", "remove"}:
            names = dict(self.names)
            file = names[step.file] if step.kind == "link" else names.pop(step.file)
            self._rename(names if step.kind == "remove" else {**names, step.target: file})

    def _rename(self, names: dict[str, File]) -> None:
        self.names = names
        self._since.append(names)

    def _sync(self, file: str) -> None:
        if file == self.folder:
            self._synced, self._since = self.names, []
        else:
            self.names[file].sync()

    def whole(self) -> Mapping[str, bytes]:
        """Return the files by name as a process sees them."""
        return {Path(name).name: file.whole() for name, file in self.names.items()}

    def cut(self, chance: Random) -> Mapping[str, bytes]:
        """Return the files by name as a power loss may leave them."""
        share = chance.choice(SHARES)
        names = chance.choice([self._synced, *self._since])
        return {Path(name).name: file.cut(chance, share) for name, file in names.items()}
