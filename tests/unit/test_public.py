"""The public API: listed, documented, typed, and explained by `help()`."""

import doctest
import pydoc
import re
from collections.abc import Callable, Iterator
from importlib.metadata import version
from inspect import getmembers, isfunction, signature
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import trc_engage
from trc_engage import Engage, EngageError, TraceArguments, ports
from trc_engage.core import errors

API = (Path(__file__).parents[2] / "docs/api.md").read_text()


def public_methods() -> list[tuple[str, Callable[..., object]]]:
    """Return the public methods of `Engage`, including those of `Reader`."""
    return [(name, method) for name, method in getmembers(Engage, isfunction) if not name.startswith("_")]


def classes_of(hint: object) -> Iterator[type]:
    """Yield the classes that an annotation names."""
    if isinstance(hint, type) and not get_args(hint):
        yield hint
    for part in get_args(hint):
        yield from classes_of(part)


def test_every_public_name_is_documented() -> None:
    """`docs/api.md` lists exactly the names that `trc_engage` exports, and each can be imported."""
    named = re.findall(r"`(\w+)`", API.partition("## In `trc_engage`")[2].partition("## Beside it")[0])
    assert sorted(named) == sorted(dir(trc_engage))
    for name in named:
        assert getattr(trc_engage, name) is not None


def test_every_port_is_documented() -> None:
    """`docs/api.md` lists every port on the line of `trc_engage.ports`."""
    (line,) = (line for line in API.splitlines() if line.startswith("| `trc_engage.ports`"))
    assert {name for name in vars(ports) if not name.startswith("_")} == set(re.findall(r"`([A-Z]\w+)`", line))


def test_what_engage_returns_and_takes_is_public() -> None:
    """Every class in a signature of `Engage` is public, so annotating code that calls it needs no private module."""
    hints = [hint for _, method in public_methods() for hint in get_type_hints(method).values()]
    needed = {one.__name__ for hint in hints for one in classes_of(hint) if one.__module__.startswith("trc_engage.")}
    assert needed - vars(ports).keys() <= set(dir(trc_engage))


def test_every_error_is_public() -> None:
    """Every error is public, so catching one needs no private module."""
    ours = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, EngageError)}
    assert ours <= set(dir(trc_engage))


def test_it_says_its_version() -> None:
    """The version is that of the installed distribution, an unknown name raises, and `import *` works."""
    assert trc_engage.__version__ == version("trc-engage")
    with pytest.raises(AttributeError, match="no attribute 'Enage'"):
        trc_engage.Enage  # noqa: B018
    everything: dict[str, object] = {}
    exec("from trc_engage import *", everything)  # noqa: S102
    assert everything["Engage"] is Engage


def test_help_teaches() -> None:
    """The package's doctest runs, `help()` shows every public name, and every method has a docstring."""
    assert doctest.testmod(trc_engage).failed == 0
    told = pydoc.render_doc(trc_engage, renderer=pydoc.plaintext)  # type: ignore[attr-defined]
    assert "Start at `Engage`" in told
    # Newer Pythons put each argument of a long signature on its own line.
    assert "award(self,member_id:str,*,source:str,points:int,key:str" in re.sub(r"[\s|]", "", told)
    for name in set(dir(trc_engage)) - {"__version__"}:
        assert name in told
    for name, method in public_methods():
        assert method.__doc__, name
        if "trace" in signature(method).parameters:
            assert all(f"`{word}`" in pydoc.getdoc(method) for word in TraceArguments.__annotations__), name
