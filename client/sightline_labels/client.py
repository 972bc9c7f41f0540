"""The service's API as methods; documents are as its own description has them (``GET /openapi.json``)."""

from __future__ import annotations

from sightline_labels.delivery_calls import DeliveryCalls
from sightline_labels.image_calls import ImageCalls
from sightline_labels.job_calls import JobCalls


class Client(ImageCalls, JobCalls, DeliveryCalls):
    """A service at ``url``, with a ``token`` where it asks for one; safe to use in many threads.

    Requests that may be sent again are, up to ``tries`` times and with growing pauses, where nobody answers
    any more or the service asks for patience (429, 503). Every method raises
    :exc:`~sightline_labels.NotReachable` or a :exc:`~sightline_labels.ServiceError` with the service's code.
    """
