"""The delivery log: its pages, and sending deliveries again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import responses
from chalicelib.api.cursors import LONGEST, Cursors
from chalicelib.api.fields import required
from chalicelib.api.requests import body_of, owner_of, query_of
from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.delivery_log import PARKED, by_destination, by_image
from chalicelib.delivery.destinations import CALLBACK, INTEGRATION
from chalicelib.errors import BadRequest
from chalicelib.ids import is_id
from chalicelib.model import Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services

PAGE = ("limit", "cursor")
MOST = 50  # each may have thirty attempts of more than a kilobyte; an answer has room for 6 MB


def index(request: Request, services: Services) -> Response:
    """``GET /deliveries``: deliveries to a ``destination``, or all parked ones, newest first."""
    query = query_of(request, ("destination", "status", *PAGE))
    parked, named = (
        query.choice("status", "any", "parked") == "parked",
        query.line("destination", longest=255),
    )
    listing = PARKED if named is None else by_destination(_destination(named, "?"), parked=parked)
    return _page(request, listing, services, ("destination", "status"))


def of_image(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/deliveries``: the deliveries about an image, with every attempt."""
    image = services.images.get(owner_of(request), image_id)
    return _page(request, by_image(image.id), services)


def of_subscription(request: Request, services: Services, subscription_id: str) -> Response:
    """``GET /subscriptions/{id}/deliveries``: the deliveries to a subscription, with every attempt."""
    subscription = services.subscriptions.get(owner_of(request), subscription_id)
    return _page(request, by_destination(subscription.id), services)


def show(request: Request, services: Services, delivery_id: str) -> Response:
    """``GET /deliveries/{id}``: one delivery."""
    query_of(request, ())
    return responses.fresh(_json(request, services.deliveries.get(owner_of(request), delivery_id)))


def retry(request: Request, services: Services, delivery_id: str) -> Response:
    """``POST /deliveries/{id}/retry``: send it again, now."""
    body_of(request, (), optional=True)
    delivery = services.deliveries.get(owner_of(request), delivery_id)
    return responses.accepted(_json(request, pipeline.send_again(delivery, services)))


def retry_parked(request: Request, services: Services) -> Response:
    """``POST /deliveries/retry``: send the parked deliveries of a destination and a time range again."""
    fields = body_of(request, ("destination", "since", "until"))
    named = required(fields.line("destination", longest=255), "/destination")
    since, until = (required(fields.moment(name), f"/{name}") for name in ("since", "until"))
    resent = pipeline.send_parked_again(owner_of(request), _destination(named, "/"), since, until, services)
    return responses.accepted({"count": resent.count, "more": resent.more})


def _page(request: Request, listing: str, services: Services, known: tuple[str, ...] = ()) -> Response:
    query = query_of(request, (*known, *PAGE))
    owner = owner_of(request)
    cursors = Cursors(services, owner, "deliveries", listing)
    page = services.deliveries.page(
        owner,
        listing,
        limit=query.whole("limit", low=1, high=MOST, default=20),
        after=cursors.decode(query.line("cursor", longest=LONGEST)),
    )
    shown = [_json(request, delivery) for delivery in page.deliveries]
    return responses.fresh({"deliveries": shown, "next_cursor": cursors.encode(page.next_after)})


def _json(request: Request, delivery: Delivery) -> Json:
    base = responses.base_of(request)
    here, image = f"{base}/deliveries/{delivery.id}", f"{base}/images/{delivery.image_id}"
    return {**delivery.document(), "links": {"self": here, "retry": f"{here}/retry", "image": image}}


def _destination(name: str, place: str) -> str:
    if name not in (INTEGRATION, CALLBACK) and not is_id(name):
        raise BadRequest(
            "Destination must be integration, callback or the id of a subscription.",
            code="bad-value",
            pointer=f"{place}destination",
        )
    return name
