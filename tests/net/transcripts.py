"""What was asked and what was answered, in a form that is easy to compare line by line."""

import json
import re
from collections import defaultdict
from typing import Any

WIDTH = 118
MASKED = {"store": "STORE", "store_bytes": "BYTES", "version": "VERSION", "owner": "OWNER"}
"""Fields whose values differ from run to run, or from one kind of store to another."""
MASKS = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"[^\s()]+:\d+:[0-9a-f.]{16,}\b"), "OWNER"),
    (re.compile(r"\bFrom \S+, about"), "From HOST, about"),
)
METHODS = re.compile(r"\b[A-Z]{3,}(, [A-Z]{3,})+")
"""The methods that an address allows, in any order."""


class Transcripts:
    """Transcripts by name; each is one golden file."""

    def __init__(self, folder: str) -> None:
        self.texts: dict[str, str] = defaultdict(str)
        self._folder = folder

    def add(self, name: str, *parts: str) -> None:
        """Write down one question and its answer."""
        self.texts[name] += "\n".join(self._inert(part) for part in parts if part) + "\n\n"

    def _inert(self, text: str) -> str:
        """Return a text without values that differ by chance or characters that an editor would change."""
        text = text.replace(self._folder, "FOLDER").rstrip("\n")
        for pattern, mask in MASKS:
            text = pattern.sub(mask, text)
        text = METHODS.sub(lambda found: ", ".join(sorted(found[0].split(", "))), text)
        return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def pretty(value: Any, indent: str = "") -> str:
    """Return JSON in its original order, with a row, or what fits, on each line."""
    line = json.dumps(masked(value))
    if not isinstance(value, dict | list) or len(indent) + len(line) <= WIDTH or is_row(value):
        return line
    deeper = f"{indent}  "
    if isinstance(value, dict):
        parts = [f"{deeper}{json.dumps(name)}: {pretty(masked(value)[name], deeper)}" for name in value]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{deeper}{pretty(one, deeper)}" for one in value) + f"\n{indent}]"


def is_row(value: Any) -> bool:
    """Return whether a value is an object of plain values, which is read best on one line."""
    return isinstance(value, dict) and not any(isinstance(one, dict | list) and one for one in value.values())


def masked(value: Any) -> Any:
    """Return a value without what differs from run to run."""
    if isinstance(value, dict):
        return {
            name: MASKED[name] if name in MASKED and isinstance(one, str | int) else masked(one)
            for name, one in value.items()
        }
    return [masked(one) for one in value] if isinstance(value, list) else value
