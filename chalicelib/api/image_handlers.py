"""One image: its document, its file, its thumbnail."""

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
    """``GET /images/{id}``: the image; ``wait`` or ``Prefer: wait`` waits for its final status."""
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
    """``GET /images/{id}/content``: redirect to the object, by a link that soon expires."""
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
    """``GET /images/{id}/thumbnail``: redirect to the small JPEG that is made of every readable image."""
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
    """A response with images, put by ``shape`` into the body; ``with=thumbnail_url`` adds thumbnail links.

    Two signed links to the same thumbnail may differ. So the entity tag is made without the links, but with
    the period in which they were signed: a cached response has links that still open.
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
    """The file name for a download."""
    return image.filename.rpartition("/")[2] or image.id


def _elsewhere(where: str) -> Response:
    return Response(body="", status_code=302, headers={"Location": where, "Cache-Control": "no-store"})
