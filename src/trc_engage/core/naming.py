"""Names as they are searched: folded words, of which a search gives the beginnings."""

import re
from collections.abc import Collection, Sequence
from unicodedata import category, normalize

WORDS_MAX = 32
"""How many words of a name are found by; the rest of a longer one is not."""
WORD_LENGTH_MAX = 64
"""How much of a word is looked at."""
SOUGHT_MAX = 8
"""How many words of a search are looked at."""
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Marks and letters by their category that show nothing."""


def unseen(text: str) -> str:
    """Return the marks and letters of a text that show nothing, though they count as marks and letters."""
    return "".join(_UNSEEN.findall(text))


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, each once: runs of letters, digits and marks, and runs of signs, folded.

    A script that puts no blanks between words makes one word of them all, which is found by its beginning.

    >>> words_of("Ada KING, Countess of Lovelace \u2605")
    ('ada', 'king', 'countess', 'of', 'lovelace', '\u2605')
    """
    folded = normalize("NFKC", normalize("NFKC", _UNSEEN.sub("", name)).casefold())
    words, kind = [""], ""
    for char in folded:
        group = _group(char)
        if group == kind and group:
            words[-1] += char
        elif group != "hidden":
            words.append(char if group else "")
            kind = group
    return tuple(dict.fromkeys(word[:WORD_LENGTH_MAX] for word in words if word))[:WORDS_MAX]


def sought_words(text: str) -> tuple[str, ...]:
    """Return the words of a search, the longest first: with it to begin leaves the fewest to look at."""
    return tuple(sorted(words_of(text), key=len, reverse=True))[:SOUGHT_MAX]


def first_met(sought: Sequence[str], words: Collection[str]) -> str | None:
    """Return the word of a name, first in order, that the first word of a search begins; None if one begins none."""
    if not sought or not all(any(word.startswith(one) for word in words) for one in sought):
        return None
    return min(word for word in words if word.startswith(sought[0]))


def _group(char: str) -> str:
    found = category(char)
    if found in {"Cf", "Cs"} or (found == "Cc" and not char.isspace()):
        # Nobody sees these, and nobody can type them.
        return "hidden"
    return "word" if found[0] in "LNM" else "sign" if found[0] == "S" else ""
