"""A notice as a Discord message: short enough, and with nothing in it that Discord would obey."""

import re

from ...core.incidents import Notice

LENGTH_MAX = 2_000
"""What Discord accepts, in UTF-16 units."""

_COMMAND = re.compile(r"(`(?:trc-engage|date|timedatectl)[^`]*`)")
"""What an admin may copy: it stays marked as code. Nothing else is left of what Discord calls Markdown."""
_MARKS = re.compile(r"(?=[\\*_~|`<>@#\[\]])|(?<=:)(?=//)")


def content(notice: Notice) -> str:
    """Return the text of a message, its title in bold; what is too long is cut in the middle of its longest line."""
    lines = [notice.title, *notice.text.splitlines()]
    while (excess := _size(message := _marked(lines)) - LENGTH_MAX) > 0:
        longest = max(range(len(lines)), key=lambda number: len(lines[number]))
        # A character takes one or two.
        lines[longest] = _cut(lines[longest], (excess + 1) // 2)
    return message


def _marked(lines: list[str]) -> str:
    title, *text = [_inert(line) for line in lines]
    return "\n".join([f"**{title}**", *text])


def _inert(line: str) -> str:
    printable = "".join(char for char in line if char.isprintable())
    pieces = _COMMAND.split(printable)
    return "".join(piece if number % 2 else _MARKS.sub(r"\\", piece) for number, piece in enumerate(pieces))


def _cut(line: str, number: int) -> str:
    """Take so many characters out, and the ellipsis's own place; the end stays, for there stands what to do."""
    kept = max(len(line) - number - 1, 0)
    head = kept // 3
    return f"{line[:head]}…{line[len(line) - kept + head :]}"


def _size(message: str) -> int:
    return len(message) + sum(char > "\uffff" for char in message)
