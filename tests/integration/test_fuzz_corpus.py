"""The inputs that fuzzing found worth keeping: each ends well, and together they find planted bugs (18.6)."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from fuzz import kept
from fuzz.oracle import Finding, swollen
from fuzz.targets import TARGETS
from trc_engage.adapters.discord import _Member

BYTES_MAX = 200_000


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept_ends_well(name: str) -> None:
    """Each input ends in time with a result or a documented error; a refusal writes nothing and shows no secret."""
    inputs = kept.read(name)
    assert inputs
    for given in inputs:
        TARGETS[name].tried(given)


def test_the_corpus_is_small_and_a_text() -> None:
    """There is one file per target, with a line of ASCII per input that is the same when written again."""
    assert sum(path.stat().st_size for path in kept.FOLDER.iterdir()) < BYTES_MAX
    assert {path.name for path in kept.FOLDER.iterdir()} == {f"{name}.txt" for name in TARGETS}
    for path in kept.FOLDER.iterdir():
        assert "".join(f"{kept.as_line(one)}\n" for one in kept.read(path.stem)) == path.read_text("ascii")


def gap_of_old(_: object, runs: Sequence[datetime], now: datetime) -> Any:
    """Fail for a store without a sync, as was found once."""
    return max(zip(runs, [*runs[1:], now], strict=True))


BUGS = [
    ("page", "trc_engage.adapters.boards.paging._loaded", lambda body, _: json.loads(body)),
    ("page", "trc_engage.adapters.boards.paging.structured", lambda kind, found, *_, **__: kind(**found)),
    ("headers", "trc_engage.adapters.boards.client.HTTPX_ERRORS", (ConnectionError,)),
    ("headers", "trc_engage.adapters.boards.responses._http_date", parsedate_to_datetime),
    ("roster", "trc_engage.adapters.discord._member", lambda found, _: _Member(**found)),
    ("roster", "trc_engage.adapters.discord._wait", lambda _, found: timedelta(seconds=found.get("retry_after", 0))),
    ("import", "trc_engage.entrypoints.cli.imports._decoded", lambda _, data: data.decode()),
    ("import", "trc_engage.entrypoints.cli.imports._fields", lambda found, _: dict(found)),
    ("api", "trc_engage.reader.longest_gap", gap_of_old),
    ("api", "trc_engage.entrypoints.web.endpoints._query", lambda _, request: dict(request.query_params)),
    ("env", "trc_engage.entrypoints.settings.harmless", str),
    ("env", "trc_engage.entrypoints.settings.HARMLESS", ".*"),
]


@pytest.mark.parametrize(("name", "where", "bug"), BUGS)
def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch, name: str, where: str, bug: Any) -> None:
    """The kept inputs alone find each planted bug."""
    monkeypatch.setattr(where, bug)
    with pytest.raises((Finding, ValueError, TypeError, AttributeError, ArithmeticError, httpx.HTTPError)):
        test_what_is_kept_ends_well(name)


def test_a_swollen_input_holds_what_it_grew_from() -> None:
    """A swollen input repeats a slice of the original many times, and has the rest once."""
    grown = swollen(b"member_id\nada\n", 64 * 10, 1_000)
    assert grown.startswith(b"member_id\nada\n"[:10])
    assert grown.endswith(b"ada\n")
    assert 1_000 <= len(grown) <= 1_100
