"""What API Gateway says on its own, before or after the app is asked: as problems, like the app's."""

from __future__ import annotations

import json

from infra.project import Json, Stage

# response type → (status, slug of the problem's type, title); None: the status API Gateway gives.
# (Amazon API Gateway, "Gateway response types for API Gateway")
PROBLEMS: dict[str, tuple[int | None, str, str]] = {
    "MISSING_AUTHENTICATION_TOKEN": (404, "not-found", "There is no such thing"),
    "RESOURCE_NOT_FOUND": (404, "not-found", "There is no such thing"),
    "UNAUTHORIZED": (401, "unauthorized", "This needs a token"),
    "ACCESS_DENIED": (403, "forbidden", "This token does not open that"),
    "REQUEST_TOO_LARGE": (413, "too-large", "That is more than may be sent this way"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "unsupported-media-type", "The body is not of a type that is read here"),
    "THROTTLED": (429, "too-many-requests", "Too many requests at once"),
    "INTEGRATION_FAILURE": (502, "bad-gateway", "The service did not answer properly"),
    "INTEGRATION_TIMEOUT": (504, "timeout", "The service did not answer in time"),
    "DEFAULT_4XX": (None, "bad-request", "The request was refused"),
    "DEFAULT_5XX": (None, "internal-error", "Something broke on our side"),
}
HEADERS = {
    "Content-Type": "'application/problem+json'",
    "Cache-Control": "'no-store'",
    "X-Content-Type-Options": "'nosniff'",
}
RATE = 100  # requests a second for everybody together; a flood costs no more than this
BURST = 200


def responses(stage: Stage) -> Json:
    """By response type: ``status`` (or None), ``parameters`` and ``templates``, as API Gateway names them.

    Pages of the origin that may use the API see its own refusals too: that a token is wanted, for instance.
    """
    shared = {"Access-Control-Allow-Origin": f"'{stage.cors_origin}'"} if stage.cors_origin else {}
    return {
        kind: {
            "status": status,
            "parameters": {
                f"gatewayresponse.header.{name}": value
                for name, value in {**_headers(kind), **shared}.items()
            },
            "templates": {"application/json": _body(status, slug, title)},
        }
        for kind, (status, slug, title) in PROBLEMS.items()
    }


def swagger_extension(stage: Stage) -> Json:
    """The same as ``x-amazon-apigateway-gateway-responses`` of an OpenAPI document."""
    return {
        kind: {
            **({"statusCode": one["status"]} if one["status"] else {}),
            "responseParameters": one["parameters"],
            "responseTemplates": one["templates"],
        }
        for kind, one in responses(stage).items()
    }


def _headers(kind: str) -> dict[str, str]:
    more = {"THROTTLED": {"Retry-After": "'1'"}, "UNAUTHORIZED": {"WWW-Authenticate": "'Bearer'"}}
    return {**HEADERS, **more.get(kind, {})}


def _body(status: int | None, slug: str, title: str) -> str:
    known: Json = {"type": f"urn:sightline:problem:{slug}", "title": title, "code": slug}
    if status:
        known["status"] = status
    # messageString comes with its quotation marks (Amazon API Gateway, "$context variables").
    return json.dumps(known)[:-1] + ', "detail": $context.error.messageString}'
