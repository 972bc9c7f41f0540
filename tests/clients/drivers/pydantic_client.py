"""What openapi-generator makes: through create, upload, wait, search, correct, subscribe, export."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx
from openapi_client import ApiClient, Configuration, CurationApi, ImagesApi, SubscriptionsApi
from openapi_client.models import ExportFormat, ImageStatus, NewSubscription, Submission

address, photo, hook = sys.argv[1:]
client = ApiClient(Configuration(host=address))
images = ImagesApi(client)

wish = Submission(filename="pydantic.jpg", metadata={"album": "clients"})
created = images.create_image(wish, idempotency_key="pydantic-1")
httpx.put(created.upload.url, content=Path(photo).read_bytes()).raise_for_status()
image = images.show_image(created.id, wait=20)
assert image.status is ImageStatus.LABELLED
found = images.list_images(q="cat & status:labelled", limit=200)
corrected = CurationApi(client).put_label(image.id, "Pydantic")
made = SubscriptionsApi(client).create_subscription(NewSubscription(url=hook, filter="cat"))
file = images.export_images(q="cat", format=ExportFormat.JSONL)

told = {
    "image": image.id,
    "labels": [one.name for one in image.labels],
    "found": [one.id for one in found.images],
    "corrected": [one.name for one in corrected.labels],
    "secret": made.secret,
    "lines": httpx.get(file.url).text.count("\n"),
}
print(json.dumps(told))
