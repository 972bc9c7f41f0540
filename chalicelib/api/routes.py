"""The table of routes: for each one its handler, the scope that it needs, and the body that it takes.

:func:`register` tells Chalice about them. The gate, the idempotency keys and the OpenAPI description read the
same rows. A handler is named by its module in :mod:`chalicelib.api` and its function. It is imported by the
first request for it, so a cold start loads only the handler that it needs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from chalice.app import Authorizer, Chalice, Request, Response

from chalicelib import wiring
from chalicelib.access.tokens import ADMIN, READ, WRITE
from chalicelib.api import gate, idempotency, problems
from chalicelib.api.requests import JSON, JSON_OR_FORM, XMP, Body, check_body

if TYPE_CHECKING:
    from chalicelib.wiring import Services

Handler = Callable[..., Response]
OPEN = ""  # the scope of routes that need no token


@dataclass(frozen=True)
class Route:
    """A row: a method, the template of a path, the handler, and the scope that a token needs.

    ``body`` is the body that the route takes; None if it ignores a body. ``keyed`` routes take an
    ``Idempotency-Key``. With ``message``, problem documents have the detail also under that name, where
    clients of older services look for it.
    """

    method: str
    path: str
    handler: str
    scope: str
    body: Body | None = None
    keyed: bool = False
    message: bool = False


GET = partial(Route, "GET")  # and HEAD (RFC 9110 §9.3.2)
POST = partial(Route, "POST", body=JSON, keyed=True)
PUT = partial(Route, "PUT", body=JSON)
PATCH = partial(Route, "PATCH", body=JSON)
DELETE = partial(Route, "DELETE")

ROUTES = (
    # images: handed in, shown, deleted, found, counted
    POST("/images", "upload_handlers.create", WRITE),
    GET("/images", "search_handlers.index", READ),
    POST("/images/known", "upload_handlers.known", WRITE),
    GET("/images/{image_id}", "image_handlers.show", READ),
    DELETE("/images/{image_id}", "bin_handlers.remove", WRITE),
    POST("/images/{image_id}/restore", "bin_handlers.restore", WRITE),
    POST("/images/delete", "bin_handlers.delete_many", WRITE),
    POST("/images/restore", "bin_handlers.restore_many", WRITE),
    GET("/images/{image_id}/content", "image_handlers.content", READ),
    GET("/images/{image_id}/thumbnail", "image_handlers.thumbnail", READ),
    GET("/images/{image_id}/metadata", "sidecar_handlers.metadata", READ),
    GET("/images/{image_id}/xmp", "sidecar_handlers.xmp", READ),
    GET("/labels", "catalogue_handlers.index", READ),
    GET("/months", "catalogue_handlers.months", READ),
    GET("/export", "search_handlers.export", READ),
    POST("/export", "job_handlers.export_originals", WRITE),
    GET("/usage", "usage_handlers.show", READ),
    # corrections by people, and their names for labels
    PUT("/images/{image_id}/labels/{name}", "correction_handlers.put_label", WRITE),
    DELETE("/images/{image_id}/labels/{name}", "correction_handlers.remove_label", WRITE),
    DELETE("/images/{image_id}/corrections/{name}", "correction_handlers.undo", WRITE),
    PUT("/images/{image_id}/xmp", "correction_handlers.put_xmp", WRITE, body=XMP),
    PUT("/images/{image_id}/caption", "correction_handlers.put_caption", WRITE),
    DELETE("/images/{image_id}/caption", "correction_handlers.remove_caption", WRITE),
    POST("/images/labels", "correction_handlers.correct_many", WRITE),
    POST("/labels/{name}/rename", "vocabulary_handlers.rename", WRITE),
    DELETE("/labels/{name}/rename", "vocabulary_handlers.end_rename", WRITE),
    GET("/renames", "vocabulary_handlers.renames", READ),
    GET("/vocabulary", "vocabulary_handlers.show", READ),
    PUT("/vocabulary", "vocabulary_handlers.put", WRITE),
    # labelled again, and the history of that
    POST("/images/{image_id}/relabel", "job_handlers.relabel", WRITE),
    POST("/relabel", "job_handlers.relabel_many", WRITE),
    GET("/images/{image_id}/history", "history_handlers.show", READ),
    GET("/images/{image_id}/why", "history_handlers.why", READ),
    # jobs
    GET("/jobs", "job_handlers.index", READ),
    POST("/jobs", "job_handlers.create", WRITE),
    GET("/jobs/{job_id}", "job_handlers.show", READ),
    POST("/jobs/{job_id}/pause", "job_handlers.pause", WRITE),
    POST("/jobs/{job_id}/resume", "job_handlers.resume", WRITE),
    POST("/jobs/{job_id}/cancel", "job_handlers.cancel", WRITE),
    # deliveries and subscriptions
    GET("/images/{image_id}/deliveries", "delivery_handlers.of_image", READ),
    GET("/deliveries", "delivery_handlers.index", READ),
    GET("/deliveries/{delivery_id}", "delivery_handlers.show", READ),
    POST("/deliveries/{delivery_id}/retry", "delivery_handlers.retry", WRITE),
    POST("/deliveries/retry", "delivery_handlers.retry_parked", WRITE),
    POST("/subscriptions", "subscription_handlers.create", WRITE),
    GET("/subscriptions", "subscription_handlers.index", READ),
    GET("/subscriptions/{subscription_id}", "subscription_handlers.show", READ),
    PATCH("/subscriptions/{subscription_id}", "subscription_handlers.change", WRITE),
    DELETE("/subscriptions/{subscription_id}", "subscription_handlers.remove", WRITE),
    GET("/subscriptions/{subscription_id}/deliveries", "delivery_handlers.of_subscription", READ),
    POST("/subscriptions/{subscription_id}/test", "subscription_handlers.test", WRITE),
    POST("/subscriptions/{subscription_id}/confirm", "subscription_handlers.confirm", WRITE),
    POST(
        "/subscriptions/{subscription_id}/signing-secret/rotate", "secret_handlers.rotate_subscription", WRITE
    ),
    GET("/signing-secret", "secret_handlers.show", WRITE),  # with it, one can sign as the service
    POST("/signing-secret/rotate", "secret_handlers.rotate", WRITE),
    # tokens, the web page, the service itself
    POST(
        "/tokens", "token_handlers.create", ADMIN, keyed=False
    ),  # the response holds a secret that is not stored
    GET("/tokens", "token_handlers.index", ADMIN),
    GET("/tokens/{token_id}", "token_handlers.show", ADMIN),
    DELETE("/tokens/{token_id}", "token_handlers.remove", ADMIN),
    GET("/", "pages.photos", OPEN),
    GET("/docs", "pages.docs", OPEN),
    GET("/page/{version}/{name}", "pages.file", OPEN),
    GET("/health", "service_handlers.health", OPEN),
    GET("/openapi.json", "service_handlers.description", OPEN),
    GET("/schemas/image-1.xsd", "service_handlers.schema", OPEN),
    # routes of older services
    POST("/blobs", "legacy_handlers.create_blob", WRITE, body=JSON_OR_FORM, message=True),
    POST("/blobs/upload", "legacy_handlers.create_blob", WRITE, body=JSON_OR_FORM, message=True),
    POST("/upload", "legacy_handlers.upload", WRITE, body=JSON_OR_FORM, message=True),
    GET("/blobs/{blob_id}", "legacy_handlers.show_blob", READ, message=True),
    GET("/blobs/get/{blob_id}", "legacy_handlers.get_blob", READ, message=True),
    GET("/predict", "legacy_handlers.predict", READ, message=True),
)


def register(app: Chalice, door: Authorizer | None) -> None:
    """Register every route with Chalice; all but the open ones get the authorizer ``door``, if there is one.

    Chalice would check the Content-Type even of a request without a body, so here it accepts any type;
    :func:`answer` checks the body.
    """
    for route in ROUTES:
        methods = ["GET", "HEAD"] if route.method == "GET" else [route.method]
        shut = None if route.scope == OPEN else door
        app.route(route.path, methods=methods, authorizer=shut, content_types=["*/*"])(_view(app, route))


def handler_of(route: Route) -> Handler:
    """The handler of a route, imported if necessary: ``handler(request, services, **path)``."""
    module, _, name = route.handler.partition(".")
    return cast(Handler, getattr(importlib.import_module(f"chalicelib.api.{module}"), name))


def answer(route: Route, request: Request, services: Services, path: dict[str, str]) -> Response:
    """Check a request, call the handler of its route, and turn any error into a problem document.

    Nothing is raised past this point. An unexpected error is logged with its traceback and answered with a
    500 that tells nothing about it.
    """
    try:
        allowance = gate.enter(request, route.scope, services)
        if route.body is not None:
            check_body(request, route.body)
        given = idempotency.call(handler_of(route), request, services, path, keyed=route.keyed)
        given.headers.update({**allowance, **problems.NO_SNIFFING})
        return given
    except Exception as error:
        return problems.of_error(error, request, message=route.message)


def _view(app: Chalice, route: Route) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return answer(route, cast(Request, app.current_request), wiring.services(), path)

    return view
