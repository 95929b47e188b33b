"""A hostile answer and its expected outcome."""

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
    """The kind of the error; `paid` if the answer is as good as a valid one, or `absent` if Ada is not seen."""
    scripts: Sequence[Script]
    says: str = ""
    """What the error's message contains."""
    tries: int | None = None
    """How many requests are made, where it matters."""
    seconds: float = SECONDS
    """The deadline of the read."""
    bytes_max: int = BYTES_MAX
    """The cap on an answer."""
    pages_max: int = PAGES_MAX
    """The cap on pages."""


def told(name: str, outcome: Outcome, raw: bytes, says: str = "", *, tries: int | None = None) -> Case:
    """Return the case of a server that answers each request with these bytes."""
    return Case(name, outcome, [[serve(lambda _: raw)]], says, tries)


def broken(name: str, outcome: Outcome, raw: bytes, says: str = "", *, tries: int | None = None) -> Case:
    """Return the case of a server that sends these bytes to each request, and hangs up."""
    return Case(name, outcome, [[asked, send(raw)]], says, tries)


def body(name: str, outcome: Outcome, raw: bytes, says: str = "") -> Case:
    """Return the case of a first page in valid HTTP; all further pages are empty."""
    script = [serve(lambda asked: answer(EMPTY if asked.page else raw))]
    return Case(name, outcome, [script], says)


def stalled(name: str, *steps: Step, outcome: Outcome = "down", says: str = "too slow") -> Case:
    """Return the case of a server that makes a request wait beyond the deadline."""
    return Case(name, outcome, [[asked, *steps]], says, seconds=HURRIED)
