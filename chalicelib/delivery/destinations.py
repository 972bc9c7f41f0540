"""Where deliveries go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.ids import derived_id

INTEGRATION = "integration"
CALLBACK = "callback"
Format = Literal["json", "xml", "blob"]


@dataclass(frozen=True)
class Destination:
    """A receiver: ``name`` is ``integration``, ``callback`` or a subscription's id.

    ``owner`` and ``signer`` name the secret that it is signed with: each owner has one and each subscription
    its own. The integration server hears of every owner's images and knows one secret, the default owner's.
    """

    name: str
    url: str
    format: Format
    owner: str
    signer: str

    @property
    def address(self) -> str:
        """What its standing is kept under: another URL is another destination."""
        return derived_id(self.name, self.url)
