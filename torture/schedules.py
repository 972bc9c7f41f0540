"""Schedules of faults: images are led through a cloud that misbehaves by a seed; then all is looked at."""

from __future__ import annotations

import functools
import os
from concurrent.futures import ProcessPoolExecutor

from chalicelib import pipeline
from chalicelib.errors import Transient
from chalicelib.model import ObjectUploaded
from tests.fakes.clock import Clock
from tests.stubs.stage import make_stage
from torture.album import Album
from torture.cloud import Cloud
from torture.figures import Figures, exactly, noted
from torture.invocation import Invocation
from torture.plan import Plan
from torture.seer import Seer
from torture.services import TorturedServices

SCHEDULES = 200
IMAGES = 50
AT_ONCE = 2  # processes


def run(seed: int, scale: float) -> Figures:
    """Run the schedules with the seeds from ``seed`` on; all 200 of them where ``scale`` is 1."""
    seeds = range(seed, seed + max(1, round(SCHEDULES * scale)))
    with ProcessPoolExecutor(min(AT_ONCE, len(seeds)), initializer=prepare) as processes:
        lost = list(processes.map(one, seeds))
    return [
        noted("schedules", len(seeds)),
        noted("images", len(seeds) * IMAGES),
        exactly("images lost", sum(lost), 0),
    ]


def prepare() -> None:
    """Make this process one that schedules can run in."""
    os.environ.update(AWS_EC2_METADATA_DISABLED="true")
    from botocore.retries.standard import ExponentialBackoff

    ExponentialBackoff.delay_amount = lambda self, context: 0  # pauses between tries prove nothing here


def one(seed: int) -> int:
    """Run one schedule; how many images were lost."""
    plan, album = Plan(seed, 0.05), Album(seed)
    contents: dict[str, bytes] = {}
    cloud = Cloud(plan, Seer(seed, 10, album, contents.get))
    clock = Clock()
    environment = make_stage(cloud, "")
    services = TorturedServices(environment, cloud.session(), clock)
    for number in range(IMAGES):
        key = f"uploads/{number}.png"
        contents[key] = album.photo()
        cloud.client("s3").put_object(Bucket=environment["BUCKET"], Key=key, Body=contents[key])
        for _ in range(9):
            try:
                Invocation().run(functools.partial(pipeline.label_image, ObjectUploaded(key), services))
                break
            except Transient:
                clock.forward(100)
    plan.heal()
    records = [services.images.find_by_key(key) for key in contents]
    return sum(1 for one in records if not one or one.image.status != "labelled")
