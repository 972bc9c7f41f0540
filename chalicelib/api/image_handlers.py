"""An image: looked at, waited for, fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.api import long_poll, responses
from chalicelib.api.fields import Parameters
from chalicelib.api.requests import owner_of, query_of
from chalicelib.errors import Conflict, NotFound
from chalicelib.library.record import StoredImage
from chalicelib.model import Image

if TYPE_CHECKING:
    from chalicelib.wiring import Services


def show(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}``: the image; ``wait`` or ``Prefer: wait`` gives it seconds to become final."""
    parameters, owner = query_of(request, ("wait", "with")), owner_of(request)
    preferred = None if "wait" in parameters else long_poll.preferred(request.headers.get("prefer", ""))
    seconds = parameters.whole("wait", low=0, high=long_poll.LONGEST_SECONDS, default=preferred or 0)
    image = long_poll.until_final(
        lambda: services.images.stored(owner, image_id),
        seconds,
        lambda: services.rate_limiter.take_second(owner),
    )
    answer = answered(parameters, request, services, [image], lambda shown: shown[0])
    if preferred is not None:
        answer.headers["Preference-Applied"] = f"wait={preferred}"
    return answer


def content(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/content``: on to the object, by a link that opens for a while."""
    image = services.images.get(owner_of(request), image_id)
    if image.status == "awaiting_upload":
        raise Conflict("The image has been announced but not been uploaded yet.", code="not-uploaded-yet")
    if image.missing:
        raise Conflict("The image's file is no longer in the bucket.", code="object-missing")
    content_type, head = image.content_type or "application/octet-stream", request.method == "HEAD"
    return _elsewhere(
        services.objects.presigned_get(image.key, filename=_name(image), content_type=content_type, head=head)
    )


def thumbnail(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/thumbnail``: on to the small JPEG, which every image that was read has."""
    image = services.images.get(owner_of(request), image_id)
    link = services.thumbnails.link(image, "HEAD" if request.method == "HEAD" else "GET")
    if link is None and image.final:
        raise NotFound("The image was not read, so there is no thumbnail of it.", code="no-thumbnail")
    if link is None:
        raise Conflict("The image has not been labelled yet.", code="not-labelled-yet")
    return _elsewhere(link)


def answered(
    parameters: Parameters,
    request: Request,
    services: Services,
    images: Sequence[StoredImage],
    shape: Callable[[list[str]], str],
) -> Response:
    """The images in the ``shape`` of a route's body; ``with=thumbnail_url`` adds links to their thumbnails.

    These may read otherwise and be as good (a role's credentials are renewed), so they are left out of the
    entity tag, and the step of time in which they were signed is let in: what is kept by its tag is open.
    """
    base = responses.base_of(request)
    plain = shape([responses.image_text(base, image) for image in images])
    if not parameters.choice("with", "", "thumbnail_url"):
        return responses.tagged(request, plain)
    linked = [
        responses.image_text(base, image, thumbnail_url=services.thumbnails.link(image)) for image in images
    ]
    return responses.tagged(request, shape(linked), alike=[plain, services.thumbnails.step()])


def _name(image: Image) -> str:
    """What a browser is to call a download."""
    return image.filename.rpartition("/")[2] or image.id


def _elsewhere(where: str) -> Response:
    return Response(body="", status_code=302, headers={"Location": where, "Cache-Control": "no-store"})
