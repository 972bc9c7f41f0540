"""What an owner does to the bucket with the aws command, through the running service and by both triggers."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
import requests

from tests.journeys.conftest import Service, eventually, names

pytestmark = pytest.mark.slow
COFFEE = Path(__file__).parents[2] / "photos" / "coffee.jpg"


def aws(service: Service, *words: str) -> None:
    command = shutil.which("aws")
    if command is None:
        pytest.skip("there is no aws command here")
    credentials = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    subprocess.run(  # noqa: S603 - the aws command
        [command, "--endpoint-url", service.s3.meta.endpoint_url, "s3", *words],
        env={**os.environ, **credentials, "AWS_DEFAULT_REGION": "eu-west-1"},
        capture_output=True,
        check=True,
        timeout=60,
    )


def test_a_file_that_is_moved_removed_and_put_back_is_one_image_with_its_corrections(
    service: Service,
) -> None:
    folder = f"s3://{service.bucket}/uploads"
    old, new = (f"{name} {uuid.uuid4().hex}.jpg" for name in ("first é", "then"))
    content = COFFEE.read_bytes() + uuid.uuid4().bytes  # nobody else's bytes
    service.s3.put_object(Bucket=service.bucket, Key=f"uploads/{old}", Body=content)
    image = service.named(old)["id"]
    requests.put(f"{service.api}/images/{image}/labels/Breakfast", timeout=30).raise_for_status()

    aws(service, "mv", f"{folder}/{old}", f"{folder}/{new}")
    moved = eventually(lambda: (one := service.get(f"/images/{image}"))["filename"] == new and one)
    assert "Breakfast" in names(moved)
    eventually(
        lambda: (
            [one["id"] for one in service.get("/images", filename=new)["images"]] == [image]
            and service.get("/images", filename=old)["images"] == []
        )
    )

    aws(service, "rm", f"{folder}/{new}")
    gone = eventually(lambda: (one := service.get(f"/images/{image}"))["status"] == "binned" and one)
    assert gone["missing"]
    assert image in [
        one["id"] for one in eventually(lambda: service.get("/images", status="binned")["images"])
    ]

    service.s3.put_object(Bucket=service.bucket, Key=f"uploads/{new}", Body=content)
    back = eventually(lambda: (one := service.get(f"/images/{image}"))["status"] == "labelled" and one)
    assert names(back) == names(moved)
