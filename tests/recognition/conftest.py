"""Photos and recognisers that the tests of this room share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config

from chalicelib.aws import Patience
from chalicelib.model import Photo
from chalicelib.outbound import Outbound
from chalicelib.recognition.bedrock import BedrockRecogniser
from chalicelib.recognition.hierarchy import Hierarchy
from chalicelib.recognition.onnx import OnnxRecogniser
from chalicelib.recognition.openai import OpenAiRecogniser
from chalicelib.recognition.prompt import Prompt
from chalicelib.recognition.sagemaker import SageMakerRecogniser
from local.http_server import Server
from local.sagemaker_endpoint import Endpoint, unpacked
from sagemaker.package import pack, specification
from tests.stubs.rekognition import RekognitionStub
from tests.stubs.vision import BedrockStub, OpenAiStub

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
def client_of(aws_credentials: None) -> Iterator[Callable[[str, str], Any]]:
    """Makes an unmodified client of a service at a URL, which waits half a second and tries once."""
    config = Config(
        connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 1}
    )
    with contextlib.ExitStack() as opened:

        def made(service: str, url: str) -> Any:
            client = boto3.client(service, endpoint_url=url, config=config)
            opened.callback(client.close)
            return client

        yield made


@pytest.fixture
def rekognition_client(rekognition_stub: RekognitionStub, client_of: Callable[[str, str], Any]) -> Any:
    return client_of("rekognition", rekognition_stub.url)


class Pauses:
    """Remembers how long it was asked to sleep, and does not."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def patience(pauses: Pauses) -> Patience:
    """What the adapters have when deployed, but for calls of at most a second and a few tries."""
    return Patience(call_seconds=1.0, sleep=pauses, most_tries=3)


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The embedded classifier, packed for SageMaker by the project's script and unpacked again."""
    archive = tmp_path_factory.mktemp("sagemaker") / "model.tar.gz"
    pack(MODELS / "efficientnet_lite0_int8.onnx", specification("efficientnet_lite0"), archive)
    with unpacked(archive) as folder:
        yield folder


@pytest.fixture(scope="session")
def served(packed: Path) -> Iterator[Server]:
    """The endpoint ``sightline-test`` with the embedded classifier, over HTTP."""
    with Endpoint("sightline-test", packed).serve(0) as server:
        yield server


@pytest.fixture
def runtime(served: Server, aws_credentials: None) -> Iterator[Any]:
    """An unmodified client of that endpoint."""
    client = boto3.client("sagemaker-runtime", endpoint_url=served.url)
    yield client
    client.close()


@pytest.fixture
def endpoint(runtime: Any, patience: Patience) -> SageMakerRecogniser:
    return SageMakerRecogniser(runtime, "sightline-test", MODELS, patience)


@pytest.fixture
def openai_stub() -> Iterator[OpenAiStub]:
    with OpenAiStub() as stub:
        yield stub


@pytest.fixture
def openai(openai_stub: OpenAiStub, patience: Patience) -> OpenAiRecogniser:
    door = Outbound(allow_private=True, allowed_ports=frozenset())
    url = f"{openai_stub.url}/v1/"
    return OpenAiRecogniser(door, url, "stub", lambda: "", Prompt, patience)


@pytest.fixture
def bedrock_stub() -> Iterator[BedrockStub]:
    with BedrockStub() as stub:
        yield stub


@pytest.fixture
def bedrock(
    bedrock_stub: BedrockStub, client_of: Callable[[str, str], Any], patience: Patience
) -> BedrockRecogniser:
    client = client_of("bedrock-runtime", bedrock_stub.url)
    return BedrockRecogniser(client, "eu.amazon.nova-lite-v1:0", Prompt, patience)


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session
