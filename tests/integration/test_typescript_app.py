"""Checks of the TypeScript example that need no Node; `tox -e typescript` builds it and uses it in a browser."""

import json
import re
from collections.abc import Iterator
from typing import Any

from support.description import DOCUMENT, EXAMPLE, TYPES, described

RENEW = "the API has changed: run `cd tests && python -m support.description`"


def test_its_types_are_made_from_todays_api() -> None:
    """The example's API document equals the app's, and every name and value in it is in the generated types."""
    assert DOCUMENT.read_text() == described(), RENEW
    document = json.loads(described())
    named = {*document["paths"], *document["components"]["schemas"], *names_in(document)}
    assert {word for name in named for word in re.findall(r"\w+", name)} <= {*re.findall(r"\w+", TYPES.read_text())}, (
        RENEW
    )


def names_in(value: Any) -> Iterator[str]:
    """Yield the names of fields and the values of enumerations at any depth."""
    if isinstance(value, dict):
        yield from (*value.get("properties", ()), *filter(None, value.get("enum", ())))
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names_in(inner)


def test_its_lock_file_names_no_registry() -> None:
    """Without addresses in the lock file, `npm ci` uses the configured registry, and still checks every package."""
    locked = json.loads((EXAMPLE / "package-lock.json").read_text())["packages"]
    packages = [one for path, one in locked.items() if path]
    assert len(packages) > 20
    assert all("resolved" not in one and "integrity" in one for one in packages)
