"""How one operation is described, as OpenAPI has it."""

from typing import Any

from .schemas import Schema, text, whole

Operation = dict[str, Any]

TAGGED = {"ETag": {"description": "Send it back as If-None-Match.", "schema": text()}}


def query(name: str, description: str, schema: Schema) -> Schema:
    """Return a parameter of the query, which may be left out."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def limit(default: int, most: int) -> Schema:
    """Return the parameter that says how much is told at most."""
    return query("limit", "How many at most.", whole(minimum=1, maximum=most, default=default))


def reading(
    operation_id: str, summary: str, schema: Schema, *parameters: Schema, problems: tuple[int, ...] = (422,)
) -> Operation:
    """Return an operation that reads; everybody may try, and the host says who may see whom."""
    told = {"description": "Found.", "content": {"application/json": {"schema": schema}}, "headers": TAGGED}
    return {
        "operationId": operation_id,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": told, "304": {"description": "What the caller holds is so still."}, **_problems(problems)},
    }


def writing(
    operation_id: str,
    summary: str,
    schema: Schema,
    body: Schema | None = None,
    *,
    created: bool = False,
    problems: tuple[int, ...] = (),
) -> Operation:
    """Return an operation that writes, for whoever bears the token."""
    told = {"content": {"application/json": {"schema": schema}}}
    made = {"201": {"description": "Done.", **told}} if created else {}
    taken = {} if body is None else {"requestBody": _body(body)}
    refused = (401, *((400, 413, 415) if body else ()), 422, *problems)
    return {
        "operationId": operation_id,
        "summary": summary,
        "security": [{"token": []}],
        **taken,
        "responses": {
            "200": {"description": "It stood already." if created else "Done, or so already.", **told},
            **made,
            **_problems(refused),
        },
    }


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def sent(needed: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """Return the schema of what is sent: these fields and no others."""
    properties = {**needed, **(optional or {})}
    return {"type": "object", "properties": properties, "required": sorted(needed), "additionalProperties": False}


def _problems(statuses: tuple[int, ...]) -> Schema:
    return {str(status): {"$ref": "#/components/responses/Problem"} for status in sorted({*statuses, 500, 503})}
