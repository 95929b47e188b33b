"""The API as OpenAPI describes it: all of it follows from the endpoints and the types of their handlers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from ...core.validation import ID_LENGTH_MAX
from ..settings import installed_version
from ..wire.members import Problem
from ..wire.shape import Shape, Shown, defaults_of, hints_of
from .endpoints import Endpoint
from .requests import MONTH_FORM, Month
from .responses import MEDIA_TYPE

Schema = dict[str, Any]

TYPES: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    date: {"type": "string", "description": "A day of UTC.", "format": "date"},
    datetime: {"type": "string", "description": "An instant of UTC.", "format": "date-time"},
    Month: {"type": "string", "description": "A month of UTC.", "pattern": f"^{MONTH_FORM}$"},
}
ABOUT = """Points, streaks and the ledger behind them. Days and instants are of UTC.

You see the members whom the host lets you see; all others look as if they did not exist.
What you read has an ETag: send it back as `If-None-Match`, and 304 says that nothing has changed.
To write, send `Authorization: Bearer TOKEN`. Every award and adjustment has a key that you choose, so you can
send it again if you got no answer. Errors are problem details (RFC 9457)."""


class Schemas:
    """Schemas of types; classes become named components, and are collected."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, hint: Any, known: Shown | None = None) -> Schema:
        """Return the schema of a type, with what is known of the field that has it."""
        return self._of(hint) | (known.schema if known else {})

    def of_class(self, cls: type, *, is_closed: bool = False) -> Schema:
        """Return the schema of an object with a class's fields: those with a default may be missing."""
        defaults = defaults_of(cls)
        properties = {
            # A field of a shape is left out where it would be null.
            name: self.of(_without_none(hint) if name in defaults and not is_closed else hint, known)
            for name, (hint, known) in hints_of(cls).items()
        }
        required = sorted(properties.keys() - defaults)
        schema = {"type": "object", "properties": properties, "required": required}
        return schema | ({"additionalProperties": False} if is_closed else {"description": cls.__doc__})

    def _of(self, hint: Any) -> Schema:
        origin, arguments = get_origin(hint), get_args(hint)
        if NoneType in arguments:
            return _nullable(self._of(_without_none(hint)))
        if origin is Sequence:
            return {"type": "array", "items": self._of(arguments[0])}
        if origin is Mapping:
            return {"type": "object", "additionalProperties": self._of(arguments[1])}
        if literals := _literals(hint):
            return {"type": "string", "enum": literals}
        if isinstance(hint, type) and issubclass(hint, Shape):
            return self._ref(hint)
        return TYPES[hint]

    def _ref(self, shape: type[Shape]) -> Schema:
        if shape.__name__ not in self.components:
            self.components[shape.__name__] = {}
            self.components[shape.__name__] = self.of_class(shape)
        return {"$ref": f"#/components/schemas/{shape.__name__}"}


def _literals(hint: Any) -> list[str]:
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [value for part in get_args(hint) for value in _literals(part)]


def _without_none(hint: Any) -> Any:
    return next(part for part in get_args(hint) if part is not NoneType) if NoneType in get_args(hint) else hint


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
        path = paths.setdefault(one.path, {"parameters": [ONE_MEMBER]} if one.has_member else {})
        path[one.method.lower()] = _operation(one, schemas)
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


ONE_MEMBER = {
    "name": "member_id",
    "in": "path",
    "required": True,
    "schema": {
        "type": "string",
        "description": "The member's id at the host: printable characters without a slash.",
        "minLength": 1,
        "maxLength": ID_LENGTH_MAX,
        "pattern": r"^[^/\u0000-\u001f\u007f-\u00a0\u00ad]*[^/\u0000-\u0020\u007f-\u00a0\u00ad]"
        r"[^/\u0000-\u001f\u007f-\u00a0\u00ad]*$",
    },
}
PROBLEM = {
    "description": "What went wrong; nothing was changed.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
TAGGED = {"ETag": {"description": "Send it back as If-None-Match.", "schema": {"type": "string"}}}


def _operation(endpoint: Endpoint, schemas: Schemas) -> Schema:
    types = endpoint.types
    content = {"content": {"application/json": {"schema": schemas.of(types["return"])}}}
    operation: Schema = {"operationId": endpoint.handler.__name__, "summary": str(endpoint.handler.__doc__).rstrip(".")}
    if "body" in types:
        body = schemas.of_class(types["body"], is_closed=True)
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if endpoint.access == "token":
        operation["security"] = [{"token": []}]
        said = "It stood already." if endpoint.creates else "Done, or so already."
        answers: Schema = {"200": {"description": said, **content}}
        if endpoint.creates:
            answers["201"] = {"description": "Done.", **content}
    else:
        operation["parameters"] = _parameters(types["query"], schemas) if "query" in types else []
        answers = {
            "200": {"description": "Found.", **content, "headers": TAGGED},
            "304": {"description": "It has not changed since you last read it."},
        }
    problems = {str(one): {"$ref": "#/components/responses/Problem"} for one in sorted(_problems(endpoint))}
    return {**operation, "responses": {**answers, **problems}}


def _parameters(query: type, schemas: Schemas) -> list[Schema]:
    defaults = defaults_of(query)
    return [
        {
            "name": name,
            "in": "query",
            "description": known.schema["description"],
            "schema": schemas.of(_without_none(hint))
            | {key: value for key, value in known.schema.items() if key != "description"}
            | ({} if defaults[name] is None else {"default": defaults[name]}),
        }
        for name, (hint, known) in hints_of(query).items()
    ]


def _problems(endpoint: Endpoint) -> set[int]:
    """Return the statuses of what can go wrong: an endpoint's own, and what follows from the rest of it."""
    types = endpoint.types
    found = {500, 503, *endpoint.problems}
    if endpoint.has_member or "query" in types or "body" in types:
        found |= {422}
    if endpoint.has_member or endpoint.access in {"visible", "admin"}:
        found |= {404}
    if endpoint.access == "token":
        found |= {401}
    if "body" in types:
        found |= {400, 413, 415}
    return found
