"""The composition root: creates the services that the use cases need, lazily and once per process.

Each class is imported where it is instantiated, so that a Lambda function loads only what it uses.
"""

from __future__ import annotations

import functools
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.clients import OWN_REGION, QUICK, Clients, session
from chalicelib.settings import Settings, settings

if TYPE_CHECKING:
    from chalicelib.access.idempotency_keys import IdempotencyKeys
    from chalicelib.access.rate_limiter import RateLimiter
    from chalicelib.access.tokens import Tokens
    from chalicelib.delivery.breakers import Breakers
    from chalicelib.delivery.delivery_log import Deliveries
    from chalicelib.delivery.keyring import Keyring
    from chalicelib.delivery.origins import Origins
    from chalicelib.delivery.subscriptions import Subscriptions
    from chalicelib.due import DueIndex
    from chalicelib.health import Health
    from chalicelib.intake.multipart_uploads import MultipartUploads
    from chalicelib.intake.objects import ObjectStore
    from chalicelib.intake.source_buckets import Sources
    from chalicelib.intake.thumbnail_links import ThumbnailLinks
    from chalicelib.library.catalogue import Catalogue
    from chalicelib.library.deployment_secret import DeploymentSecret
    from chalicelib.library.history import History
    from chalicelib.library.images import Images
    from chalicelib.library.job_lines import Lines
    from chalicelib.library.jobs import Jobs
    from chalicelib.library.manifests import Manifests
    from chalicelib.library.markers import Markers
    from chalicelib.library.recognition_cache import RecognitionCache
    from chalicelib.library.renames import Renames
    from chalicelib.library.search import Search
    from chalicelib.library.usage import Usage
    from chalicelib.metrics import Metrics
    from chalicelib.named_secret import NamedSecret
    from chalicelib.outbound import Outbound
    from chalicelib.queues import Queue, Topic
    from chalicelib.recognition.governor import Governor
    from chalicelib.recognition.recogniser import Recogniser
    from chalicelib.table import Table


class Services:
    """All collaborators of the use cases; each is created on first use."""

    def __init__(self, chosen: Settings) -> None:
        self.settings = chosen
        self.clients = Clients(session())

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    @cached_property
    def table(self) -> Table:
        from chalicelib.table import Table

        return Table(self.clients.make("dynamodb"), self.settings.table)

    @cached_property
    def objects(self) -> ObjectStore:
        return self._objects(self._s3)

    def _objects(self, client: Any) -> ObjectStore:
        from chalicelib.intake.objects import ObjectStore

        chosen = self.settings
        return ObjectStore(
            client,
            chosen.bucket,
            upload_seconds=chosen.upload_expires_seconds,
            download_seconds=chosen.download_expires_seconds,
        )

    @cached_property
    def thumbnails(self) -> ThumbnailLinks:
        from chalicelib.intake.thumbnail_links import ThumbnailLinks

        return ThumbnailLinks(
            self.objects.address(),
            self.clients.region,
            lambda: self.clients.session.get_credentials().get_frozen_credentials(),
            self.now,
            self.settings.thumbnail_expires_seconds,
        )

    @cached_property
    def health(self) -> Health:
        from chalicelib.expressions import Key
        from chalicelib.health import Health
        from chalicelib.table import Table

        table = Table(self.clients.make("dynamodb", **QUICK), self.settings.table)
        objects = self._objects(self.clients.make("s3", **QUICK, **OWN_REGION))
        nothing = Key("~health", "health")  # a key that never exists
        return Health({"table": lambda: table.get(nothing), "bucket": objects.reach}, self.now)

    @cached_property
    def rate_limiter(self) -> RateLimiter:
        from chalicelib.access.rate_limiter import RateLimiter

        return RateLimiter(self.table, self.now, self.settings.rate_limit)

    @cached_property
    def idempotency_keys(self) -> IdempotencyKeys:
        from chalicelib.access.idempotency_keys import IdempotencyKeys

        return IdempotencyKeys(self.table, self.now)

    @cached_property
    def tokens(self) -> Tokens:
        from chalicelib.access.tokens import Tokens

        return Tokens(self.table, self.now)

    @cached_property
    def multipart_uploads(self) -> MultipartUploads:
        from chalicelib.intake.multipart_uploads import MultipartUploads

        return MultipartUploads(self._s3, self.settings.bucket)

    @cached_property
    def images(self) -> Images:
        from chalicelib.library.images import Images

        return Images(self.table, self.now)

    @cached_property
    def labels(self) -> Catalogue:
        from chalicelib.library.catalogue import Catalogue

        return Catalogue(self.table)

    @cached_property
    def search(self) -> Search:
        from chalicelib.library.search import Search

        return Search(self.table)

    @cached_property
    def secret(self) -> DeploymentSecret:
        from chalicelib.library.deployment_secret import DeploymentSecret

        return DeploymentSecret(self.table)

    @cached_property
    def usage(self) -> Usage:
        from chalicelib.library.usage import Usage

        return Usage(self.table)

    @cached_property
    def recognition_cache(self) -> RecognitionCache:
        from chalicelib.library.recognition_cache import RecognitionCache

        return RecognitionCache(self.table, self.now)

    @cached_property
    def markers(self) -> Markers:
        from chalicelib.library.markers import Markers

        return Markers(self.table, self.now)

    @cached_property
    def history(self) -> History:
        from chalicelib.library.history import History

        return History(self.table)

    @cached_property
    def jobs(self) -> Jobs:
        from chalicelib.library.jobs import Jobs

        return Jobs(self.table, self.now)

    @cached_property
    def lines(self) -> Lines:
        from chalicelib.library.job_lines import Lines

        return Lines(self.table, self.now)

    @cached_property
    def sources(self) -> Sources:
        from chalicelib.intake.source_buckets import Sources

        return Sources(self._s3, self.settings.bucket)

    @cached_property
    def governor(self) -> Governor:
        from chalicelib.recognition.governor import Governor

        return Governor(self.table, self.now)

    @cached_property
    def manifests(self) -> Manifests:
        from chalicelib.library.manifests import Manifests

        return Manifests(self.table, self.now)

    @cached_property
    def renames(self) -> Renames:
        from chalicelib.library.renames import Renames

        return Renames(self.table, self.now)

    @cached_property
    def deliveries(self) -> Deliveries:
        from chalicelib.delivery.delivery_log import Deliveries

        return Deliveries(self.table, self.now)

    @cached_property
    def due(self) -> DueIndex:
        from chalicelib.due import DueIndex

        return DueIndex(self.table, self.now)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        from chalicelib.delivery.subscriptions import Subscriptions

        return Subscriptions(self.table, self.now)

    @cached_property
    def breakers(self) -> Breakers:
        from chalicelib.delivery.breakers import Breakers

        return Breakers(self.table, self.now)

    @cached_property
    def origins(self) -> Origins:
        from chalicelib.delivery.origins import Origins

        return Origins(self.table, self.now, self.settings.unconfirmed_per_hour)

    @cached_property
    def keyring(self) -> Keyring:
        from chalicelib.delivery.keyring import Keyring
        from chalicelib.delivery.root_key import RootKey

        root = RootKey(
            lambda: self.clients.make("ssm"), self.settings.signing_root, self.settings.signing_kms_key
        )
        return Keyring(self.table, root, self.now)

    @cached_property
    def integration_address(self) -> NamedSecret:
        from chalicelib.delivery.destinations import integration_address

        named = self.settings.integration_url
        return integration_address(named, lambda: self.clients.make("secretsmanager"), self.now)

    @cached_property
    def metrics(self) -> Metrics:
        from chalicelib.metrics import Metrics

        return Metrics(self.settings.stage, self.now)

    @cached_property
    def uploads_queue(self) -> Queue:
        from chalicelib.queues import Queue

        return Queue(self._sqs, self.settings.uploads_queue_url)

    @cached_property
    def jobs_queue(self) -> Queue:
        from chalicelib.queues import Queue

        return Queue(self._sqs, self.settings.jobs_queue_url)

    @cached_property
    def deliveries_queue(self) -> Queue:
        from chalicelib.queues import Queue

        return Queue(self._sqs, self.settings.deliveries_queue_url)

    @cached_property
    def _s3(self) -> Any:
        return self.clients.make("s3", **OWN_REGION)

    @cached_property
    def _sqs(self) -> Any:
        return self.clients.make("sqs")

    @cached_property
    def topic(self) -> Topic:
        from chalicelib.queues import Topic

        return Topic(self.clients.make("sns"), self.settings.topic_arn)

    @cached_property
    def outbound(self) -> Outbound:
        from chalicelib.outbound import Outbound

        return Outbound(
            allow_private=self.settings.allow_private_urls, allowed_ports=self.settings.allowed_ports
        )

    @cached_property
    def recogniser(self) -> Recogniser:
        """The chosen recogniser; only functions that recognise load its module."""
        from chalicelib.recognition.back_ends import BackEnds

        back_ends = BackEnds(
            self.settings,
            self.clients,
            throttled=lambda: self.governor.throttled(),
            outbound=lambda: self.outbound,
            read=lambda key, most: self.objects.read(key, max_bytes=most).content,
            now=self.now,
        )
        return back_ends.named(self.settings.recogniser)


@functools.lru_cache(maxsize=1)
def services() -> Services:
    """This process's services."""
    return Services(settings())
