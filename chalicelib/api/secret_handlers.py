"""Signing secrets: the owner's, for callbacks and the integration server, and each subscription's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.api import responses
from chalicelib.api.idempotency import renewing
from chalicelib.api.requests import body_of, owner_of, query_of
from chalicelib.delivery.keyring import OWNER, Secret
from chalicelib.ids import rfc3339
from chalicelib.model import Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services


def show(request: Request, services: Services) -> Response:
    """``GET /signing-secret``: the owner's secret, created by the first request for it."""
    query_of(request, ())
    return _shown(services.keyring.get(owner_of(request), OWNER), services)


def _owners_again(body: Json, owner: str, services: Services) -> Json:
    return _document(services.keyring.get(owner, OWNER), services)


def _subscriptions_again(body: Json, owner: str, services: Services, subscription_id: str) -> Json:
    subscription = services.subscriptions.get(owner, subscription_id)
    return _document(services.keyring.get(owner, subscription.id), services)


@renewing(_owners_again, hidden="secret")
def rotate(request: Request, services: Services) -> Response:
    """``POST /signing-secret/rotate``: make a new one; the old one signs too, for a day."""
    body_of(request, (), optional=True)
    return _shown(services.keyring.rotate(owner_of(request), OWNER), services)


@renewing(_subscriptions_again, hidden="secret")
def rotate_subscription(request: Request, services: Services, subscription_id: str) -> Response:
    """``POST /subscriptions/{id}/signing-secret/rotate``: the same for a subscription's secret."""
    body_of(request, (), optional=True)
    subscription = services.subscriptions.get(owner_of(request), subscription_id)
    return _shown(services.keyring.rotate(subscription.owner, subscription.id), services)


def _shown(secret: Secret, services: Services) -> Response:
    return responses.fresh(_document(secret, services))


def _document(secret: Secret, services: Services) -> Json:
    standing = [until for _, until in secret.replaced if until > services.now()]
    older = rfc3339(max(standing)) if standing else None
    return {"secret": secret.current, "older_secrets_sign_until": older}
