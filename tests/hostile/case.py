"""A hostile answer and what it must come to."""

from collections.abc import Sequence
from typing import Literal

from attrs import frozen

from trc_engage.core.errors import SourceTrouble

from .pages import EMPTY, answer
from .steps import asked, send, serve
from .wire import Script, Step

Outcome = SourceTrouble | Literal["paid", "absent"]

SECONDS = 5.0
HURRIED = 0.35
SECONDS_LONG = 20.0
BYTES_MAX = 256 * 1024
PAGES_MAX = 40


@frozen
class Case:
    """One answer of a server, or a conversation."""

    name: str
    outcome: Outcome
    """The kind of the error; or `paid`, if the answer is as good as a sound one, or `absent`, if Ada is not seen."""
    scripts: Sequence[Script]
    says: str = ""
    """What the error tells."""
    tries: int | None = None
    """How many requests are made, where that matters."""
    seconds: float = SECONDS
    """The deadline of the read."""
    bytes_max: int = BYTES_MAX
    """The cap on an answer."""
    pages_max: int = PAGES_MAX
    """The cap on pages."""


def told(name: str, outcome: Outcome, raw: bytes, says: str = "", *, tries: int | None = None) -> Case:
    """Return the case of a server that answers each request thus."""
    return Case(name, outcome, [[serve(lambda _: raw)]], says, tries)


def broken(name: str, outcome: Outcome, raw: bytes, says: str = "", *, tries: int | None = None) -> Case:
    """Return the case of a server that sends this to each request, and hangs up."""
    return Case(name, outcome, [[asked, send(raw)]], says, tries)


def body(name: str, outcome: Outcome, raw: bytes, says: str = "") -> Case:
    """Return the case of a first page in sound HTTP; all further ones are empty."""
    script = [serve(lambda asked: answer(EMPTY if asked.page else raw))]
    return Case(name, outcome, [script], says)


def stalled(name: str, *steps: Step, outcome: Outcome = "down", says: str = "too slow") -> Case:
    """Return the case of a server that lets a request wait beyond the deadline."""
    return Case(name, outcome, [[asked, *steps]], says, seconds=HURRIED)
