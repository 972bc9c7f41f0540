"""What nobody asked for: messages that are malformed, unknown, or about things that are not there."""

from __future__ import annotations

import json
import random

from chalicelib.delivery.delivery import Delivery
from chalicelib.delivery.destinations import Place
from torture.platform import Platform, Script
from torture.world import World

WINDOW = 900.0
TEST_EVENT = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "photos"})
REMOVED = json.dumps(
    {"Records": [{"eventName": "ObjectRemoved:Delete", "s3": {"object": {"key": "uploads/no"}}}]}
)
FOLDER = json.dumps({"Records": [{"s3": {"object": {"key": "uploads/holiday/"}}}]})
ELSEWHERE = json.dumps({"Records": [{"s3": {"object": {"key": "metadata/cat.png.json"}}}]})
NO_JOB = json.dumps({"job": {"owner": "default", "id": "nobody"}})
NO_DELIVERY = json.dumps(
    Delivery.of("default", "0" * 26, 1, "sightline.image.labelled", "callback", Place("", "")).message()
)
NEITHER = (
    "this is no JSON",
    "[]",
    '{"Records": [{}]}',
    '{"Records": [{"s3": {"object": {}}}]}',
)
# By the function that is to be confused: what it is to ignore, and what can only end as a dead letter.
IGNORED = {
    "on_upload_message": (TEST_EVENT, "{}", REMOVED, FOLDER, ELSEWHERE),
    "on_job_message": (NO_JOB,),
    "on_sqs_message": (NO_DELIVERY,),
}
MALFORMED = {
    "on_upload_message": NEITHER,
    "on_job_message": ("this is no JSON", '{"job": {}}'),
    "on_sqs_message": ("this is no JSON", "{}", "[]"),
}


def scripts(world: World, platform: Platform) -> list[Script]:
    """One that leaves all of these on the queues, at times of its own."""
    chance = random.Random(f"{world.seed}:strangers")  # noqa: S311 - no secret
    bodies = [
        (function, body)
        for kinds in (IGNORED, MALFORMED)
        for function, some in kinds.items()
        for body in some
    ]
    return [_left(platform, function, body, chance.uniform(0, WINDOW)) for function, body in bodies]


def malformed() -> list[str]:
    """The bodies that nobody can handle."""
    return sorted(body for some in MALFORMED.values() for body in some)


def _left(platform: Platform, function: str, body: str, wait: float) -> Script:
    yield wait
    platform.leave(function, body)
