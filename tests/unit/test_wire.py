"""The shapes of our JSON: each is one class, filled from the core and described in OpenAPI."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from attrs import frozen

from trc_engage.entrypoints.web.openapi import Schemas
from trc_engage.entrypoints.wire.shape import Shape, Shown


class Part(Shape):
    """A part."""

    number: int


class Whole(Shape):
    """A whole."""

    day: date
    kind: Literal["big"] | Literal["small"]
    parts: Sequence[Part]
    other: Part | None
    deep: Annotated[int | None, Shown("Deep down.", of="outer.inner", minimum=0)]
    counted: Annotated[int, Shown(of=lambda value: len(value.parts))]
    counts: Mapping[str, int]
    at: datetime | None = None


@frozen
class Value:
    """Any value of the core, with something that must not leave the process."""

    number: int = 1
    private: str = "not to be shown"
    day: date = date(2026, 3, 2)
    kind: str = "big"
    parts: Sequence[Any] = ()
    other: Any = None
    outer: Any = None
    counts: Mapping[str, int] = {}
    at: datetime | None = None


def test_a_shape_holds_what_it_names_and_nothing_else() -> None:
    """Nested values become nested shapes, a path that meets None is None, and a default is left out."""
    value = Value(parts=[Value(number=2), Value(number=3)])
    assert Whole.of(value) == {
        "day": "2026-03-02",
        "kind": "big",
        "parts": [{"number": 2}, {"number": 3}],
        "other": None,
        "deep": None,
        "counted": 2,
        "counts": {},
    }
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    given = Whole.of(value, at=at, other=Part.of(number=7), counts={"a": 1})
    assert (given["at"], given["other"], given["counts"]) == ("2026-03-02T09:00:00+00:00", {"number": 7}, {"a": 1})


def test_the_schema_follows_from_the_shape() -> None:
    """The schema has nullable fields, lists, enums and references; a field that may be missing is never null."""
    schemas = Schemas()
    assert schemas.of(Whole) == {"$ref": "#/components/schemas/Whole"}
    whole = schemas.components["Whole"]
    assert whole["properties"]["kind"] == {"type": "string", "enum": ["big", "small"]}
    assert whole["properties"]["parts"] == {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}
    assert whole["properties"]["other"] == {"oneOf": [{"$ref": "#/components/schemas/Part"}, {"type": "null"}]}
    assert whole["properties"]["deep"] == {"type": ["integer", "null"], "description": "Deep down.", "minimum": 0}
    assert whole["properties"]["at"]["type"] == "string"
    assert "at" not in whole["required"]
    assert schemas.components["Part"]["required"] == ["number"]
