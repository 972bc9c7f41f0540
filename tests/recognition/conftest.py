"""Photos and recognisers that the tests of this room share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from chalicelib.model import Photo
from chalicelib.recognition.hierarchy import Hierarchy
from chalicelib.recognition.onnx import OnnxRecogniser
from tests.stubs.rekognition import RekognitionStub

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
SIZES = {"astronaut": (512, 512), "chelsea": (451, 300), "coffee": (600, 400), "rocket": (640, 427)}


def sample(name: str) -> Photo:
    """One of the project's sample photos, as it would lie in the bucket."""
    content = (ROOT / "photos" / f"{name}.jpg").read_bytes()
    return Photo(content, "image/jpeg", *SIZES[name], "test-bucket", f"uploads/{name}.jpg")


@pytest.fixture(scope="session")
def onnx() -> OnnxRecogniser:
    return OnnxRecogniser(MODELS)


@pytest.fixture(scope="session")
def hierarchy() -> Hierarchy:
    return Hierarchy.load(MODELS / "imagenet_hierarchy.json")


@pytest.fixture
def rekognition_stub() -> Iterator[RekognitionStub]:
    with RekognitionStub() as stub:
        yield stub


@pytest.fixture
def rekognition_client(rekognition_stub: RekognitionStub, aws_credentials: None) -> Iterator[Any]:
    """An unmodified client that speaks to the stub, with little patience and one retry."""
    patience = Config(
        connect_timeout=1, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 2}
    )
    client = boto3.client("rekognition", endpoint_url=rekognition_stub.url, config=patience)
    yield client
    client.close()
