"""The whole service as a process, once for each way in which uploads are noticed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import requests

from local.config import stage_config
from tests.local.process import started

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Service:
    """What a user of the running service has: its address, the bucket, and a look at the partner's desk."""

    api: str
    partner: str
    s3: Any
    bucket: str
    output: str

    def get(self, path: str, **params: Any) -> Any:
        answer = requests.get(self.api + path, params=params, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def create(self, **body: Any) -> Any:
        answer = requests.post(f"{self.api}/images", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def final(self, image_id: str) -> Any:
        return self.get(f"/images/{image_id}", wait=20)

    def named(self, filename: str) -> Any:
        """The image of a file that was dropped into the bucket, as soon as it is final."""
        return eventually(
            lambda: next(
                (
                    one
                    for one in self.get("/images", limit=200)["images"]
                    if one["filename"] == filename and one["status"] in ("labelled", "failed")
                ),
                None,
            )
        )

    def received(self, image_id: str) -> list[Any]:
        """The documents that the partner has of an image."""
        documents = requests.get(f"{self.partner}/received", timeout=30).json()["received"]
        return [one for one in documents if f'id="{image_id}"' in one["xml"]]

    def hooks(self) -> list[Any]:
        """The webhooks that the partner has taken."""
        return list(requests.get(f"{self.partner}/hooks", timeout=30).json()["hooks"])


def eventually(look: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """What ``look`` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
    return found


def names(image: Any) -> set[str]:
    return {label["name"] for label in image["labels"]}


@pytest.fixture(scope="package", params=["s3", "queue"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with started("--trigger", request.param) as process:
        api, aws, partner = (f"http://127.0.0.1:{port}" for port in process.ports)
        local = stage_config("api_handler").environment_variables
        s3 = boto3.client(
            "s3",
            endpoint_url=aws,
            region_name=local["AWS_REGION"],
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        yield Service(api, partner, s3, local["BUCKET"], process.output)
