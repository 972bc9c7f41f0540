"""A world whose buckets are moto's: its own, and somebody's with photos that a job is to label."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.intake.multipart_uploads import MultipartUploads
from chalicelib.intake.objects import ObjectStore
from chalicelib.intake.source_buckets import Sources
from chalicelib.model import Json, Label
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.services import FakeOutbound
from tests.fakes.world import World

OWN, THEIRS = "test-bucket", "somebodys-photos"


def world_of_buckets(s3: Any) -> Any:
    """The world, with both buckets made by the client ``s3``; each call of its recogniser costs a call."""
    for bucket in (OWN, THEIRS):
        s3.create_bucket(Bucket=bucket)
    world: Any = World(RECOGNISER="rekognition")
    world.s3 = s3
    world.objects = ObjectStore(s3, OWN, upload_seconds=60, download_seconds=60)
    world.multipart_uploads = MultipartUploads(s3, OWN)
    world.sources = Sources(s3, OWN)
    world.outbound = FakeOutbound()
    world.recogniser = FakeRecogniser(Label("Cat", 93.0))
    world.recogniser.rest = {"calls": {"rekognition:labels": 1}}
    return world


def results_of(world: Any, job_id: str, owner: str = "default") -> list[Json]:
    """The lines of a job's results, as its owner downloads them."""
    body = world.s3.get_object(Bucket=OWN, Key=f"jobs/~{owner}/{job_id}/results.jsonl")["Body"].read()
    return [json.loads(line) for line in body.decode().splitlines()]
