"""Label photos with a Sightline service: ``Client`` is all of its API that people work with."""

from sightline_labels.client import Client
from sightline_labels.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    NotInTime,
    NotReachable,
    Outdated,
    ServiceError,
    SightlineError,
    TooMany,
    Unavailable,
)
from sightline_labels.image_calls import Uploaded

__version__ = "0.2.0"

__all__ = [
    "Client",
    "Conflict",
    "NotAllowed",
    "NotFound",
    "NotInTime",
    "NotReachable",
    "Outdated",
    "ServiceError",
    "SightlineError",
    "TooMany",
    "Unavailable",
    "Uploaded",
]
