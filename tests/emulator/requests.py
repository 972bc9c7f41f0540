"""A request as API Gateway hands it to a function."""

from __future__ import annotations

import json
import re
from typing import Any

Json = dict[str, Any]


def route_of(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The app's route that a path belongs to, as API Gateway finds it, and its parameters."""
    import app

    literal_first = sorted(app.app.routes.items(), key=lambda one: one[0].count("{"))
    for route, methods in literal_first:
        found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route), path)
        if found and method in methods:
            return route, found.groupdict()
    raise ValueError(f"The app has no route for {method} {path}.")


def proxy_event(method: str, path: str, body: Json | str | None, query: dict[str, str]) -> Json:
    """The event of the Lambda proxy integration."""
    resource, parameters = route_of(method, path)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": {
            "Content-Type": "application/json",
            "Host": "api.example.com",
            "X-Forwarded-Proto": "https",
        },
        "multiValueHeaders": {},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "stage": "api",
            "requestId": "r",
            "path": f"/api{path}",
            "identity": {},
        },
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }
