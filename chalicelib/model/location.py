"""Where a photo was taken."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from chalicelib.model.json import Json


@dataclass(frozen=True)
class Location:
    """A point on the earth: degrees, north and east positive."""

    latitude: float
    longitude: float

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Location:
        return cls(data["latitude"], data["longitude"])
