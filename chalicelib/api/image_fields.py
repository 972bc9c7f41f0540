"""The fields that a client may send with an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import pipeline
from chalicelib.api.fields import Fields
from chalicelib.api.requests import pointing_at
from chalicelib.intake.base64_content import decode
from chalicelib.model import (
    ASKED,
    FEATURES,
    LONGEST_FILENAME,
    LONGEST_LABEL_NAME,
    LONGEST_METADATA_KEY,
    LONGEST_METADATA_VALUE,
    LONGEST_URL,
    MOST_METADATA,
    MOST_METADATA_BYTES,
    Asked,
    NewImage,
)

if TYPE_CHECKING:
    from chalicelib.wiring import Services

ABOUT = ("filename", "callback_url", "metadata", *ASKED)
FILTERS = ("include_labels", "exclude_labels", "include_categories", "exclude_categories")
MOST_FILTERED = 100  # names in one filter


def new_image_in(fields: Fields, image_id: str, services: Services) -> NewImage:
    """A new image with the optional fields; raises :exc:`BadRequest` or :exc:`UnusableUrl`."""
    return NewImage(
        id=image_id,
        filename=fields.line("filename", longest=LONGEST_FILENAME) or "",
        callback_url=callback_in(fields, services),
        metadata=fields.text_map(
            "metadata",
            most=MOST_METADATA,
            longest_key=LONGEST_METADATA_KEY,
            longest_value=LONGEST_METADATA_VALUE,
            most_bytes=MOST_METADATA_BYTES,
        ),
        **asked_in(fields).asked(),
    )


def asked_in(fields: Fields) -> Asked:
    """The options for the recogniser; raises :exc:`BadRequest`."""
    return Asked(
        min_confidence=fields.number("min_confidence", low=0, high=100),
        max_labels=fields.whole("max_labels", low=1, high=1000),
        features=fields.choices("features", FEATURES),
        **{name: fields.lines(name, most=MOST_FILTERED, longest=LONGEST_LABEL_NAME) for name in FILTERS},
    )


def callback_in(fields: Fields, services: Services) -> str | None:
    """``callback_url``, checked, or None; raises :exc:`UnusableUrl`."""
    url = fields.line("callback_url", longest=LONGEST_URL)
    if url is not None:
        with pointing_at("/callback_url"):
            pipeline.check_receiver(url, services)
    return url


def content_in(fields: Fields, name: str = "content") -> bytes | None:
    """The bytes of the image in a base64 field; raises :exc:`BadRequest` or :exc:`TooLarge`."""
    text = fields.raw_text(name)
    if text is None:
        return None
    with pointing_at(f"/{name}"):
        return decode(text)
