"""The stored corpus: a text file for each target, with one input per line, its bytes escaped as in Python."""

from collections.abc import Iterable, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"


def as_line(given: bytes) -> str:
    """Return an input on one line of ASCII."""
    return given.decode("latin-1").encode("unicode_escape").decode()


def from_line(line: str) -> bytes:
    """Return the input of a line."""
    return line.encode().decode("unicode_escape").encode("latin-1")


def read(name: str) -> Sequence[bytes]:
    """Return the inputs that are kept for a target."""
    return [from_line(line) for line in (FOLDER / f"{name}.txt").read_text("ascii").splitlines()]


def write(name: str, inputs: Iterable[bytes]) -> None:
    """Keep inputs, shortest first."""
    lines = [as_line(one) for one in sorted(set(inputs), key=lambda one: (len(one), one))]
    (FOLDER / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), "ascii")
