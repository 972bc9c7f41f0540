"""A burst: thousands of images lie in the bucket at once, and the offline stack's runtime labels them all.

Every trigger is the app's own and every call to AWS goes over HTTP, to two processes that stand in for it:
the table is half of the work. What is measured of this process is the runtime's and the service's alone.
Nobody is told of the results but a queue that counts them: deliveries have a part of their own.
"""

from __future__ import annotations

import importlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.clients import USER_AGENT
from chalicelib.library.query import Query
from chalicelib.library.streams import TOP
from chalicelib.model import DEFAULT_OWNER, Image
from chalicelib.wiring import Services, services
from local.config import Ports, enter, environment, mapping_of
from local.function_process import deployed
from local.loopback import ACCOUNT, HOST, REGION
from local.runtime import Runtime
from tests.intake.measure import peak
from torture.crowd import ANIMAL, Crowd, photos
from torture.figures import Figures, at_most, exactly, noted
from torture.mirror import MirroredShard
from torture.server import TRIGGER, aws_apart

IMAGES = 10_000
PAGE = 1_000
LONGEST_SECONDS = 3_600.0
# What the runtime holds at a time are the events at work, as many as its triggers let through; so it may
# not need more for ten thousand images than for the first thousand, but for what Python does not give back.
MOST_MIB = 512
MOST_GROWTH_MIB = 64

Client = Callable[[str], Any]


def run(seed: int, scale: float) -> Figures:
    """Drop 10,000 images (where ``scale`` is 1) and look at what has become of them."""
    images = max(10, round(IMAGES * scale))
    with _stage() as client:
        told = _listener(client)
        dropped = _timed(lambda: _drop(images, seed, client))
        crowd = Crowd(services().settings.uploads_concurrency, early=images // 10, peak=peak)
        services().recogniser = crowd
        app = importlib.import_module("app").app
        runtime = Runtime(
            app,
            client,
            function_of=lambda name: deployed(app, name),
            mapping_of=mapping_of,
            shard_of=lambda table: MirroredShard(table, client("dynamodb"), client("dynamodbstreams")),
        )
        with runtime:
            took = _timed(lambda: runtime.wait_until_idle(LONGEST_SECONDS))
        memory = peak()
        return [
            noted("images", images),
            noted("dropped in", dropped, "s"),
            noted("labelled in", took, "s"),
            noted("images a second", images / took),
            *_images(images, services()),
            exactly("recogniser calls", crowd.calls, images),
            exactly("recognised at once, at most", crowd.most, services().settings.uploads_concurrency),
            exactly("results told", _depth(client, told), images),
            exactly("dead letters", sum(_depth(client, url) for url in _dead(client)), 0),
            at_most("memory of service and runtime", memory, MOST_MIB, "MiB"),
            at_most("growth after the first tenth", memory - crowd.early_peak, MOST_GROWTH_MIB, "MiB"),
        ]


@contextmanager
def _stage() -> Iterator[Client]:
    """A stage whose table lies in one process and all else in another; clients for looking at it."""
    with ExitStack() as running:
        aws, table = (running.enter_context(aws_apart()) for _ in range(2))
        variables = environment(Ports(aws=aws), trigger=TRIGGER, auth="none")
        enter(
            {
                **variables,
                "AWS_ENDPOINT_URL_DYNAMODB": f"http://{HOST}:{table}",
                "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": f"http://{HOST}:{table}",
                "INTEGRATION_URL": "",
                "LOG_LEVEL": "ERROR",
            }
        )
        session = boto3.session.Session(region_name=REGION)
        made: dict[str, Any] = {}

        def client(service: str) -> Any:
            if service not in made:
                made[service] = session.client(service, config=Config(max_pool_connections=50, **USER_AGENT))
            return made[service]

        yield client


def _drop(images: int, seed: int, client: Client) -> None:
    s3, bucket, photo = client("s3"), services().settings.bucket, photos(seed)

    def put(number: int) -> None:
        s3.put_object(Bucket=bucket, Key=f"uploads/IMG_{number:04}.png", Body=photo(number))

    with ThreadPoolExecutor(4) as droppers:
        list(droppers.map(put, range(images)))


def _listener(client: Client) -> str:
    """A queue that gets everything that is told; its URL."""
    url: str = client("sqs").create_queue(QueueName="listener")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:listener"
    client("sns").subscribe(TopicArn=services().settings.topic_arn, Protocol="sqs", Endpoint=arn)
    return url


def _dead(client: Client) -> list[str]:
    found = client("sqs").list_queues()["QueueUrls"]
    return [url for url in found if url.endswith("-dead")]


def _depth(client: Client, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _images(images: int, of: Services) -> Figures:
    listed = list(_listed(of))
    keys = Counter(image.key for image in listed)
    done = {image.key for image in listed if image.status == "labelled" and image.result == 1}
    catalogue = of.labels.by_name(DEFAULT_OWNER, prefix="", limit=200, after=None)
    counts = {one.name: one.count for one in catalogue.counts}
    expected = Counter(name.lower() for image in listed for name in _names(image))
    today = of.usage.days(DEFAULT_OWNER, "2000", "3000", most=10)
    return [
        exactly("images lost", images - len(done), 0),
        exactly("images doubled", sum(number - 1 for number in keys.values()), 0),
        exactly("counted labels that are wrong", len(set(counts.items()) ^ set(expected.items())), 0),
        exactly(f"counted as {ANIMAL.lower()}", counts.get(ANIMAL.lower(), 0), images),
        exactly("counted in the day's usage", sum(day.images for day in today), images),
    ]


def _names(image: Image) -> set[str]:
    return {name for label in image.labels for name in (label.name, *label.parents)}


def _listed(of: Services) -> Iterator[Image]:
    """Every image of the library, as its listing gives them."""
    at: str | None = TOP
    while at is not None:
        page = of.search.page(DEFAULT_OWNER, Query(), limit=PAGE, at=at)
        yield from page.images
        at = page.next_at
