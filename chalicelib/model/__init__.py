"""What the rooms hand to each other: frozen values that own their JSON.

Confidences are 0–100, box edges are fractions of the picture (0–1), times are
RFC 3339 UTC strings, sizes are bytes and pixels.
"""

from chalicelib.model.caption import LONGEST_ALT, LONGEST_CAPTION, Caption
from chalicelib.model.entries import Entry, Order
from chalicelib.model.image import DEFAULT_OWNER, FINAL, Failure, Image, Status, time_of
from chalicelib.model.json import Json
from chalicelib.model.labels import Box, Correction, Instance, Label, normalised
from chalicelib.model.location import Location
from chalicelib.model.recognition import (
    ASKED,
    FEATURES,
    Asked,
    Model,
    Photo,
    Recognition,
    RecognitionOptions,
    calls_in,
)
from chalicelib.model.rekognition import in_rekognitions_words
from chalicelib.model.terms import Terms
from chalicelib.model.uploads import (
    LONGEST_METADATA_KEY,
    LONGEST_METADATA_VALUE,
    LONGEST_URL,
    MOST_METADATA,
    MOST_METADATA_BYTES,
    CallbackFormat,
    NewImage,
    ObjectUploaded,
)

__all__ = [
    "ASKED",
    "DEFAULT_OWNER",
    "FEATURES",
    "FINAL",
    "LONGEST_ALT",
    "LONGEST_CAPTION",
    "LONGEST_METADATA_KEY",
    "LONGEST_METADATA_VALUE",
    "LONGEST_URL",
    "MOST_METADATA",
    "MOST_METADATA_BYTES",
    "Asked",
    "Box",
    "CallbackFormat",
    "Caption",
    "Correction",
    "Entry",
    "Failure",
    "Image",
    "Instance",
    "Json",
    "Label",
    "Location",
    "Model",
    "NewImage",
    "ObjectUploaded",
    "Order",
    "Photo",
    "Recognition",
    "RecognitionOptions",
    "Status",
    "Terms",
    "calls_in",
    "in_rekognitions_words",
    "normalised",
    "time_of",
]
