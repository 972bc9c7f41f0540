"""What openapi-python-client makes: through create, upload, wait, search, correct, subscribe, export."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx
from sightline_attrs import Client
from sightline_attrs.api.curation import put_label
from sightline_attrs.api.images import create_image, export_images, list_images, show_image
from sightline_attrs.api.subscriptions import create_subscription
from sightline_attrs.models import (
    CreatedImage,
    CreatedSubscription,
    ExportedFile,
    ExportFormat,
    Image,
    ImagePage,
    ImageStatus,
    Metadata,
    NewSubscription,
    Submission,
    Upload,
)

address, photo, hook = sys.argv[1:]
client = Client(base_url=address, timeout=60)

wish = Submission(filename="attrs.jpg", metadata=Metadata.from_dict({"album": "clients"}))
created = create_image.sync(client=client, body=wish, idempotency_key="attrs-1")
assert isinstance(created, CreatedImage)
assert isinstance(created.upload, Upload)
httpx.put(created.upload.url, content=Path(photo).read_bytes()).raise_for_status()

image = show_image.sync(created.id, client=client, wait=20)
assert isinstance(image, Image)
assert image.status is ImageStatus.LABELLED

found = list_images.sync(client=client, q="cat & status:labelled", limit=200)
assert isinstance(found, ImagePage)

corrected = put_label.sync(image.id, "Attrs", client=client)
assert isinstance(corrected, Image)

made = create_subscription.sync(client=client, body=NewSubscription(url=hook, filter_="cat"))
assert isinstance(made, CreatedSubscription)

file = export_images.sync(client=client, q="cat", format_=ExportFormat.JSONL)
assert isinstance(file, ExportedFile)

told = {
    "image": image.id,
    "labels": [one.name for one in image.labels],
    "found": [one.id for one in found.images],
    "corrected": [one.name for one in corrected.labels],
    "secret": made.secret,
    "lines": httpx.get(file.url).text.count("\n"),
}
print(json.dumps(told))
