"""The domain model: frozen values that all rooms share, each with its JSON form.

Confidences are 0–100, box edges are fractions of the picture (0–1), times are RFC 3339 UTC strings, sizes are
in bytes and pixels.
"""

from chalicelib.model.image import (
    DEFAULT_OWNER,
    FINAL,
    Failure,
    Image,
    Location,
    Status,
    time_of,
)
from chalicelib.model.json import Json
from chalicelib.model.labels import (
    LONGEST_LABEL_NAME,
    MOST_PARENTS,
    Box,
    Correction,
    Instance,
    Label,
    Terms,
    normalised,
)
from chalicelib.model.recognition import (
    ASKED,
    FEATURES,
    LONGEST_ALT,
    LONGEST_CAPTION,
    Asked,
    Caption,
    Model,
    Photo,
    Recognition,
    RecognitionOptions,
    calls_in,
)
from chalicelib.model.rekognition_format import in_rekognitions_words
from chalicelib.model.uploads import (
    LONGEST_FILENAME,
    LONGEST_METADATA_KEY,
    LONGEST_METADATA_VALUE,
    LONGEST_URL,
    MOST_METADATA,
    MOST_METADATA_BYTES,
    CallbackFormat,
    JobLine,
    NewImage,
    ObjectUploaded,
    SourceEntry,
)

__all__ = [
    "ASKED",
    "DEFAULT_OWNER",
    "FEATURES",
    "FINAL",
    "LONGEST_ALT",
    "LONGEST_CAPTION",
    "LONGEST_FILENAME",
    "LONGEST_LABEL_NAME",
    "LONGEST_METADATA_KEY",
    "LONGEST_METADATA_VALUE",
    "LONGEST_URL",
    "MOST_METADATA",
    "MOST_METADATA_BYTES",
    "MOST_PARENTS",
    "Asked",
    "Box",
    "CallbackFormat",
    "Caption",
    "Correction",
    "Failure",
    "Image",
    "Instance",
    "JobLine",
    "Json",
    "Label",
    "Location",
    "Model",
    "NewImage",
    "ObjectUploaded",
    "Photo",
    "Recognition",
    "RecognitionOptions",
    "SourceEntry",
    "Status",
    "Terms",
    "calls_in",
    "in_rekognitions_words",
    "normalised",
    "time_of",
]
