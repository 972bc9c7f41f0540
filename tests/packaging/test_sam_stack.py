"""The SAM application, created in moto's CloudFormation and at work; and created in the emulator's."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator

import pytest

from local.config import ROOT
from local.http_server import Server
from local.moto_server import LocalAws
from local.partner import PATH, Partner
from tests.emulator.emulator import Emulator
from tests.packaging import sam_stack
from tests.packaging.cloud import quiet
from tests.packaging.conftest import SamApp
from tests.packaging.journey import Stage, started
from tests.packaging.workbench import Workbench

ACCOUNT = "666666666666"  # in the emulator
CAT = (ROOT / "photos" / "chelsea.jpg").read_bytes()
FUNCTIONS = (
    "api_handler",
    "check_token",
    "on_upload_message",
    "on_image_change",
    "on_job_message",
    "on_sns_message",
    "on_sqs_message",
    "sweep",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outputs(sam: SamApp, aws: LocalAws, office: Server) -> dict[str, str]:
    name = "sightline-sam-integration"
    aws.client("secretsmanager").create_secret(Name=name, SecretString=office.url + PATH)
    parameters = {"Stage": "sam", "UploadTrigger": "queue", "IntegrationSecret": name}
    return sam_stack.create(sam.transformed, sam.folder / "deployment.zip", aws, parameters)


@pytest.fixture(scope="module")
def at_work(
    outputs: dict[str, str],
    aws: LocalAws,
    bench: Workbench,
    partner: Partner,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    quiet(aws, outputs["Bucket"])
    functions = {
        name: aws.client("lambda").get_function(
            FunctionName="sightline-sam" + ("" if name == "api_handler" else f"-{name}")
        )
        for name in FUNCTIONS
    }
    with started(functions, outputs, aws, bench, tmp_path_factory.mktemp("sam"), partner) as running:
        yield running


def test_from_upload_to_xml_by_way_of_the_bucket_the_topic_and_the_queue(at_work: Stage) -> None:
    image_id = at_work.upload("cat.jpg", CAT)

    assert at_work.drain("UploadsQueue", "on_upload_message") >= 1
    assert at_work.hear() == 1
    assert at_work.drain("DeliveriesQueue", "on_sqs_message") == 1

    answer = at_work.request("GET", f"/images/{image_id}")
    seen = json.loads(answer["body"])
    assert seen["status"] == "labelled"
    assert "Cat" in [label["name"] for label in seen["labels"]]
    assert image_id in at_work.partner.received[-1].xml


def test_every_queue_feeds_its_function(outputs: dict[str, str], aws: LocalAws) -> None:
    mappings = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    fed = {
        one["FunctionArn"].rpartition(":")[2]: one["EventSourceArn"]
        for one in mappings
        if ":sightline-sam-" in one["FunctionArn"]
    }
    assert fed == {
        "sightline-sam-on_upload_message": outputs["UploadsQueueArn"],
        "sightline-sam-on_image_change": outputs["TableStreamArn"],
        "sightline-sam-on_job_message": outputs["JobsQueueArn"],
        "sightline-sam-on_sqs_message": outputs["DeliveriesQueueArn"],
    }


def test_the_stage_is_healthy_and_its_sweep_runs(at_work: Stage) -> None:
    assert at_work.request("GET", "/health")["statusCode"] == 200
    at_work.tick()
    assert at_work.outputs["Bucket"] == "sightline-sam-123456789012"


def test_a_resource_that_nobody_makes_is_refused() -> None:
    with pytest.raises(ValueError, match="Nothing offline makes Walk"):
        sam_stack.refuse_the_unknown({"Walk": {"Type": "AWS::Moon::Walk"}})


def test_nothing_is_left_out_that_is_not_there(sam: SamApp) -> None:
    assert set(sam_stack.LEFT_OUT) <= {one["Type"] for one in sam.transformed["Resources"].values()}


def test_the_emulators_cloudformation_makes_all_of_it(sam: SamApp, emulator: Emulator) -> None:
    """As it stands, with roles, permissions, alarms and the API, which moto's leaves out."""
    cloudformation = emulator.client(ACCOUNT, "cloudformation")
    upload(emulator, sam)
    cloudformation.create_stack(
        StackName="sightline-sam",
        TemplateURL="https://s3.eu-west-1.amazonaws.com/code/sam.json",
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": "Stage", "ParameterValue": "sam"},
            {"ParameterKey": "UploadTrigger", "ParameterValue": "queue"},
        ],
    )
    assert settled(emulator) == "CREATE_COMPLETE", why(emulator)
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName="sightline-sam")
    made = {one["LogicalResourceId"] for page in pages for one in page["StackResourceSummaries"]}
    wanted = {name for name, one in sam.transformed["Resources"].items() if "Condition" not in one}
    assert not wanted - made

    functions = emulator.client(ACCOUNT, "lambda").list_functions()["Functions"]
    assert len(functions) == len(FUNCTIONS)


def upload(emulator: Emulator, sam: SamApp) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("app.py", "")
    where = {"LocationConstraint": "eu-west-1"}
    s3 = emulator.client(ACCOUNT, "s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration=where)
    s3.put_object(Bucket="code", Key="deployment.zip", Body=code.getvalue())
    s3.put_object(Bucket="code", Key="sam.json", Body=json.dumps(sam.transformed).encode())


def settled(emulator: Emulator) -> str:
    """The stack's status, once it is at rest."""
    cloudformation, end = emulator.client(ACCOUNT, "cloudformation"), time.monotonic() + 60
    while True:
        [stack] = cloudformation.describe_stacks(StackName="sightline-sam")["Stacks"]
        status: str = stack["StackStatus"]
        if not status.endswith("IN_PROGRESS") or time.monotonic() > end:
            return status
        time.sleep(0.1)


def why(emulator: Emulator) -> str:
    """What CloudFormation says that it could not make."""
    events = emulator.client(ACCOUNT, "cloudformation").describe_stack_events(StackName="sightline-sam")
    return "\n".join(
        f"{one['LogicalResourceId']} ({one['ResourceType']}): {one.get('ResourceStatusReason')}"
        for one in events["StackEvents"]
        if "FAILED" in one["ResourceStatus"]
    )
