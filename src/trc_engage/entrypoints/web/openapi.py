"""The OpenAPI description, generated from the endpoints and the types of their handlers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, get_args, get_origin

from ...core import model, records, reports, story
from ..settings import installed_version
from ..wire.problems import MEDIA_TYPE, Problem
from ..wire.shape import Shape, Shown, hints_of, optional_of, without_none
from .endpoints import MONTH_FORM, Endpoint, Month, Parameter

Schema = dict[str, Any]

TYPES: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    date: {"type": "string", "description": "A UTC day.", "format": "date"},
    datetime: {"type": "string", "description": "A UTC instant.", "format": "date-time"},
    Month: {"type": "string", "description": "A UTC month.", "pattern": f"^{MONTH_FORM}$"},
}
NAMES: Mapping[Any, str] = {
    model.Kind: "EntryKind",
    model.Status: "AccountStatus",
    reports.EnrollmentOutcome: "EnrollmentOutcome",
    reports.ReceiptOutcome: "ReceiptOutcome",
    reports.Mark: "Mark",
    reports.ChangeCause: "ChangeCause",
    records.EventKind: "EventKind",
    story.GapCause: "GapCause",
}
"""Names of the types that have none of their own."""
ABOUT = """Points, streaks and the ledger behind them. All days and times are UTC.

You see the members whom the host lets you see; all others are 404, as if they did not exist.
Responses have an ETag: send it back as `If-None-Match`, and 304 means that nothing has changed.
To write, send `Authorization: Bearer TOKEN`. Every award and adjustment has a key that you choose, so you can
send it again if you got no answer. Errors are problem details (RFC 9457)."""


class Schemas:
    """Makes schemas of types; classes become named components."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, hint: Any, known: Shown | None = None) -> Schema:
        """Return the schema of a type, with what `known` adds about its field."""
        return self._of(hint) | (known.schema if known else {})

    def of_fields(self, fields: Mapping[str, Parameter]) -> Schema:
        """Return the schema of a body with exactly these fields."""
        properties = {name: self.of(one.kind, one.known) for name, one in fields.items()}
        required = sorted(name for name, one in fields.items() if one.is_required)
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def _of(self, hint: Any) -> Schema:
        kind, is_nullable = without_none(hint)
        if is_nullable:
            return _nullable(self._of(kind))
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Sequence:
            return {"type": "array", "items": self._of(arguments[0])}
        if origin is Mapping:
            return {"type": "object", "additionalProperties": self._of(arguments[1])}
        if literals := _literals(hint):
            schema = {"type": "string", "enum": literals}
            return self.named(NAMES[hint], lambda: schema) if hint in NAMES else schema
        if isinstance(hint, type) and issubclass(hint, Shape):
            return self.named(hint.__name__, lambda: self._of_shape(hint))
        return TYPES[hint]

    def named(self, name: str, schema: Callable[[], Schema]) -> Schema:
        """Return a reference to a schema, which is made on first use."""
        if name not in self.components:
            self.components[name] = {}
            self.components[name] = schema()
        return {"$ref": f"#/components/schemas/{name}"}

    def _of_shape(self, shape: type[Shape]) -> Schema:
        """Return the schema of a shape; a field with a default may be missing but is never null."""
        optional = optional_of(shape)
        properties = {
            name: self.of(without_none(hint)[0] if name in optional else hint, known)
            for name, (hint, known) in hints_of(shape).items()
        }
        required = sorted(properties.keys() - optional)
        return {"type": "object", "properties": properties, "required": required, "description": shape.__doc__}


def _literals(hint: Any) -> list[str]:
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [value for part in get_args(hint) for value in _literals(part)]


def _nullable(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    return {**nullable, "enum": [*schema["enum"], None]} if "enum" in schema else nullable


def document(root: str, endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the OpenAPI document of endpoints at a root such as `/engage/api`."""
    schemas = Schemas()
    paths: dict[str, Any] = {}
    for one in endpoints:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    schemas.of(Problem)
    components: dict[str, Any] = {"schemas": schemas.components, "responses": {"Problem": PROBLEM}}
    if any("security" in operation for path in paths.values() for operation in path.values()):
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TRC Engage",
            "version": installed_version() or "0",
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": root or "/"}],
        "paths": paths,
        "components": components,
    }


PROBLEM: Schema = {
    "description": "What went wrong; nothing was changed.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
TAGGED: Schema = {"ETag": {"description": "Send it back as If-None-Match.", "schema": {"type": "string"}}}


def _operation(endpoint: Endpoint, schemas: Schemas) -> Schema:
    content = {"content": {"application/json": {"schema": schemas.of(endpoint.answer_type)}}}
    summary = str(endpoint.handler.__doc__).rstrip(".")
    operation: Schema = {"operationId": endpoint.handler.__name__, "summary": summary}
    if outside := {**endpoint.parameters["path"], **endpoint.parameters["query"]}:
        operation["parameters"] = [_parameter(name, one, schemas) for name, one in outside.items()]
    if fields := endpoint.parameters["body"]:
        name = f"{endpoint.handler.__name__.capitalize()}Body"
        body = schemas.named(name, lambda: schemas.of_fields(fields))
        operation["requestBody"] = {
            "required": any(one.is_required for one in fields.values()),
            "content": {"application/json": {"schema": body}},
        }
    if endpoint.access == "token":
        operation["security"] = [{"token": []}]
    if endpoint.method == "GET":
        answers: Schema = {
            "200": {"description": "Found.", **content, "headers": TAGGED},
            "304": {"description": "Not modified since you last read it."},
        }
    else:
        said = "It already existed." if endpoint.creates else "Done, or already done."
        answers = {"200": {"description": said, **content}}
        if endpoint.creates:
            answers["201"] = {"description": "Done.", **content}
    problems = {str(one): {"$ref": "#/components/responses/Problem"} for one in sorted(_problems(endpoint))}
    return {**operation, "responses": {**answers, **problems}}


def _parameter(name: str, one: Parameter, schemas: Schemas) -> Schema:
    schema = schemas.of(without_none(one.kind)[0]) | one.known.schema
    if not one.is_required and one.default is not None:
        schema["default"] = one.default
    said = {"description": schema.pop("description"), "required": one.is_required}
    return {"name": name, "in": one.location, **said, "schema": schema}


def _problems(endpoint: Endpoint) -> set[int]:
    """Return the statuses of an endpoint's problems: its own, and those that follow from its other fields."""
    has_member = any("member_id" in these for these in endpoint.parameters.values())
    found = {500, 503, *endpoint.problems}
    if any(endpoint.parameters.values()):
        found |= {422}
    if has_member or endpoint.access in {"visible", "admin"}:
        found |= {404}
    if endpoint.access == "token":
        found |= {401, 403}
    if endpoint.parameters["body"]:
        found |= {400, 413, 415}
    return found
