"""Holds real answers to the description of the API, for any test that has an answer in hand."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from chalicelib.api import openapi

_HERE = "urn:sightline:description"
Header = str | list[str]


def assert_described(
    method: str, path_template: str, status: int, headers: Mapping[str, Header], body: bytes | str
) -> None:
    """Fail unless the description has this route, this status, this media type, and the body fits its schema.

    ``path_template`` is the route as the app has it (``/images/{image_id}``). HEAD is described as GET,
    but for the body.
    """
    what = f"{method.upper()} {path_template} → {status}"
    bodiless = method.upper() == "HEAD"
    method = "GET" if bodiless else method
    operation = _description()["paths"].get(path_template, {}).get(method.lower())
    assert operation, f"{method.upper()} {path_template} is not described"
    assert str(status) in operation["responses"], f"{what} is not described"
    described, pointer = _resolved(
        operation["responses"][str(status)],
        f"/paths/{_escaped(path_template)}/{method.lower()}/responses/{status}",
    )
    _assert_headers(described.get("headers", {}), headers, what)
    if not bodiless:
        _assert_body(described.get("content", {}), pointer, headers, body, what)


def assert_valid(value: Any, pointer: str, what: str) -> None:
    """Fail unless ``value`` fits the schema under the JSON Pointer ``pointer`` of the description."""
    validator = Draft202012Validator(
        {"$ref": f"{_HERE}#{pointer}"},
        registry=_registry(),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    faults = [
        f"{'/'.join(map(str, one.absolute_path))}: {one.message}" for one in validator.iter_errors(value)
    ]
    assert not faults, f"{what}: {faults}"


def _assert_headers(described: Mapping[str, Any], headers: Mapping[str, Header], what: str) -> None:
    given = {name.lower() for name in headers}
    for name, header in described.items():
        assert name.lower() in given or not header.get("required"), f"{what} lacks the header {name}"


def _assert_body(
    content: Mapping[str, Any], pointer: str, headers: Mapping[str, Header], body: bytes | str, what: str
) -> None:
    if not content:
        assert not body, f"{what} has a body, which is not described"
        return
    given = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    media = str(given).partition(";")[0].strip()
    assert media in content, f"{what} is {media!r}, described are {list(content)}"
    if media.endswith("json"):
        assert_valid(json.loads(body), f"{pointer}/content/{_escaped(media)}/schema", what)


def _resolved(described: Mapping[str, Any], pointer: str) -> tuple[Mapping[str, Any], str]:
    if "$ref" not in described:
        return described, pointer
    target = described["$ref"].removeprefix("#")
    _, kind, section, name = target.split("/")
    return _description()[kind][section][name], target


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def _description() -> Mapping[str, Any]:
    return openapi.document("")


@functools.cache
def _registry() -> Registry[Any]:
    resource = Resource(contents=_description(), specification=DRAFT202012)
    return Registry().with_resource(_HERE, resource)
