"""The API keeps to its own description, in what it accepts and in what it answers."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from support.community import Community, opened
from support.visitor import BEARER, EARNINGS, TOKEN
from trc_engage.entrypoints.web import create_app

EXAMPLES = 25
KNOWN = "ada"
WEEKDAY = "2026-12-25"
READING = [
    "GET /members/{member_id}",
    "GET /members/{member_id}/history",
    "GET /members/{member_id}/calendar",
    "GET /leaderboard",
    "GET /feed",
    "GET /members",
    "GET /members/{member_id}/events",
    "GET /milestones",
    "GET /members/{member_id}/why",
]
PLAIN = ["GET /members/{member_id}/story", "GET /earnings", "GET /status", "GET /excusals"]
WRITING = [
    "PUT /members/{member_id}",
    "PUT /members/{member_id}/link",
    "DELETE /members/{member_id}/link",
    "POST /members/{member_id}/leave",
    "POST /members/{member_id}/rejoin",
    "POST /members/{member_id}/hide",
    "POST /members/{member_id}/show",
    "POST /members/{member_id}/forget",
    "POST /members/{member_id}/awards",
    "POST /members/{member_id}/adjustments",
    "POST /excusals",
    "POST /excusals/undo",
    "POST /reversals",
]


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Yield the operations that the app describes, over a ledger with two members."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll(KNOWN, "bo")
        community.sync(ada=1_000)
        community.sync(ada=1_350)
        community.award(KNOWN, "benchmark:1")
        app = create_app(
            community.engage,
            may_see=lambda _request, _member_id: True,
            may_administer=lambda _request: True,
            token=TOKEN,
            earnings=EARNINGS,
        )
        app.state.site.feed_watch.close()  # No request waits for news, so the same request gives the same answer.
        schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
        found: list[Any] = [one.ok() for one in schema.get_all_operations()]  # type: ignore[union-attr]
        yield {operation.label: operation for operation in found}


def tried(operation: Any, mode: GenerationMode) -> set[int]:
    """Try an operation many times, check every answer, and return the statuses."""
    statuses = set()
    # Half of the requests are for a member who exists. A schema cannot say that a value is never refused: a time may
    # be in the future, or a character not printable.
    turn, unsaid = count(), [CHECKS.get_one("positive_data_acceptance")]

    @seed(20_260_302)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def try_it(case: Any) -> None:
        if mode is GenerationMode.POSITIVE and next(turn) % 2:
            if "member_id" in (case.path_parameters or {}):
                case.path_parameters["member_id"] = KNOWN
            if case.path.startswith("/excusals") and case.method == "POST":
                # Nor can a schema say that a day is a weekday.
                case.body |= {"days": [WEEKDAY], "member_id": KNOWN}
        response = case.call(headers=dict(BEARER))
        case.validate_response(response, headers=dict(BEARER), excluded_checks=unsaid)
        statuses.add(response.status_code)

    try_it()
    return statuses


def test_every_operation_is_tried(operations: dict[str, Any]) -> None:
    """The lists above contain every operation that is described."""
    assert set(operations) == {*READING, *PLAIN, *WRITING}


@pytest.mark.parametrize("label", [*READING, *PLAIN, *WRITING])
def test_what_the_description_allows_is_answered_as_it_says(operations: dict[str, Any], label: str) -> None:
    """Each request that the description allows gives a status, headers and a body that it describes."""
    statuses = tried(operations[label], GenerationMode.POSITIVE)
    assert statuses <= {200, 201, 404, 409, 422}
    assert statuses & {200, 201, 404, 409}


@pytest.mark.parametrize("label", [*READING, *WRITING])
def test_what_the_description_forbids_is_refused_as_it_says(operations: dict[str, Any], label: str) -> None:
    """Each kind of request that the description forbids is refused as described."""
    assert tried(operations[label], GenerationMode.NEGATIVE) & {400, 401, 404, 422}


def test_the_description_is_sound(operations: dict[str, Any]) -> None:
    """The description is valid OpenAPI 3.1."""
    schema = next(iter(operations.values())).schema
    assert schema.raw_schema["openapi"] == "3.1.0"
    schema.validate()
