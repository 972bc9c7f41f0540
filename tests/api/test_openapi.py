"""The description is true: the same routes as the app has, valid by the standard, with examples that fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

import app
from chalicelib.api import openapi
from chalicelib.api.routes import ROUTES
from tests.api.client import Api
from tests.fakes.services import FakeServices
from tests.openapi_check import assert_described, assert_valid

METHODS = {"get", "post", "put", "delete", "patch"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in openapi.document("")["paths"].items():
        for method in METHODS & set(item):
            yield path, method, item[method]


def test_the_description_is_valid_openapi() -> None:
    validate(openapi.document("https://labels.example"))


def test_every_route_is_described_and_nothing_else() -> None:
    routes = {(path, method.lower()) for path, methods in app.app.routes.items() for method in methods}
    described = {(path, method) for path, method, _ in operations()}
    assert described | {(path, "head") for path, method in described if method == "get"} == routes


def test_every_operation_has_a_name_of_its_own_and_a_summary() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for _, _, operation in operations())


def test_every_parameter_in_a_path_is_described() -> None:
    document = openapi.document("")
    for path, item in document["paths"].items():
        shared = [
            document["components"]["parameters"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
            for one in item.get("parameters", [])
        ]
        described = {one["name"] for one in shared if one["in"] == "path"}
        assert described == set(re.findall(r"{(\w+)}", path)), path


def examples(node: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every example beside a schema, with the pointer to that schema."""
    if isinstance(node, dict):
        if "schema" in node:
            given = [node["example"]] if "example" in node else []
            given += [one["value"] for one in node.get("examples", {}).values()]
            yield from ((f"{pointer}/schema", one) for one in given)
        for name, value in node.items():
            escaped = name.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
            yield from examples(value, f"{pointer}/{escaped}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from examples(value, f"{pointer}/{place}")


def test_there_are_examples_and_they_fit_their_schemas() -> None:
    found = list(examples(openapi.document("")))
    assert len(found) > 20
    for pointer, example in found:
        assert_valid(example, pointer, pointer)


def test_every_problem_of_the_table_is_described_by_status() -> None:
    from chalicelib.api import problems

    described = {
        example["status"]: example["type"]
        for pointer, example in examples(openapi.document(""))
        if pointer.startswith("/components/responses")
    }
    for kind in problems.PROBLEM_TYPES.values():
        assert kind.status in described


@pytest.mark.parametrize(
    ("path", "status", "headers", "body"),
    [
        ("/nowhere", 200, {"Content-Type": "application/json"}, b"{}"),
        ("/health", 201, {"Content-Type": "application/json"}, b'{"status": "ok", "version": "1"}'),
        ("/health", 200, {"Content-Type": "text/plain"}, b'{"status": "ok", "version": "1"}'),
        ("/health", 200, {"Content-Type": "application/json"}, b'{"status": "ok"}'),
        ("/health", 200, {"Content-Type": "application/json"}, b'{"status": "ok", "version": "1", "x": 1}'),
        ("/openapi.json", 304, {}, b""),
        ("/openapi.json", 304, {"ETag": '"a"'}, b"body"),
    ],
)
def test_an_answer_that_is_not_as_described_is_found_out(
    path: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(AssertionError):
        assert_described("GET", path, status, headers, body)


def test_two_fragments_that_say_the_same_thing_are_refused(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in openapi.FRAGMENTS:
        (tmp_path / f"{name}.json").write_text('{"info": {"title": "Twice"}}')
    monkeypatch.setattr(openapi, "_FOLDER", tmp_path)
    with pytest.raises(ValueError, match="described twice"):
        openapi._merged.__wrapped__()


def schemas(node: Any, pointer: str = "", *, inside: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema, with the pointer to it."""
    if isinstance(node, list):
        for place, one in enumerate(node):
            yield from schemas(one, f"{pointer}/{place}", inside=inside)
    if not isinstance(node, dict):
        return
    if inside:
        yield pointer, node
    for name, value in node.items():
        if name in ("example", "examples", "enum", "const", "required"):
            continue
        if name == "properties" or (name == "schemas" and pointer == "/components"):
            for key, one in value.items():
                yield from schemas(one, f"{pointer}/{name}/{key}", inside=True)
        else:
            yield from schemas(value, f"{pointer}/{name}", inside=inside or name == "schema")


def test_whatever_clients_are_generated_from_has_a_name() -> None:
    """An object or a choice of words inside another schema gets its name from the generator."""
    for pointer, schema in schemas(openapi.document("")):
        named = re.fullmatch(r"/components/schemas/\w+", pointer) or "/not" in pointer or "/if" in pointer
        if not named:
            assert not {"properties", "enum", "allOf"} & set(schema), pointer
            assert not isinstance(schema.get("additionalProperties"), dict), pointer


def test_every_choice_has_a_type() -> None:
    found = [
        (pointer, schema)
        for pointer, schema in schemas(openapi.document(""))
        if {"enum", "const"} & set(schema) and "propertyNames" not in pointer
    ]
    assert len(found) > 20
    assert [pointer for pointer, schema in found if "type" not in schema] == []


def test_whoever_needs_no_token_is_not_asked_for_one(api: Api, services: FakeServices) -> None:
    assert services.settings.auth == "none"
    assert api.get("/openapi.json").json_body["security"] == []
    services.with_settings(auth="token")
    described = api.get("/openapi.json").json_body
    assert described["security"] == [{"token": []}]
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert described["paths"]["/health"]["get"]["security"] == []
    assert "security" not in described["paths"]["/images"]["get"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("get", "/images", "read"),
        ("post", "/images", "write"),
        ("get", "/signing-secret", "write"),
        ("get", "/tokens", "admin"),
        ("get", "/health", None),
    ],
)
def test_an_operation_names_the_scope_that_its_token_needs(method: str, path: str, scope: str | None) -> None:
    assert openapi.document("")["paths"][path][method].get("x-scope") == scope


def test_a_body_is_described_by_the_media_types_that_its_route_takes() -> None:
    paths = openapi.document("")["paths"]
    for route in ROUTES:
        body = paths[route.path][route.method.lower()].get("requestBody")
        if body is not None:
            assert route.body, route
            assert set(body["content"]) == {*route.body.types} - {"*/*"}, route


def test_what_is_put_together_of_others_is_one_object() -> None:
    image = openapi.document("")["components"]["schemas"]["Image"]
    assert {"id", "labels", "links", "thumbnail_url"} <= set(image["properties"])
    assert {"id", "labels", "links"} <= set(image["required"])
    assert (image["type"], image["additionalProperties"]) == ("object", False)
