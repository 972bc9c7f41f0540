"""The services, all of them fakes that remember: what the use cases work with in fast tests."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chalicelib import pipeline
from chalicelib.access.idempotency_keys import IdempotencyKeys
from chalicelib.access.rate_limiter import RateLimiter
from chalicelib.access.tokens import Tokens
from chalicelib.delivery.breakers import Breakers
from chalicelib.delivery.delivery_log import Deliveries
from chalicelib.delivery.destinations import integration_address
from chalicelib.delivery.keyring import Keyring
from chalicelib.delivery.origins import Origins
from chalicelib.delivery.root_key import RootKey
from chalicelib.delivery.subscriptions import Subscriptions
from chalicelib.due import DueIndex
from chalicelib.expressions import Key
from chalicelib.health import Health
from chalicelib.library.catalogue import Catalogue
from chalicelib.library.deployment_secret import DeploymentSecret
from chalicelib.library.history import History
from chalicelib.library.images import Images
from chalicelib.library.job_lines import Lines
from chalicelib.library.jobs import Jobs
from chalicelib.library.manifests import Manifests
from chalicelib.library.markers import Markers
from chalicelib.library.query import Query
from chalicelib.library.recognition_cache import RecognitionCache
from chalicelib.library.renames import Renames
from chalicelib.library.search import Search
from chalicelib.library.usage import Usage
from chalicelib.metrics import Metrics
from chalicelib.model import Image, Json, ObjectUploaded
from chalicelib.named_secret import NamedSecret
from chalicelib.recognition.governor import Governor
from chalicelib.settings import Settings
from local.stream_reader import EventSourceMapping, StreamReader
from tests.conftest import ENVIRONMENT
from tests.fakes.aws import FakeObjects, FakeParameters, FakeQueue, FakeSecrets, FakeTopic
from tests.fakes.clock import Clock
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.table import FakeTable

PHOTOS = Path(__file__).parents[2] / "photos"
CAT = (PHOTOS / "chelsea.jpg").read_bytes()
ROCKET = (PHOTOS / "rocket.jpg").read_bytes()


class World:
    """Has what :class:`chalicelib.wiring.Services` has.

    What is derived from records follows them before anybody looks at it: see :meth:`project`.
    """

    def __init__(self, clock: Clock | None = None, **environment: str) -> None:
        self.settings = Settings.read({**ENVIRONMENT, "PARTIAL_BATCHES": "true", **environment})
        self.clock = clock or Clock()
        self.table = FakeTable(self.clock)
        self._projecting = threading.Lock()
        self._feed = StreamReader(
            "on_image_change", self.table.stream, EventSourceMapping(batch_size=200), self.clock
        )
        self.objects = FakeObjects()
        self.objects.before_look = self.project
        self.objects.now = self.clock
        self.images = Images(self.table, self.clock)  # type: ignore[arg-type]  # held to Table's contract
        self._labels = Catalogue(self.table)  # type: ignore[arg-type]
        self._search = Search(self.table)  # type: ignore[arg-type]
        self.secret = DeploymentSecret(self.table)  # type: ignore[arg-type]
        self._usage = Usage(self.table)  # type: ignore[arg-type]
        self.recognition_cache = RecognitionCache(self.table, self.clock)  # type: ignore[arg-type]
        self.markers = Markers(self.table, self.clock)  # type: ignore[arg-type]
        self._history = History(self.table)  # type: ignore[arg-type]
        self.jobs = Jobs(self.table, self.clock)  # type: ignore[arg-type]
        self.lines = Lines(self.table, self.clock)  # type: ignore[arg-type]
        self.governor = Governor(self.table, self.clock)  # type: ignore[arg-type]
        self.manifests = Manifests(self.table, self.clock)  # type: ignore[arg-type]
        self.renames = Renames(self.table, self.clock)  # type: ignore[arg-type]
        self.deliveries = Deliveries(self.table, self.clock)  # type: ignore[arg-type]
        self.subscriptions = Subscriptions(self.table, self.clock)  # type: ignore[arg-type]
        self.due = DueIndex(self.table, self.clock)  # type: ignore[arg-type]
        self.breakers = Breakers(self.table, self.clock)  # type: ignore[arg-type]
        self.origins = Origins(self.table, self.clock, self.settings.unconfirmed_per_hour)  # type: ignore[arg-type]
        self.parameters = FakeParameters()
        root = RootKey(lambda: self.parameters, self.settings.signing_root, self.settings.signing_kms_key)
        self.keyring = Keyring(self.table, root, self.clock)  # type: ignore[arg-type]
        self.rate_limiter = RateLimiter(self.table, self.clock, self.settings.rate_limit)  # type: ignore[arg-type]
        self.idempotency_keys = IdempotencyKeys(self.table, self.clock, self.clock.forward)  # type: ignore[arg-type]
        self.tokens = Tokens(self.table, self.clock)  # type: ignore[arg-type]
        self.metrics = Metrics(self.settings.stage, self.clock)
        nothing = Key("~health", "health")
        probes = {"table": lambda: self.table.get(nothing), "bucket": lambda: self.objects.reach()}
        self.health = Health(probes, self.clock)
        self.uploads_queue = FakeQueue()
        self.jobs_queue = FakeQueue()
        self.deliveries_queue = FakeQueue()
        self.topic = FakeTopic()
        self.topic.before_look = self.project
        self.secrets = FakeSecrets()
        self.recogniser: Any = FakeRecogniser()

    @property
    def integration_address(self) -> NamedSecret:
        return integration_address(self.settings.integration_url, lambda: self.secrets, self.clock)

    def now(self) -> float:
        return self.clock()

    def drop(self, key: str, content: bytes = CAT) -> ObjectUploaded:
        """Put an object into the bucket and give the event that tells of it."""
        self.objects.put(key, content)
        return ObjectUploaded(key, self.objects.etag(key) or "")

    def image_at(self, key: str) -> Image:
        record = self.images.find_by_key(key)
        assert record is not None
        return record.image

    def erase(self, image: Image) -> None:
        """Delete an image for good."""
        pipeline.delete_image(image.owner, image.id, self, permanent=True)  # type: ignore[arg-type]

    def project(self) -> None:
        """Let everything that is derived follow the records."""
        if self._projecting.acquire(blocking=False):
            try:
                for event in self.changes():
                    answer = pipeline.project(event, self)  # type: ignore[arg-type]
                    assert answer == {"batchItemFailures": []}, answer
            finally:
                self._projecting.release()

    @property
    def labels(self) -> Catalogue:
        self.project()
        return self._labels

    @property
    def search(self) -> Search:
        self.project()
        return self._search

    @property
    def usage(self) -> Usage:
        self.project()
        return self._usage

    @property
    def history(self) -> History:
        self.project()
        return self._history

    def listed(self) -> tuple[Image, ...]:
        return self.search.page("default", Query(), limit=200).images

    def counts(self) -> dict[str, int]:
        page = self.labels.by_name("default", prefix="", limit=200, after=None)
        return {one.name: one.count for one in page.counts}

    def next_message(self) -> Json | None:
        """The next message of the labeler's or the jobs' queue, taken off it."""
        for queue in (self.uploads_queue, self.jobs_queue):
            if queue.messages:
                return queue.messages.pop(0)
        return None

    def changes(self) -> Iterator[Json]:
        """What became of records since the last time, in events as the table's stream hands them over."""
        while batch := self._feed.due():
            yield batch.event
            self._feed.settle(batch)

    def with_settings(self, **changes: Any) -> World:
        self.settings = dataclasses.replace(self.settings, **changes)
        return self


def s3_event(*uploads: ObjectUploaded) -> Json:
    """A notification as S3 sends it."""
    return {"Records": [uploaded.to_json() for uploaded in uploads]}
