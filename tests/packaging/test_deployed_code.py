"""Upload to XML on the code that was deployed, in processes that have nothing but it and boto3."""

from __future__ import annotations

import json

import pytest

from local.config import ROOT
from tests.packaging.functions import Failed
from tests.packaging.journey import Stage, notification
from tests.packaging.workbench import Workbench

CAT = (ROOT / "photos" / "chelsea.jpg").read_bytes()

pytestmark = pytest.mark.slow


def labelled(stage: Stage, image_id: str) -> dict[str, object]:
    answer = stage.request("GET", f"/images/{image_id}")
    assert answer["statusCode"] == 200, answer
    image: dict[str, object] = json.loads(answer["body"])
    return image


def test_from_upload_to_xml(stage: Stage) -> None:
    image_id = stage.upload("cat.jpg", CAT)

    stage.notify(f"uploads/~default/{image_id}")
    assert stage.hear() == 1
    assert stage.drain("DeliveriesQueue", "on_sqs_message") == 1

    seen = labelled(stage, image_id)
    assert seen["status"] == "labelled"
    assert "Cat" in [label["name"] for label in seen["labels"]]  # type: ignore[attr-defined]
    assert image_id in stage.partner.received[-1].xml
    assert "Cat" in stage.partner.received[-1].xml


def test_the_deployed_functions_write_metrics_of_their_stage(stage: Stage) -> None:
    names = ("on_s3_upload", "on_sqs_message")
    before = {name: len(stage.functions[name].log) for name in names}
    stage.put("uploads/measured.jpg", CAT + b"measured")
    stage.notify("uploads/measured.jpg")
    stage.hear()
    stage.drain("DeliveriesQueue", "on_sqs_message")

    written = {
        name: [
            json.loads(line)
            for line in stage.functions[name].log[before[name] :].splitlines()
            if '"_aws"' in line
        ]
        for name in names
    }

    [labelled, *_] = [line for line in written["on_s3_upload"] if "ImagesLabelled" in line]
    assert (labelled["stage"], labelled["ImagesLabelled"]) == ("dev", 1)
    assert labelled["request_id"]
    assert labelled["image_id"]
    assert [line for line in written["on_s3_upload"] if line.get("recogniser") == "rekognition"]
    ages = [line for line in written["on_sqs_message"] if line.get("queue") == "deliveries"]
    assert ages
    assert 0 <= ages[-1]["MessageAge"] < 120
    assert {line["outcome"] for line in written["on_sqs_message"] if "Deliveries" in line} == {"delivered"}


def test_the_authorizer_lets_known_tokens_in_and_says_unauthorized_of_all_others(stage: Stage) -> None:
    admitted = stage.admitted(f"Bearer {stage.token}")
    [statement] = admitted["policyDocument"]["Statement"]
    assert (statement["Effect"], admitted["context"]["owner"]) == ("Allow", "default")
    assert statement["Resource"] == ["arn:aws:execute-api:eu-west-1:123456789012:api/api/*/*"]
    with pytest.raises(Failed, match="Unauthorized"):
        stage.admitted(f"Bearer {stage.token}x")


def test_a_token_that_is_made_as_the_document_says_opens_the_api(stage: Stage, bench: Workbench) -> None:
    ran = bench.follow("deploy.md", "TOKEN=$(make token OWNER=default STAGE=dev) && echo $TOKEN")

    assert ran.returncode == 0, ran.stderr
    assert stage.admitted(f"Bearer {ran.stdout.strip()}")["context"]["owner"] == "default"


def test_what_lies_on_the_queue_is_labelled_too(stage: Stage) -> None:
    stage.put("uploads/holiday/rocket 1.jpg", (ROOT / "photos" / "rocket.jpg").read_bytes())
    url = stage.aws.client("sqs").get_queue_url(QueueName="sightline-dev-uploads")["QueueUrl"]
    event = notification(stage.outputs["Bucket"], "uploads/holiday/rocket 1.jpg")
    stage.aws.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(event))

    assert stage.drain("UploadsQueue", "on_upload_message") == 1
    stage.project()

    found = json.loads(stage.request("GET", "/images", filename="holiday/rocket 1.jpg")["body"])
    assert [image["status"] for image in found["images"]][:1] == ["labelled"]


def test_the_sweep_runs(stage: Stage) -> None:
    stage.tick()
