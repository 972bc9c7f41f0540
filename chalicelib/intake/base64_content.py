"""An image in a JSON string: base64, alone or in a data: URL."""

from __future__ import annotations

import binascii
import re

from chalicelib.errors import BadRequest, TooLarge

# Lambda takes 6 MB; base64 makes four bytes of three, and the rest of the body needs some room.
MAX_BYTES = 4_500_000
_MAX_CHARACTERS = (MAX_BYTES + 2) // 3 * 4
_DATA_URL = re.compile(r"data:[\w.+-]*/?[\w.+-]*(;[\w.+-]+=[^;,]*)*(?P<base64>;base64)?,", re.ASCII | re.I)
_LONGEST_PREFIX = 256
_LINE_BREAKS = {ord("\r"): None, ord("\n"): None}


def decode(text: str) -> bytes:
    """The bytes of ``text``: base64 (RFC 4648 §4, padded), or a base64 data: URL (RFC 2397).

    Line breaks are ignored: the shell command ``base64`` and MIME insert them.

    Raises :exc:`BadRequest` if it is neither, :exc:`TooLarge` above :data:`MAX_BYTES`.
    """
    encoded = text[_prefix(text) :].translate(_LINE_BREAKS)
    if len(encoded) > _MAX_CHARACTERS:
        raise TooLarge(
            f"An image of more than {MAX_BYTES} bytes cannot be sent as base64. "
            "POST {} to /images and send the photo to the address that comes back."
        )
    return _bytes(encoded)


def _prefix(text: str) -> int:
    """How many characters come before the base64."""
    if text[:5].lower() != "data:":
        return 0
    found = _DATA_URL.match(text[:_LONGEST_PREFIX])
    if found is None or found["base64"] is None:
        raise BadRequest("A data: URL must look like data:image/jpeg;base64,….", code="bad-data-url")
    return found.end()


def _bytes(encoded: str) -> bytes:
    try:
        content = binascii.a2b_base64(encoded, strict_mode=True)
        if len(encoded) % 4 or encoded.endswith("==="):  # strict mode accepts this after complete groups
            raise ValueError("Excess padding")
    except ValueError as error:  # binascii.Error, or characters beyond ASCII
        raise BadRequest(f"The content is not base64: {error}.", code="bad-base64") from error
    if not content:
        raise BadRequest("The content is empty.", code="empty-content")
    return content
