"""The document that older services of this kind give of an image, which they call a blob."""

from __future__ import annotations

import datetime

from chalicelib.model import Image, Json, Status

CONTENT_TYPE = "application/json"
INVOCATION_STATUS: dict[Status, str] = {
    "awaiting_upload": "ACTION_REQUIRED",
    "labelling": "IN_PROGRESS",
    "labelled": "COMPLETED",
    "failed": "FAILED",
    "binned": "FAILED",
}


def document(image: Image) -> Json:
    """The document; what is not known yet is absent.

    ``created_on`` is written as the oldest of these services wrote it, the other times as its successor did:
    ``2021-10-31 16:02:42.160306`` and ``2021-10-31T16:02:42.160306+00:00``, both UTC.
    """
    times = {
        "created_on": _moment(image.created_at).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "requested_on": successor_time(image.created_at),
        "started_on": image.started_at and successor_time(image.started_at),
        "completed_on": image.completed_at and successor_time(image.completed_at),
    }
    rest = {"failure_reason": _failure_of(image), "callback_url": image.callback_url}
    return {
        "blob_id": image.id,
        "invocation_status": INVOCATION_STATUS[image.status],
        "labels": [label.name for label in image.labels],
        **{name: value for name, value in {**times, **rest}.items() if value},
    }


def _failure_of(image: Image) -> str | None:
    if image.binned:
        return "The image was deleted."
    return image.error.detail if image.error else None


def successor_time(at: str) -> str:
    """An RFC 3339 time with microseconds and ``+00:00``."""
    return _moment(at).isoformat(timespec="microseconds")


def _moment(at: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(at).astimezone(datetime.UTC)
