"""The description of the API (OpenAPI 3.1), put together from one file for each kind of thing."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import chalicelib
from chalicelib.api.gate import is_open
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
METHODS = ("get", "put", "post", "delete", "patch")
REFUSALS = {
    "401": {"$ref": "#/components/responses/Unauthorized"},
    "403": {"$ref": "#/components/responses/Forbidden"},
    "429": {"$ref": "#/components/responses/TooManyRequests"},
}
# What a token is shown in is kept nowhere, so it cannot be answered again.
WITHOUT_KEY = frozenset({"/tokens"})
_FOLDER = Path(__file__).parent / "openapi"


def document(base: str, auth: str = "token") -> Json:
    """The whole description, for an API that begins at ``base`` (without a slash at its end).

    Where ``auth`` is ``none`` it asks for no token.
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
    for path, item in made["paths"].items():
        for operation in (one for method, one in item.items() if method in METHODS):
            operation.update(_access(path, operation))
            operation.setdefault("description", operation["summary"])
        if "post" in item and path not in WITHOUT_KEY:
            _let_repeat(item["post"])
    return made


def _whole(schema: Json, schemas: Json) -> Json:
    """An object that is put together of others (``allOf``) as one, which generators of clients can name."""
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


def _access(path: str, operation: Json) -> Json:
    """What the gate adds to an operation: who need not say who they are, and what all others may hear."""
    if is_open(path):
        return {"security": [], "responses": {**operation["responses"], "429": REFUSALS["429"]}}
    return {"responses": {**operation["responses"], **REFUSALS}}


def _let_repeat(operation: Json) -> None:
    """What an idempotency key adds to an operation (:mod:`chalicelib.api.idempotency`)."""
    key = {"$ref": "#/components/parameters/IdempotencyKey"}
    operation["parameters"] = [*operation.get("parameters", []), key]
    operation["responses"].setdefault("422", {"$ref": "#/components/responses/Unusable"})
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            replayed = {"Idempotency-Replayed": {"$ref": "#/components/headers/IdempotencyReplayed"}}
            response["headers"] = {**response.get("headers", {}), **replayed}


def _merge_into(made: dict[str, Any], fragment: Json) -> None:
    """Add what a fragment says; two fragments may open the same section but never say the same thing."""
    for key, value in fragment.items():
        if key not in made:
            made[key] = value
        elif isinstance(value, dict):
            _merge_into(made[key], value)
        else:
            raise ValueError(f"{key} is described twice.")
