"""Everything that a stage can be asked and told, once: for the AWS calls that it makes on the way."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from local.config import ROOT
from tests.packaging.journey import Stage, notification, route_of

Json = dict[str, Any]
CAT = (ROOT / "photos" / "chelsea.jpg").read_bytes()
ROCKET = (ROOT / "photos" / "rocket.jpg").read_bytes()
FEATURES = ["labels", "properties", "moderation", "text"]
ENOUGH_FOR_ONE_CALL = 20.0  # seconds: the longest that Rekognition's client waits, and the reserve
LONG_AGO = "2001-01-01T00:00:00.000Z"


class Tour:
    """A walk through a stage; ``asked`` is which routes it has been to, as (method, route)."""

    def __init__(self, stage: Stage, receiver: str) -> None:
        self._stage = stage
        self._receiver = receiver
        self.asked: set[tuple[str, str]] = set()

    def ask(self, method: str, path: str, body: Json | None = None, **query: str) -> Any:
        """A request that must not break; answers its JSON."""
        answer = self._stage.request(method, path, body, **query)
        self.asked.add((method, route_of(method, path)[0]))
        assert answer["statusCode"] < 500, (method, path, answer)
        return json.loads(answer["body"]) if answer["body"][:1] in ("{", "[") else answer["body"]

    def go(self) -> None:
        """All of it: the labelling twice, with uploads told by the queue and told by S3."""
        self._labeler = "on_upload_message"
        self._remove(self._hand_in())
        self._troubles()
        self._labeler = "on_s3_upload"
        image_id = self._hand_in()
        self._troubles()
        self._look_at(image_id)
        self._correct(image_id)
        self._deliver_again(image_id)
        self._tokens()
        self._older_clients()
        self._sweep()
        self._remove(image_id)

    # ── the stations ─────────────────────────────────────────────────────────────────────────
    def _hand_in(self) -> str:
        self._subscription = self.ask("POST", "/subscriptions", {"url": self._receiver})["id"]
        new = {"filename": "cat.jpg", "callback_url": self._receiver, "features": FEATURES}
        image_id = str(self.ask("POST", "/images", new)["id"])
        self._upload(f"uploads/~default/{image_id}", CAT)
        content = {"content": base64.b64encode(ROCKET).decode()}
        self._tell(f"uploads/~default/{self.ask('POST', '/images', content)['id']}")
        self.ask("POST", "/images", {"url": "http://127.0.0.1:1/nobody.jpg"})
        self._everyone_told()
        return image_id

    def _troubles(self) -> None:
        """A recogniser that throttles, an object that has gone, a record that has gone, a late event."""
        self._throttle(f"uploads/throttled-for-{self._labeler}.jpg")
        self._tell("uploads/never-there.jpg")
        self._upload("uploads/~default/01JCX000000000000000000000", CAT)
        self._upload("uploads/again.jpg", CAT)
        self._stage.lease(time.time() + 1000)
        self._upload("uploads/again.jpg", ROCKET)
        self._stage.lease(0)
        self._upload("uploads/again.jpg", ROCKET)
        self._everyone_told()

    def _throttle(self, key: str) -> None:
        """A recogniser that throttles, and a function that has no time to ask it again."""
        self._stage.put(key, ROCKET + key.encode())
        self._stage.rekognition.fails("ThrottlingException")
        function = self._stage.functions[self._labeler]
        with function.hurried(ENOUGH_FOR_ONE_CALL):
            self._stage.put_to(function, self._labeler, key)
        self._tell(key)

    def _look_at(self, image_id: str) -> None:
        for path in ("", "/content", "/thumbnail", "/metadata", "/deliveries"):
            self.ask("GET", f"/images/{image_id}{path}")
        self.ask("GET", "/images", q="cat | !animal", limit="2")
        self.ask("GET", "/images", label="cat")
        for path in (
            "/",
            "/health",
            "/images",
            "/labels",
            "/openapi.json",
            "/usage",
            "/schemas/image-1.xsd",
            "/export",
            "/docs",
            "/page/1/app.js",
        ):
            self.ask("GET", path)
        self.ask("GET", "/signing-secret")
        self.ask("POST", "/signing-secret/rotate", {})

    def _correct(self, image_id: str) -> None:
        self.ask("PUT", f"/images/{image_id}/labels/tabby", {})
        self.ask("DELETE", f"/images/{image_id}/labels/cat")
        self.ask("DELETE", f"/images/{image_id}/corrections/cat")
        self.ask("POST", "/images/labels", {"ids": [image_id], "add": ["pet"], "remove": ["dog"]})
        self.ask("POST", "/labels/tabby/rename", {"to": "tiger"})
        self.ask("GET", "/renames")
        self.ask("GET", f"/images/{image_id}/history")
        self.ask("GET", f"/images/{image_id}/why", label="cat")
        self.ask("POST", f"/images/{image_id}/relabel", {"min_confidence": 10})
        job = self.ask("POST", "/relabel", {"q": "tiger | cat | rocket", "max_labels": 3})
        self.ask("POST", "/export", {"q": "tiger | cat | rocket"})
        for _ in range(4):
            self._stage.drain("JobsQueue", "on_job_message")
            self._stage.drain("UploadsQueue", "on_upload_message")
        self.ask("GET", f"/jobs/{job.get('id', '01JCX000000000000000000000')}")
        self.ask("DELETE", "/labels/tabby/rename")
        self._everyone_told()

    def _tokens(self) -> None:
        made = self.ask("POST", "/tokens", {"name": "tour"})
        self.ask("GET", "/tokens")
        self.ask("GET", f"/tokens/{made['id']}")
        self.ask("DELETE", f"/tokens/{made['id']}")

    def _deliver_again(self, image_id: str) -> None:
        self._stage.partner.refuse(404, 404)
        self._upload("uploads/refused.jpg", CAT + b"refused")
        self._everyone_told()
        [refused] = self.ask("GET", "/images", filename="refused.jpg", limit="1")["images"]
        self._stage.partner.refuse(500, 410, 503, 503)
        self.ask("POST", f"/subscriptions/{self._subscription}/test", {})
        for image in (image_id, refused["id"]):
            for one in self.ask("GET", f"/images/{image}/deliveries")["deliveries"]:
                self.ask("GET", f"/deliveries/{one['id']}")
                self.ask("POST", f"/deliveries/{one['id']}/retry", {})
        self._everyone_told()
        self.ask("GET", "/deliveries", status="parked")
        self.ask("POST", "/deliveries/retry", {"status": "parked"})
        self.ask("GET", f"/subscriptions/{self._subscription}")
        self.ask("GET", f"/subscriptions/{self._subscription}/deliveries")
        self.ask("POST", f"/subscriptions/{self._subscription}/signing-secret/rotate", {})
        self.ask("GET", "/subscriptions")

    def _older_clients(self) -> None:
        blob = self.ask("POST", "/blobs", {})["blob_id"]
        self.ask("POST", "/blobs/upload", {})
        self.ask("GET", f"/blobs/{blob}")
        self.ask("GET", f"/blobs/get/{blob}")
        self.ask("POST", "/upload", {"filename": "old.jpg", "content": base64.b64encode(CAT).decode()})
        [image] = self.ask("GET", "/images", filename="old.jpg", limit="1")["images"]
        self._tell(f"uploads/~default/{image['id']}")
        self.ask("GET", "/predict", filename="old.jpg")

    def _sweep(self) -> None:
        """An image, a job and a delivery whose messages were lost."""
        self._upload("uploads/late.jpg", CAT + b"late")
        self._stage.hear(times=2)
        self.ask("POST", "/relabel", {"q": "nothing"})
        self._stage.lose("DeliveriesQueue")
        self._stage.lose("JobsQueue")
        self._stage.make_due(LONG_AGO)
        self._stage.tick()
        self._stage.drain("UploadsQueue", "on_upload_message")
        self._everyone_told()

    def _remove(self, image_id: str) -> None:
        self.ask("DELETE", f"/subscriptions/{self._subscription}")
        self.ask("DELETE", f"/images/{image_id}")

    # ── events ───────────────────────────────────────────────────────────────────────────────
    def _upload(self, key: str, content: bytes) -> None:
        self._stage.put(key, content)
        self._tell(key)

    def _tell(self, key: str) -> None:
        if self._labeler == "on_s3_upload":
            self._stage.notify(key)
        else:
            self._stage.queue(notification(self._stage.outputs["Bucket"], key))
            self._stage.drain("UploadsQueue", "on_upload_message")

    def _everyone_told(self) -> None:
        self._stage.hear()
        self._stage.drain("DeliveriesQueue", "on_sqs_message")
