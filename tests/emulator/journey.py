"""Everything that people and AWS do with a stage, once, and what must come of it."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests

from chalicelib.expressions import encoded_key
from chalicelib.ids import new_id
from chalicelib.library.record import packed, record_key, unpacked
from infra.stack_template import LEFT_ON
from local import eventbridge
from local.config import ROOT
from local.partner import Partner
from tests.emulator.emulator import Decision
from tests.emulator.receiver import Receiver
from tests.emulator.recognisers import EnforcedRekognition
from tests.emulator.requests import route_of
from tests.emulator.stage import Stage
from tests.packets import packet

Json = dict[str, Any]
PATIENCE_SECONDS = 60.0
CAT = (ROOT / "photos" / "chelsea.jpg").read_bytes()
ROCKET = (ROOT / "photos" / "rocket.jpg").read_bytes()
EVERY_FEATURE = ["labels", "properties", "moderation", "text"]
LONG_AGO, LONG_AHEAD = "2001-01-01T00:00:00Z", "2101-01-01T00:00:00Z"
FINAL = ("labelled", "failed")
LABELS = 30  # with their corrections of two kilobytes and more each


class Refused(AssertionError):
    """A function was refused what it asked for."""

    def __init__(self, function: str, decision: Decision) -> None:
        super().__init__(f"{function} may not {decision.action} on {decision.resource}.")
        self.function = function
        self.decision = decision


class Journey:
    """One walk through a stage; ``asked`` are the routes that it went to, as (method, route).

    Every station waits for its outcome; :exc:`Refused` is raised as soon as a role is refused anything.
    """

    def __init__(
        self, stage: Stage, partner: Partner, receiver: Receiver, rekognition: EnforcedRekognition
    ) -> None:
        self.asked: set[tuple[str, str]] = set()
        self._stage = stage
        self._partner = partner
        self._receiver = receiver
        self._rekognition = rekognition
        self._seen = len(stage.emulator.decisions())
        self._number = 0
        self._run = new_id()[-6:]  # so that another journey on this stage leaves other names
        self._tabby, self._tiger = f"tabby{self._run.lower()}", f"tiger{self._run.lower()}"
        self._cat = self._new(CAT)
        self._labeler = "on_s3_upload" if stage.configured.trigger == "s3" else "on_upload_message"

    def go_with_uploads(self) -> None:
        """The part that differs by how uploads are noticed: all that a labeler does."""
        self._subscribe()
        self._hand_in()
        self._drop_in()
        self._change_the_bucket()
        self._label_in_bulk()
        self._classify()
        self._troubles()
        self._check()

    def go(self) -> None:
        """All of it."""
        self._look_around()
        subscription = self._subscribe()
        cat = self._hand_in()
        self._somebody_else()
        self._drop_in()
        self._change_the_bucket()
        self._look_at(cat)
        self._correct(cat)
        self._work_on_many(cat)
        gone = self._deliver_with_failures(subscription)
        self._tokens()
        self._classify()
        self._older_clients()
        self._troubles()
        self._sweep(gone, cat)
        self._remove(cat, subscription)
        self._check()

    # ── the stations ─────────────────────────────────────────────────────────────────────────
    def _look_around(self) -> None:
        [script, *_] = re.findall(r'"(page/[^"]+\.js)"', self.ask("GET", "/"))
        for path in (f"/{script}", "/health", "/openapi.json", "/docs", "/schemas/image-1.xsd"):
            self.ask("GET", path)
        for path in ("/images", "/labels", "/months", "/usage", "/export", "/signing-secret", "/renames"):
            self.ask("GET", path)
        self.ask("POST", "/signing-secret/rotate", {})

    def _subscribe(self) -> str:
        subscription = self.ask("POST", "/subscriptions", {"url": self._receiver.url})["id"]
        assert self.ask("POST", f"/subscriptions/{subscription}/confirm", {})["confirmed"]
        return str(subscription)

    def _hand_in(self) -> str:
        """By a presigned PUT, a form, a URL and in the body; answers the first image's id."""
        asked = {"filename": "cat.jpg", "callback_url": self._receiver.url, "features": EVERY_FEATURE}
        put = self.ask("POST", "/images", asked)
        self._send(put["upload"]["url"], self._cat)
        formed = self.ask("POST", "/images", {"filename": "form.jpg"})
        form = formed["upload"]["form"]
        sent = requests.post(form["url"], data=form["fields"], files={"file": self._new(CAT)}, timeout=30)
        assert sent.ok, sent.text
        with photo_server(self._new(ROCKET)) as url:
            fetched = self.ask("POST", "/images", {"url": f"{url}/rocket.jpg"})
        content = self.ask("POST", "/images", {"content": base64.b64encode(self._new(ROCKET)).decode()})
        for one in (put, formed, fetched, content):
            assert self._final(one["id"])["status"] == "labelled"
            self._until(lambda one=one: one["id"] in self._receiver.received, "the subscription hears of it")
            self._until(
                lambda one=one: any(one["id"] in got.xml for got in self._partner.received),
                "the partner hears",
            )
        return str(put["id"])

    def _somebody_else(self) -> None:
        """A new owner's first image, whose callback is signed by a secret that is made for it."""
        token = self._stage.token_of(f"anna-{self._run.lower()}")
        asked = {"content": base64.b64encode(self._new(CAT)).decode(), "callback_url": self._receiver.url}
        image = self.ask("POST", "/images", asked, token=token)["id"]
        self._until(lambda: image in self._receiver.received, "the callback comes")
        runs = self._stage.runs("on_sns_message")
        self._stage.tell_again()
        self._until(lambda: self._stage.runs("on_sns_message") > runs, "what is told again is done with")

    def _drop_in(self) -> None:
        """Into the bucket, by anybody: a new file, the same again, other bytes under its name, no picture."""
        name = f"holiday/{self._run} a b+c é.jpg"
        for content in (self._new(CAT), self._cat, self._new(ROCKET)):
            self._stage.put(f"uploads/{name}", content)
            self._becomes(name, "labelled")
        self._until(lambda: self._lies_at(f"uploads/{name}.xmp"), "labels are beside the photo as XMP")
        self._stage.put(f"uploads/{name}.xmp", packet("Harbour"))
        self._until(lambda: self._named(name)["corrections"], "keywords in a sidecar are labels")
        self._stage.put(f"uploads/notes-{self._run}.jpg", b"no picture at all")
        self._becomes(f"notes-{self._run}.jpg", "failed")
        self._stage.put("uploads/~default/01JCX000000000000000000000", self._new(CAT))

    def _change_the_bucket(self) -> None:
        """A file is renamed, removed and put back: it stays one image."""
        old, new, photo = f"old {self._run}.jpg", f"new {self._run}.jpg", self._new(CAT)
        self._stage.put(f"uploads/{old}", photo)
        self._becomes(old, "labelled")
        image = self._named(old)["id"]
        s3, bucket = self._stage.client("s3"), self._stage.outputs["Bucket"]
        s3.copy_object(
            Bucket=bucket, Key=f"uploads/{new}", CopySource={"Bucket": bucket, "Key": f"uploads/{old}"}
        )
        s3.delete_object(Bucket=bucket, Key=f"uploads/{old}")
        self._until(lambda: self._image(image)["filename"] == new, "a renamed file is the same image")
        self._until(lambda: self._named(new).get("id") == image, "it is found by its new name")
        s3.delete_object(Bucket=bucket, Key=f"uploads/{new}")
        self._until(lambda: self._image(image)["missing"], "a removed file takes its image along")
        self._stage.put(f"uploads/{new}", photo)
        self._until(lambda: self._image(image)["status"] == "labelled", "put back it is there again")

    def _look_at(self, image_id: str) -> None:
        for path in ("", "/metadata", "/xmp", "/deliveries", "/history"):
            self.ask("GET", f"/images/{image_id}{path}")
        for path in ("/content", "/thumbnail"):
            link = self._stage.request("GET", f"/images/{image_id}{path}")["headers"]["Location"]
            urllib.request.urlopen(link, timeout=30).close()
            self.ask("GET", f"/images/{image_id}{path}")
        self.ask("GET", f"/images/{image_id}/why", label="cat")
        digest = hashlib.sha256(self._cat).hexdigest()
        known = self._until(lambda: self._known(digest), "the image is known by its bytes")
        assert self.ask("POST", "/images", {"sha256": digest, "if_known": "skip"})["id"] == known
        self._until(lambda: image_id in self._found("cat & animal"), "the image is found by its labels")
        self._until(
            # By the prefix: what an earlier journey left half done may fill the first page.
            lambda: "cat" in {one["name"] for one in self.ask("GET", "/labels", prefix="cat")["labels"]},
            "labels are counted",
        )
        self.ask("GET", "/images", label="cat")
        assert self.ask("GET", "/months")["undated"]  # a picture without a date

    def _correct(self, image_id: str) -> None:
        self.ask("PUT", f"/images/{image_id}/xmp", packet("Harbour").decode())
        self.ask("PUT", f"/images/{image_id}/labels/{self._tabby}", {})
        self.ask("DELETE", f"/images/{image_id}/labels/cat")
        self._until(lambda: image_id in self._found(f"{self._tabby} & !cat"), "a correction is found")
        self.ask("DELETE", f"/images/{image_id}/corrections/cat")
        self.ask("POST", "/images/labels", {"ids": [image_id], "add": ["pet"], "remove": ["dog"]})
        told = self._receiver.received.count(image_id)
        for number in range(LABELS):  # a document too long to be sent in full
            parents = [f"{number} {part} {'x' * 100}" for part in range(10)]
            self.ask("PUT", f"/images/{image_id}/labels/number-{number}", {"parents": parents})
        self._until(lambda: self._receiver.received.count(image_id) > told, "a link to it comes")
        self.ask("POST", f"/labels/{self._tabby}/rename", {"to": self._tiger})
        self._until(lambda: image_id in self._found(f"{self._tiger} & cat & pet"), "a renamed label is found")
        self.ask("DELETE", f"/labels/{self._tabby}/rename")
        self.ask("PUT", f"/images/{image_id}/caption", {"text": "A cat on a chair", "alt": "A cat"})
        self._until(lambda: image_id in self._found('text:"cat on a chair"'), "a caption is found")
        self.ask("DELETE", f"/images/{image_id}/caption")
        self._finished(self.ask("PUT", "/vocabulary", {"terms": ["Cat = kitten", "Rocket"]}))
        assert self.ask("GET", "/vocabulary")["terms"]
        self._finished(self.ask("PUT", "/vocabulary", {"terms": []}))
        self.ask("POST", f"/images/{image_id}/relabel", {"min_confidence": 10})
        self._until(lambda: self._image(image_id)["status"] == "labelled", "one image is labelled again")

    def _work_on_many(self, image_id: str) -> None:
        """A job that labels again, and one that packs photos."""
        job = self.ask("POST", "/relabel", {"q": f"{self._tiger} | cat | rocket", "max_labels": 3})
        self._finished(job)
        self.ask("GET", "/export", q="cat", format="csv")
        packed = self._finished(self.ask("POST", "/export", {"q": f"{self._tiger} | cat | rocket"}))
        assert packed
        self._label_in_bulk()
        self._until(lambda: self._image(image_id)["status"] == "labelled", "it is labelled again")

    def _label_in_bulk(self) -> None:
        """Photos that lie elsewhere in the bucket: what they cost, and their labels by a job that is held."""
        bucket = self._stage.outputs["Bucket"]
        for number in range(3):
            self._stage.client("s3").put_object(
                Bucket=bucket, Key=f"albums/{self._run}/{number}.jpg", Body=self._new(CAT)
            )
        album = {"kind": "label", "source": {"prefix": f"s3://{bucket}/albums/{self._run}/"}}
        dry = self._finished(self.ask("POST", "/jobs", {**album, "dry_run": True}))
        assert dry["estimate"]["recognitions"] == 3
        job = self.ask("POST", "/jobs", album)
        for act in ("pause", "resume"):
            self.ask("POST", f"/jobs/{job['id']}/{act}", {})
        job = self._finished(job)
        assert job["outcomes"] == {"labelled": 3}, job
        assert requests.get(job["links"]["results"], timeout=30).text.count("albums/") == 3
        addresses = {"kind": "label", "source": {"urls": ["https://photos.example/none.jpg"]}}
        self.ask("POST", f"/jobs/{self.ask('POST', '/jobs', addresses)['id']}/cancel", {})

    def _deliver_with_failures(self, subscription: str) -> str:
        """Refused for good and sent again; refused for now; told that it is gone: that delivery's id."""
        self.ask("POST", f"/subscriptions/{subscription}/test", {})
        parked = self._refused(subscription, 404, "parked")
        self.ask("POST", f"/deliveries/{parked}/retry", {})
        self._delivered(parked)
        self._delivered(self._refused(subscription, 500, "pending"))
        self._partner.refuse(404)
        self._stage.put(f"uploads/refused-by-partner-{self._run}.jpg", self._new(CAT))
        asked = {"destination": "integration", "status": "parked"}
        self._until(lambda: self.ask("GET", "/deliveries", **asked)["deliveries"], "the partner's is parked")
        for destination in (subscription, "integration"):
            asked = {"destination": destination, "since": LONG_AGO, "until": LONG_AHEAD}
            self.ask("POST", "/deliveries/retry", asked)
        for path in ("", "/deliveries"):
            self.ask("GET", f"/subscriptions/{subscription}{path}")
        self.ask("POST", f"/subscriptions/{subscription}/signing-secret/rotate", {})
        self.ask("GET", "/jobs")
        self.ask("PATCH", f"/subscriptions/{subscription}", {"paused": False})
        self.ask("GET", "/subscriptions")
        return self._refused(subscription, 410, "parked")

    def _refused(self, subscription: str, status: int, becomes: str) -> str:
        """A delivery to the subscription that the receiver answers so, and what becomes of it; its id."""
        name = f"refused-{status}-{self._run}.jpg"
        self._receiver.refuses(name, status)
        self._stage.put(f"uploads/{name}", self._new(CAT))

        def refused() -> str | None:
            image = self._named(name)
            if image["status"] not in FINAL:
                return None
            found = self.ask("GET", f"/images/{image['id']}/deliveries")["deliveries"]
            of_it = [one for one in found if one["attempts"] and one["attempts"][0]["status"] == status]
            return next((str(one["id"]) for one in of_it if one["status"] == becomes), None)

        return str(self._until(refused, f"a delivery that is answered {status} becomes {becomes}"))

    def _tokens(self) -> None:
        made = self.ask("POST", "/tokens", {"name": "journey"})
        self.ask("GET", "/tokens")
        self.ask("GET", f"/tokens/{made['id']}")
        self.ask("DELETE", f"/tokens/{made['id']}")

    def _older_clients(self) -> None:
        blob = self.ask("POST", "/blobs", {})["blob_id"]
        self.ask("POST", "/blobs/upload", {})
        self.ask("GET", f"/blobs/{blob}")
        self.ask("GET", f"/blobs/get/{blob}")
        old = {"filename": f"old-{self._run}.jpg", "content": base64.b64encode(self._new(CAT)).decode()}
        self.ask("POST", "/upload", old)
        self._becomes(f"old-{self._run}.jpg", "labelled")
        self.ask("GET", "/predict", filename=f"old-{self._run}.jpg")

    def _classify(self) -> None:
        """A labeler of a stage that has chosen a SageMaker endpoint."""
        with self._stage.led_to(self._labeler, f"{self._labeler}@sagemaker"):
            self._stage.put(f"uploads/classified-{self._run}.jpg", self._new(CAT))
            self._becomes(f"classified-{self._run}.jpg", "labelled")

    def _troubles(self) -> None:
        """Two events at once, a recogniser that throttles, an object that has gone, events without sense."""
        runs = self._stage.runs("on_upload_message")
        with self._rekognition.holding():
            self._stage.put(f"uploads/twice-{self._run}.jpg", self._new(ROCKET))
            self._becomes(f"twice-{self._run}.jpg", "labelling")
            self._stage.queue("UploadsQueue", self._event(f"uploads/twice-{self._run}.jpg"))
            self._until(lambda: self._stage.runs("on_upload_message") > runs, "the second event is put off")
        self._becomes(f"twice-{self._run}.jpg", "labelled")
        with self._hurried():
            self._rekognition.fails("ThrottlingException")
            self._stage.put(f"uploads/throttled-{self._run}.jpg", self._new(ROCKET))
            self._becomes(f"throttled-{self._run}.jpg", "labelled")
        with self._stage.deaf():
            gone = self.ask("POST", "/images", {"content": base64.b64encode(self._new(CAT)).decode()})
            self._stage.client("s3").delete_object(Bucket=self._stage.outputs["Bucket"], Key=key_of(gone))
        self._tell(key_of(gone))
        assert self._final(gone["id"])["error"]["code"] == "object-missing"
        left = self._stage.waiting("EventsDeadLetters")
        for function, queue in LEFT_ON.items():
            if queue == "EventsDeadLetters":
                self._start(function, {})
        self._until(
            lambda: self._stage.waiting("EventsDeadLetters") >= left + 2,
            "what nobody can read is left behind",
        )

    def _sweep(self, delivery: str, image_id: str) -> None:
        """Everything that can be stuck is stuck, and the sweep brings it on its way."""
        with self._stage.deaf():
            announced = self.ask("POST", "/images", {"filename": "lost.jpg"})
            self._send(announced["upload"]["url"], self._new(CAT))
            job = self.ask("POST", "/relabel", {"q": "rocket"})
            self.ask("POST", f"/deliveries/{delivery}/retry", {})
        self._stage.make_due()
        left = [self._left(image_id, "rebuild"), self._left(image_id, "fanout", "untold#1")]
        self._start("sweep", eventbridge.tick("sweep"))
        assert self._final(announced["id"])["status"] == "labelled"
        self._finished(job)
        self._delivered(delivery)
        for is_due in left:
            self._until(lambda is_due=is_due: not is_due(), "what the projection left is seen to")

    def _left(self, image_id: str, kind: str, row: str = "rebuild") -> Callable[[], bool]:
        """Let a row of an image wait for the sweep as the projection leaves it; whether it still does."""
        row_of = {
            "TableName": self._stage.outputs["Table"],
            "Key": {"pk": {"S": f"default#image#{image_id}"}, "sk": {"S": row}},
        }
        due = {":shard": {"S": f"{kind}#0"}, ":at": {"S": LONG_AGO}}
        table = self._stage.client("dynamodb")
        table.update_item(
            **row_of, UpdateExpression="SET due_shard = :shard, due_at = :at", ExpressionAttributeValues=due
        )
        return lambda: "due_at" in table.get_item(**row_of, ConsistentRead=True).get("Item", {})

    def _remove(self, image_id: str, subscription: str) -> None:
        """Into the bin and out of it, one image and many; at last erased, at once and by the sweep."""
        self.ask("DELETE", f"/subscriptions/{subscription}")
        self.ask("DELETE", f"/images/{image_id}")
        self._until(lambda: image_id not in self._found(self._tiger), "what is deleted is found no more")
        self._until(lambda: image_id in self._found(f"{self._tiger} & status:binned"), "it is in the bin")
        self.ask("POST", f"/images/{image_id}/restore", {})
        self._until(lambda: image_id in self._found(self._tiger), "what is restored is found again")
        for route, status in (("delete", "binned"), ("restore", "labelled")):
            self._finished(self.ask("POST", f"/images/{route}", {"q": self._tiger}))
            asked = f"{self._tiger} & status:{status}"
            self._until(lambda asked=asked: image_id in self._found(asked), f"a job makes it {status}")
        self.ask("POST", "/images/delete", {"ids": [image_id]})
        late = self._named(f"twice-{self._run}.jpg")["id"]
        self.ask("DELETE", f"/images/{late}")
        self._time_is_over(late)
        self._start("sweep", eventbridge.tick("sweep"))
        self._until(lambda: not self._left_of(late), "the sweep erases what was in the bin long enough")
        self.ask("DELETE", f"/images/{image_id}", permanent="true")
        assert not self._left_of(image_id)

    def _left_of(self, image_id: str) -> bool:
        """Whether there is such an image, in the bin or out of it."""
        return bool(self._stage.request("GET", f"/images/{image_id}")["statusCode"] == 200)

    def _time_is_over(self, image_id: str) -> None:
        """Let an image in the bin be there since long ago."""
        table = self._stage.client("dynamodb")
        row = {
            "TableName": self._stage.outputs["Table"],
            "Key": encoded_key(record_key("default", image_id)),
        }
        body = unpacked(table.get_item(**row, ConsistentRead=True)["Item"]["body"]["B"])
        table.update_item(
            **row,
            UpdateExpression="SET body = :body, due_at = :at",
            ExpressionAttributeValues={
                ":body": {"B": packed({**body, "erases_at": LONG_AGO})},
                ":at": {"S": LONG_AGO},
            },
        )

    # ── asking and waiting ───────────────────────────────────────────────────────────────────
    def ask(
        self, method: str, path: str, body: Json | str | None = None, *, token: str = "", **query: str
    ) -> Any:
        """A request that must succeed; answers its JSON, or its text."""
        answer = self._stage.request(method, path, body, token=token, **query)
        self._check()
        self.asked.add((method, route_of(method, path)[0]))
        assert answer["statusCode"] < 400, (method, path, answer["body"])
        return json.loads(answer["body"]) if answer["body"][:1] in ("{", "[") else answer["body"]

    def _start(self, function: str, event: Json) -> None:
        """Let a function be called asynchronously."""
        self._stage.client("lambda").invoke(
            FunctionName=self._stage.configured.full_name(function),
            InvocationType="Event",
            Payload=json.dumps(event),
        )

    def _tell(self, key: str) -> None:
        """Tell the labeler of an object, as the bucket would."""
        if self._labeler == "on_s3_upload":
            self._start("on_s3_upload", self._event(key))
        else:
            self._stage.queue("UploadsQueue", self._event(key))

    def _event(self, key: str) -> Json:
        described = {"key": key, "size": 1, "eTag": "", "sequencer": "00FF"}
        record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": LONG_AGO}
        bucket = {"name": self._stage.outputs["Bucket"]}
        return {"Records": [{**record, "s3": {"bucket": bucket, "object": described}}]}

    def _until(self, look: Callable[[], Any], what: str) -> Any:
        """What ``look`` finds, as soon as it finds something."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (found := look()):
            self._check()
            assert time.monotonic() < end, f"It never came that {what}.\n{self._stage.tail()}"
            time.sleep(0.2)
        return found

    def _check(self) -> None:
        """:raises Refused: a role was refused something since the journey began."""
        for function, decision in self._stage.decisions(self._seen):
            if not decision.allowed:
                raise Refused(function, decision)

    def _image(self, image_id: str) -> Json:
        image: Json = self.ask("GET", f"/images/{image_id}")
        return image

    def _final(self, image_id: str) -> Json:
        def final() -> Json | None:
            image: Json = self.ask("GET", f"/images/{image_id}", wait="5")
            return image if image["status"] in FINAL else None

        found: Json = self._until(final, f"{image_id} is final")
        return found

    def _named(self, filename: str) -> Json:
        found = self.ask("GET", "/images", filename=filename, limit="1")["images"]
        return found[0] if found else {"status": "not there"}

    def _lies_at(self, key: str) -> bool:
        bucket = self._stage.outputs["Bucket"]
        return bool(self._stage.client("s3").list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"])

    def _becomes(self, filename: str, status: str) -> None:
        self._until(lambda: self._named(filename)["status"] == status, f"{filename} is {status}")

    def _found(self, query: str) -> list[str]:
        return [one["id"] for one in self.ask("GET", "/images", q=query)["images"]]

    def _known(self, digest: str) -> str | None:
        """The id of the image that has these bytes."""
        [found] = self.ask("POST", "/images/known", {"sha256": [digest]})["images"]
        known: str | None = found["id"]
        return known

    def _finished(self, job: Json) -> Json:
        found: Json = self._until(
            lambda: next(
                (one for one in [self.ask("GET", f"/jobs/{job['id']}")] if one["status"] == "done"), None
            ),
            "the job is finished",
        )
        return found

    def _delivered(self, delivery_id: str) -> None:
        """Due at once, brought by the sweep where its message waits for longer."""

        def is_there() -> bool:
            return self.ask("GET", f"/deliveries/{delivery_id}")["status"] == "delivered"

        self._until(is_there, "the delivery arrives")

    def _new(self, photo: bytes) -> bytes:
        """The same picture in other bytes: results are copied between images of the same bytes."""
        self._number += 1
        return photo + f"{self._run}-{self._number}".encode()

    def _send(self, url: str, content: bytes) -> None:
        request = urllib.request.Request(url, data=content, method="PUT")
        request.add_header("Content-Type", "image/jpeg")
        urllib.request.urlopen(request, timeout=30).close()

    @contextmanager
    def _hurried(self) -> Iterator[None]:
        """Meanwhile the bucket's labeler has no time to ask a recogniser, and the queue's to ask it twice."""
        lambda_, configured = self._stage.client("lambda"), self._stage.configured
        seconds = {"on_s3_upload": 15, "on_upload_message": 20}
        hurried = {name: few for name, few in seconds.items() if name in self._stage.policies}
        for name, few in hurried.items():
            lambda_.update_function_configuration(FunctionName=configured.full_name(name), Timeout=few)
        try:
            yield
        finally:
            for name in hurried:
                lambda_.update_function_configuration(
                    FunctionName=configured.full_name(name), Timeout=configured.config(name).lambda_timeout
                )


def key_of(image: Json) -> str:
    """Where the API puts an image of the owner ``default``."""
    return f"uploads/~default/{image['id']}"


@contextmanager
def photo_server(photo: bytes) -> Iterator[str]:
    """Somebody's web server with one photo."""

    class Photo(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(photo)))
            self.end_headers()
            self.wfile.write(photo)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Photo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
