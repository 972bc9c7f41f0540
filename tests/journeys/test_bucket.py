"""What an owner does to the bucket with tools of others, through the running service and by both triggers."""

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


def run(tool: str, *words: str, **variables: str) -> None:
    command = shutil.which(tool)
    if command is None:
        pytest.skip(f"there is no {tool} command here")
    # rclone 1.60 takes no certificates of this machine's own, and none are needed on the loopback interface.
    inherited = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    subprocess.run(  # noqa: S603 - a tool of others
        [command, *words], env={**inherited, **variables}, capture_output=True, check=True, timeout=60
    )


class Aws:
    """``aws s3``."""

    def __init__(self, service: Service) -> None:
        self._folder = f"s3://{service.bucket}/uploads"
        self._words = ("--endpoint-url", service.s3.meta.endpoint_url, "s3")
        self._variables = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        self._variables["AWS_DEFAULT_REGION"] = "eu-west-1"

    def move(self, old: str, new: str) -> None:
        run("aws", *self._words, "mv", f"{self._folder}/{old}", f"{self._folder}/{new}", **self._variables)

    def remove(self, name: str) -> None:
        run("aws", *self._words, "rm", f"{self._folder}/{name}", **self._variables)


class Rclone:
    """``rclone``, with all that it needs to know in its environment."""

    def __init__(self, service: Service) -> None:
        self._folder = f":s3:{service.bucket}/uploads"
        said = {"PROVIDER": "Other", "ENDPOINT": service.s3.meta.endpoint_url, "REGION": "eu-west-1"}
        said |= {"ACCESS_KEY_ID": "local", "SECRET_ACCESS_KEY": "local"}
        self._variables = {f"RCLONE_S3_{name}": value for name, value in said.items()}

    def move(self, old: str, new: str) -> None:
        run("rclone", "moveto", f"{self._folder}/{old}", f"{self._folder}/{new}", **self._variables)

    def remove(self, name: str) -> None:
        run("rclone", "deletefile", f"{self._folder}/{name}", **self._variables)


@pytest.mark.parametrize("tool", [Aws, pytest.param(Rclone, marks=pytest.mark.nightly)])
def test_a_file_that_is_moved_removed_and_put_back_is_one_image_with_its_corrections(
    service: Service, tool: type[Aws | Rclone]
) -> None:
    bucket = tool(service)
    old, new = (f"{name} {uuid.uuid4().hex}.jpg" for name in ("first é", "then"))
    content = COFFEE.read_bytes() + uuid.uuid4().bytes  # nobody else's bytes
    service.s3.put_object(Bucket=service.bucket, Key=f"uploads/{old}", Body=content)
    image = service.named(old)["id"]
    requests.put(f"{service.api}/images/{image}/labels/Breakfast", timeout=30).raise_for_status()

    bucket.move(old, new)
    moved = eventually(lambda: (one := service.get(f"/images/{image}"))["filename"] == new and one)
    assert "Breakfast" in names(moved)
    eventually(
        lambda: (
            [one["id"] for one in service.get("/images", filename=new)["images"]] == [image]
            and service.get("/images", filename=old)["images"] == []
        )
    )

    bucket.remove(new)
    gone = eventually(lambda: (one := service.get(f"/images/{image}"))["status"] == "binned" and one)
    assert gone["missing"]
    assert image in [
        one["id"] for one in eventually(lambda: service.get("/images", status="binned")["images"])
    ]

    service.s3.put_object(Bucket=service.bucket, Key=f"uploads/{new}", Body=content)
    back = eventually(lambda: (one := service.get(f"/images/{image}"))["status"] == "labelled" and one)
    assert names(back) == names(moved)
