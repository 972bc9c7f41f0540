"""How much one image may hold: what people add to it, and its record as a whole."""

from __future__ import annotations

import json

from chalicelib.errors import TooMuch
from chalicelib.expressions import Item
from chalicelib.library.record import Record
from chalicelib.model import Image

MOST_SAID = 100_000  # bytes of UTF-8; stored twice, as said and as labels, they leave room for a recogniser's
MOST_IN_ITEM = (
    390_000  # bytes of DynamoDB's 409,600: room for a claim, a removal, a correction said meanwhile
)


def said_bytes(image: Image) -> int:
    """The bytes of what people have added to an image: names, metadata, filters and corrections."""
    said = {
        "filename": image.filename,
        "callback_url": image.callback_url,
        "metadata": dict(image.metadata),
        "filters": [value for value in image.asked().values() if isinstance(value, tuple)],
        "caption": image.caption.to_json() if image.caption and image.caption.source == "person" else None,
        "corrections": [one.to_json() for one in image.corrections],
    }
    return len(json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def check_said(image: Image, before: Image | None = None) -> None:
    """Refuse what people add where it is too much; what makes it less is taken.

    :raises TooMuch: there would be more than 100 kB, and more than ``before``.
    """
    size = said_bytes(image)
    if size > MOST_SAID and (before is None or size > said_bytes(before)):
        raise TooMuch(
            f"With this people would have added {size} bytes to the image, and the most are {MOST_SAID}: "
            "take corrections back, or give shorter metadata, filters or parents of labels.",
            data={"bytes": size, "most": MOST_SAID},
        )


def check_item(record: Record, before: Record | None = None) -> None:
    """Refuse a record that the table may not hold; what makes it smaller is taken.

    :raises TooMuch: its item is too large, and larger than that of ``before``.
    """
    size = _item_bytes(record.to_item())
    if size > MOST_IN_ITEM and (before is None or size > _item_bytes(before.to_item())):
        raise TooMuch(
            f"The image would take {size} bytes and has room for {MOST_IN_ITEM}: "
            "ask for fewer labels, or take corrections back.",
            data={"bytes": size, "most": MOST_IN_ITEM},
        )


def _item_bytes(item: Item) -> int:
    return sum(len(name) + _size(value) for name, value in item.items())


def _size(value: object) -> int:
    return len(value) if isinstance(value, bytes) else len(str(value).encode("utf-8", "surrogatepass"))
