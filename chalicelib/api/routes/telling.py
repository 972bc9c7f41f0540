"""Everyone who asked is told: deliveries, subscriptions, signing secrets."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import api
from chalicelib.api.problems import answering

routes = Blueprint(__name__)
answer = answering(routes)


@routes.route("/images/{image_id}/deliveries")
def list_image_deliveries(image_id: str) -> Response:
    """Everyone who was told of an image, attempt by attempt."""
    return answer(api.deliveries.of_image, image_id)


@routes.route("/deliveries")
def list_deliveries() -> Response:
    """What a destination was sent, or what of it is parked."""
    return answer(api.deliveries.index)


@routes.route("/deliveries/{delivery_id}")
def show_delivery(delivery_id: str) -> Response:
    return answer(api.deliveries.show, delivery_id)


@routes.route("/deliveries/{delivery_id}/retry", methods=["POST"])
def retry_delivery(delivery_id: str) -> Response:
    return answer(api.deliveries.retry, delivery_id)


@routes.route("/deliveries/retry", methods=["POST"])
def retry_parked_deliveries() -> Response:
    """Send what is parked for a destination again, for a range of time."""
    return answer(api.deliveries.retry_parked)


@routes.route("/subscriptions", methods=["POST"])
def create_subscription() -> Response:
    """Be told of every result that fits; the answer alone shows the signing secret."""
    return answer(api.subscriptions.create)


@routes.route("/subscriptions")
def list_subscriptions() -> Response:
    return answer(api.subscriptions.index)


@routes.route("/subscriptions/{subscription_id}")
def show_subscription(subscription_id: str) -> Response:
    return answer(api.subscriptions.show, subscription_id)


@routes.route("/subscriptions/{subscription_id}", methods=["PATCH"])
def change_subscription(subscription_id: str) -> Response:
    """Edit it, pause it, or go on with it."""
    return answer(api.subscriptions.change, subscription_id)


@routes.route("/subscriptions/{subscription_id}", methods=["DELETE"])
def remove_subscription(subscription_id: str) -> Response:
    return answer(api.subscriptions.remove, subscription_id)


@routes.route("/subscriptions/{subscription_id}/deliveries")
def list_subscription_deliveries(subscription_id: str) -> Response:
    return answer(api.deliveries.of_subscription, subscription_id)


@routes.route("/subscriptions/{subscription_id}/test", methods=["POST"])
def test_subscription(subscription_id: str) -> Response:
    """Send a signed sample now, and say what came back."""
    return answer(api.subscriptions.test, subscription_id)


@routes.route("/subscriptions/{subscription_id}/confirm", methods=["POST"])
def confirm_subscription(subscription_id: str) -> Response:
    """Ask the receiver whether its origin agrees to be called often."""
    return answer(api.subscriptions.confirm, subscription_id)


@routes.route("/subscriptions/{subscription_id}/signing-secret/rotate", methods=["POST"])
def rotate_subscription_secret(subscription_id: str) -> Response:
    return answer(api.signing.rotate_subscription, subscription_id)


@routes.route("/signing-secret")
def show_signing_secret() -> Response:
    """The secret that callbacks and the integration server's XML are signed with."""
    return answer(api.signing.show)


@routes.route("/signing-secret/rotate", methods=["POST"])
def rotate_signing_secret() -> Response:
    return answer(api.signing.rotate)
