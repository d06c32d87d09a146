"""Writes the OpenAPI document of API v1 from the table of its routes and their models:
`python -m porewatch_local.generated.openapi`. The API serves the copy in its folder.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from porewatch import __version__
from porewatch.edge.http import STATUS
from porewatch_local.generated.api_routes import ROUTES, Route

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "reference" / "openapi.json"
SERVED = ROOT / "functions" / "api" / "openapi.json"
REF = "#/components/schemas/{model}"
PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; docs/reference/refusal-codes.md lists codes.",
    "required": ["type", "title", "detail", "code"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "code")},
        "status": {"type": "integer"},
        "remedy": {"type": "string", "description": "what to do next"},
        **{name: {"type": "string"} for name in ("file", "column")},
        **{name: {"type": "integer"} for name in ("record", "line")},
        "faults": {"type": "array", "items": {"type": "object"}},
        "upgrade": {
            "type": "object",
            "description": "the tier above, and what it allows; beside codes that begin with tier_",
        },
        "error": {"type": "string", "description": "for clients of before; use code"},
        "problem": {"type": "string", "description": "for clients of before; use detail"},
    },
}
HEAD = {
    "title": "Porewatch API",
    "version": __version__,
    "description": (
        "Send nanopore runs, follow them, read their reports. Ask with `Authorization: Bearer` "
        "and a token, with the session of a browser and its `x-csrf-token`, or with the stack's "
        "key as `x-api-key`."
    ),
}
TEXT = {"type": "string"}
SECURITY = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-porewatch"},
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}


def document() -> dict[str, Any]:
    """The whole document."""
    known, definitions = models_json_schema(list(_models()), ref_template=REF)
    schemas = {"Problem": PROBLEM, **definitions.get("$defs", {})}
    for route in ROUTES:
        if route.body is not None:
            _leave_out(schemas[route.body.__name__], _in_path(route))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route, known)
    return {
        "openapi": "3.1.0",
        "info": HEAD,
        "servers": [{"url": "/v1"}],
        "security": [{name: []} for name in SECURITY],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(_open(schemas).items())),
            "securitySchemes": SECURITY,
            "responses": {"Problem": _content("Refused", "application/problem+json", "Problem")},
        },
    }


def text() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _models() -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    asked: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for route in ROUTES:
        if route.body is not None:
            asked[route.body, "validation"] = None
        if route.answer is not None:
            asked[route.answer, "serialization"] = None
    yield from asked


def _operation(route: Route, known: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": route.name, "summary": route.summary}
    if route.public:
        made["security"] = []
    if parameters := list(_parameters(route)):
        made["parameters"] = parameters
    if route.body is not None:
        content = {"application/json": {"schema": known[route.body, "validation"]}}
        if route.text:
            content[route.text] = {"schema": {"type": "string", "minLength": 1}}
        made["requestBody"] = {
            "content": content,
            "required": bool(route.text) or _required(route.body, _in_path(route)),
        }
    schema = {"type": "object"}
    if route.answer is not None:
        schema = known[route.answer, "serialization"]
        made["description"] = " ".join((inspect.getdoc(route.answer) or "").split())
    answers: dict[str, Any] = {
        str(route.status): {
            "description": route.summary,
            "content": {"application/json": {"schema": schema}},
        }
    }
    if route.text_answer:
        text = {route.text_answer: {"schema": {"type": "string"}}}
        answers[str(route.status)]["content"] |= text
    problem = {"$ref": "#/components/responses/Problem"}
    answers |= {str(status): problem for status in sorted({s for _, s in STATUS} | {429})}
    if route.text:  # what is wrong with a sheet is an answer of its own
        answers["422"] = answers[str(route.status)]
    return {**made, "responses": answers}


def _leave_out(schema: dict[str, Any], fields: Collection[str]) -> None:
    """A field that the path has is not read from the body."""
    for name in fields:
        schema["properties"].pop(name, None)
    schema["required"] = [name for name in schema.get("required", ()) if name not in fields]
    if not schema["required"]:
        del schema["required"]


def _in_path(route: Route) -> tuple[str, ...]:
    return tuple(re.findall(r"\{(\w+)\}", route.path))


def _required(body: type[BaseModel], elsewhere: Collection[str]) -> bool:
    """`elsewhere`: fields that the path has."""
    fields = body.model_fields.items()
    return any(field.is_required() for name, field in fields if name not in elsewhere)


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in _in_path(route):
        yield _parameter(name, "path", required=True)
    for name, schema in route.query:
        yield _parameter(name, "query", schema)
    for name, schema in route.headers:
        yield _parameter(name, "header", schema)


def _parameter(
    name: str, where: str, schema: Mapping[str, Any] = TEXT, *, required: bool = False
) -> dict[str, Any]:
    return {"name": name, "in": where, "required": required, "schema": dict(schema)}


def _content(description: str, kind: str, schema: str) -> dict[str, Any]:
    ref = {"$ref": REF.format(model=schema)}
    return {"description": description, "content": {kind: {"schema": ref}}}


def _open(schemas: dict[str, Any]) -> dict[str, Any]:
    """As it is read: fields that we do not know are passed over, and what a set holds twice counts
    once."""
    shut = (("additionalProperties", False), ("uniqueItems", True))
    return {name: _without(schema, shut) for name, schema in schemas.items()}


def _without(value: Any, left_out: Collection[tuple[str, Any]]) -> Any:
    """A schema without these keys of these values, at every depth."""
    if isinstance(value, list):
        return [_without(one, left_out) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {k: v for k, v in value.items() if not any(k == n and v is w for n, w in left_out)}
    return {key: _without(one, left_out) for key, one in kept.items()}


def main() -> None:
    for file in (PAGE, SERVED):
        file.write_text(text(), encoding="utf-8")
        print(file.relative_to(ROOT))


if __name__ == "__main__":
    main()
