"""The service's API as methods. Documents are those of its description (``GET /openapi.json``)."""

from __future__ import annotations

from sightline_labels.delivery_calls import DeliveryCalls
from sightline_labels.image_calls import ImageCalls
from sightline_labels.job_calls import JobCalls


class Client(ImageCalls, JobCalls, DeliveryCalls):
    """A client of the service at ``url``, with a ``token`` if it asks for one; safe to use in many threads.

    If the connection breaks, or the service answers 429 or 503, a request is sent again, up to ``tries``
    times and with growing pauses. Every method raises
    :exc:`~sightline_labels.NotReachable` or a :exc:`~sightline_labels.ServiceError` with the service's code.
    """
