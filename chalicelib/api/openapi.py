"""The OpenAPI 3.1 description, merged from the files in ``openapi/`` and completed from the table of routes.

The files describe what each route is for, its parameters, its body and its responses. What follows from the
table is added here: the scope, the idempotency key, and the errors that are the same for all routes.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import chalicelib
from chalicelib.api.routes import OPEN, ROUTES, Route
from chalicelib.model import Json

FRAGMENTS = (
    "access",
    "service",
    "images",
    "labels",
    "exports",
    "curation",
    "deliveries",
    "subscriptions",
    "legacy",
    "usage",
    "schemas",
)
FAULTS = {"429": "TooManyRequests", "500": "InternalError", "503": "Unavailable"}
SHUT = {"401": "Unauthorized", "403": "Forbidden"}
WITH_BODY = {"413": "TooLarge", "415": "UnsupportedMediaType"}
WITH_KEY = {"422": "Unusable"}
_FOLDER = Path(__file__).parent / "openapi"


def document(base: str, auth: str = "token") -> Json:
    """The whole description of an API with the base URL ``base`` (without a slash at the end).

    If ``auth`` is ``none``, no operation needs a token.
    """
    made = {**_merged(), "servers": [{"url": base or "/"}]}
    return made if auth == "token" else {**made, "security": []}


@functools.cache
def _merged() -> Json:
    made: Json = {}
    for name in FRAGMENTS:
        _merge_into(made, json.loads((_FOLDER / f"{name}.json").read_text("utf-8")))
    made["info"]["version"] = chalicelib.__version__
    schemas = made["components"]["schemas"]
    made["components"]["schemas"] = {name: _whole(schema, schemas) for name, schema in schemas.items()}
    for route in ROUTES:
        _complete(made["paths"][route.path][route.method.lower()], route)
    return made


def _whole(schema: Json, schemas: Json) -> Json:
    """A schema with ``allOf`` as one plain object, which client generators can give a name to."""
    if "allOf" not in schema:
        return schema
    parts = [schemas[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in schema["allOf"]]
    wholes = [_whole(part, schemas) for part in parts]
    about = {"description": schema["description"]} if "description" in schema else {}
    return {
        "type": "object",
        **about,
        "properties": {name: one for whole in wholes for name, one in whole["properties"].items()},
        "required": [name for whole in wholes for name in whole.get("required", ())],
        "additionalProperties": False,
    }


def _complete(operation: Json, route: Route) -> None:
    """Add to an operation what the table says about its route."""
    operation.setdefault("description", operation["summary"])
    refusals = dict(FAULTS)
    if route.scope == OPEN:
        operation["security"] = []
    else:
        refusals |= SHUT
        # OpenAPI 3.1 lets ``security`` name it, as a role, but linters take that for a scope of OAuth.
        operation["x-scope"] = route.scope
    if route.body is not None:
        refusals |= WITH_BODY if "*/*" not in route.body.types else {"413": WITH_BODY["413"]}
    if route.keyed:
        refusals |= WITH_KEY
        key = {"$ref": "#/components/parameters/IdempotencyKey"}
        operation["parameters"] = [*operation.get("parameters", []), key]
        replayed = {"Idempotency-Replayed": {"$ref": "#/components/headers/IdempotencyReplayed"}}
        for response in (one for status, one in operation["responses"].items() if status.startswith("2")):
            response["headers"] = {**response.get("headers", {}), **replayed}
    added = {status: {"$ref": f"#/components/responses/{name}"} for status, name in refusals.items()}
    operation["responses"] = dict(sorted({**added, **operation["responses"]}.items()))


def _merge_into(made: dict[str, Any], fragment: Json) -> None:
    """Merge a fragment into ``made``; two fragments may share a section, but not a key with a plain value."""
    for key, value in fragment.items():
        if key not in made:
            made[key] = value
        elif isinstance(value, dict):
            _merge_into(made[key], value)
        else:
            raise ValueError(f"{key} is described twice.")
