"""The one answer to every URL that cannot be used.

A text that differed by cause would tell a stranger which names and ports exist inside the network
that Sightline runs in. So the sentence states all the rules at once and the log keeps the reason.
"""

from __future__ import annotations

import logging

from chalicelib.errors import UnusableUrl

logger = logging.getLogger("sightline.outbound")

CODE = "url-not-fetched"
SENTENCE = (
    "The URL could not be used: it must be http or https without a user name, on port 80, 443 or another "
    "that is allowed here, lead to a public address, and answer in time, uncompressed and with few redirects."
)


def refused(where: object, reason: object) -> UnusableUrl:
    """The error to raise; ``where`` names the place without path and query, which may hold secrets."""
    logger.warning("URL refused: %r: %s", str(where), reason)
    return UnusableUrl(SENTENCE, code=CODE)
