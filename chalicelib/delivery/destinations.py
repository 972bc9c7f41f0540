"""Where deliveries go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.ids import derived_id

INTEGRATION = "integration"
CALLBACK = "callback"
Format = Literal["json", "xml"]


@dataclass(frozen=True)
class Destination:
    """A receiver: ``name`` is ``integration``, ``callback`` or a subscription's id.

    ``signer`` names the signing secret, which the owner has one of and each subscription its own.
    """

    name: str
    url: str
    format: Format
    signer: str

    @property
    def address(self) -> str:
        """What its standing is kept under: another URL is another destination."""
        return derived_id(self.name, self.url)
