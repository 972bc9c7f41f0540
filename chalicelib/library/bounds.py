"""Limits on the size of one image: of the data that people add, and of the whole record."""

from __future__ import annotations

import json

from chalicelib.errors import TooMuch
from chalicelib.expressions import Item
from chalicelib.library.record import Record
from chalicelib.model import Image

# UTF-8. A correction is stored twice, also as a label; the rest of the item is for the recogniser's labels.
MAX_USER_DATA_BYTES = 100_000
# DynamoDB's limit is 409,600; the difference leaves room for a claim, a deletion or a concurrent correction.
MAX_ITEM_BYTES = 390_000


def user_data_bytes(image: Image) -> int:
    """The size in bytes of what people have added to an image: names, metadata, filters, corrections."""
    data = {
        "filename": image.filename,
        "callback_url": image.callback_url,
        "metadata": dict(image.metadata),
        "filters": [value for value in image.asked().values() if isinstance(value, tuple)],
        "caption": image.caption.to_json() if image.caption and image.caption.source == "person" else None,
        "corrections": [one.to_json() for one in image.corrections],
    }
    return len(json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def check_user_data(image: Image, before: Image | None = None) -> None:
    """Refuse an image with too much user data; a change that makes it smaller is always allowed.

    :raises TooMuch: the user data is larger than 100 kB and larger than that of ``before``.
    """
    size = user_data_bytes(image)
    if size > MAX_USER_DATA_BYTES and (before is None or size > user_data_bytes(before)):
        raise TooMuch(
            f"The data that people add to the image would have {size} bytes; "
            f"the maximum is {MAX_USER_DATA_BYTES}: "
            "take corrections back, or give shorter metadata, filters or parents of labels.",
            data={"bytes": size, "most": MAX_USER_DATA_BYTES},
        )


def check_item(record: Record, before: Record | None = None) -> None:
    """Refuse a record that is too large for the table; a change that makes it smaller is always allowed.

    :raises TooMuch: the item is too large, and larger than that of ``before``.
    """
    size = _item_bytes(record.to_item())
    if size > MAX_ITEM_BYTES and (before is None or size > _item_bytes(before.to_item())):
        raise TooMuch(
            f"The image would take {size} bytes and has room for {MAX_ITEM_BYTES}: "
            "ask for fewer labels, or take corrections back.",
            data={"bytes": size, "most": MAX_ITEM_BYTES},
        )


def _item_bytes(item: Item) -> int:
    return sum(len(name) + _size(value) for name, value in item.items())


def _size(value: object) -> int:
    return len(value) if isinstance(value, bytes) else len(str(value).encode("utf-8", "surrogatepass"))
