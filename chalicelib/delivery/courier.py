"""Brings a document to a destination; only a 2xx answer means that it has arrived."""

from __future__ import annotations

from chalicelib.delivery import documents
from chalicelib.errors import DeliveryFailed
from chalicelib.model import Image
from chalicelib.outbound import Outbound

DEADLINE_SECONDS = 15.0


def bring_xml(image: Image, url: str, delivery_id: str, outbound: Outbound) -> str | None:
    """POST the image's XML to the integration server; gives the reference from its receipt, if it has one.

    :raises DeliveryFailed: the server did not answer in time, or not with 2xx.
    """
    headers = {"Content-Type": documents.CONTENT_TYPE, "Idempotency-Key": delivery_id}
    body = documents.to_xml(image)
    reply = outbound.post(url, body=body, headers=headers, deadline=DEADLINE_SECONDS)
    if not 200 <= reply.status < 300:
        raise DeliveryFailed(f"The integration server answered {reply.status}.")
    return documents.reference_in(reply.body)
