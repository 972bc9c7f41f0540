"""A failure is a failure: each step that can break is broken, and the command says so and ends non-zero.

Holds `infra/__main__.py`, `infra/exit_status.py`, `infra/cloudformation.py`, `infra/data_resources.py`,
`infra/repair_command.py`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint import ManualArgs
from cfnlint.api import lint_file

from local.moto_server import LocalAws
from tests.packaging.cloud import empty_account, quiet_bucket, variables
from tests.packaging.test_deploy import inventory
from tests.packaging.workbench import Workbench, set_up
from tests.thorough import some_of

Json = dict[str, Any]
Ran = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.slow
STAGE = "prod"

# In the order in which a deployment makes them; each run goes on from where the one before broke off.
DEPLOYING = (
    "GetCallerIdentity",
    "ListTopics",
    "CreateStack",
    "UpdateItem",  # the lock
    "ImportRestApi",
    "UpdateEventSourceMapping",
    "PutFunctionRecursionConfig",
    "PutGatewayResponse",
)
# moto's CloudFormation does not retain the table, so that nothing is left to be refused of that.
DESTROYING = ("ListEventSourceMappings", "DeleteFunction", "DeleteStack", "ListObjectsV2", "DeleteBucket")


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """An account of their own."""
    with empty_account() as running:
        yield running


@pytest.fixture(scope="module")
def clone(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("failing")
    yield set_up(folder, {**variables(aws), "WITHOUT_LIBRARIES": "1"})
    shutil.rmtree(folder)


def fails(ran: Ran, *, of_chalice: bool = False) -> str:
    """The one sentence that a command ended with, non-zero; what Chalice said may stand before it."""
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "is up" not in ran.stdout
    lines = ran.stderr.strip().splitlines()
    assert len(lines) == 1 or of_chalice, ran.stderr
    return lines[-1]


def test_every_call_of_a_deployment_that_is_refused_ends_it_and_the_next_goes_on(
    clone: Workbench, aws: LocalAws
) -> None:
    for call in some_of(DEPLOYING):
        ran = clone.infra("deploy", "--stage", STAGE, REFUSED_CALL=call)
        sentence = fails(ran, of_chalice="Functions:" in ran.stdout)
        assert call in sentence or "chalice deploy failed" in sentence or "credentials" in sentence, sentence
    ran = clone.infra("deploy", "--stage", STAGE)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search("prod is up: https://", ran.stdout)
    [api] = aws.client("apigateway").get_rest_apis()["items"]
    assert api["id"] in ran.stdout.rpartition("is up: ")[2]
    found = inventory(aws)
    assert len(found["functions"]) == len(found["roles"]) == 9
    assert len(found["mappings"]) == 4


def test_a_setting_that_the_app_would_not_start_with_is_named_and_nothing_older_is_left(
    clone: Workbench,
) -> None:
    path = clone.project / ".chalice" / "config.json"
    sound = path.read_text()
    broken: Json = json.loads(sound)
    broken["stages"][STAGE]["environment_variables"]["RATE_LIMIT"] = "many"
    for route in ("package-sam", "package-terraform"):
        assert clone.infra(route, "--stage", STAGE).returncode == 0
    path.write_text(json.dumps(broken))
    try:
        for action in ("deploy", "package-sam", "package-terraform"):
            sentence = fails(clone.infra(action, "--stage", STAGE))
            assert "RATE_LIMIT is 'many'; it should hold requests a minute" in sentence
    finally:
        path.write_text(sound)
    assert not (clone.project / "build" / f"sam-{STAGE}").exists()
    assert not (clone.project / "build" / f"terraform-{STAGE}").exists()


@pytest.mark.parametrize("route", ["package-sam", "package-terraform"])
def test_an_app_that_chalice_cannot_read_is_no_package(clone: Workbench, route: str) -> None:
    app = clone.project / "app.py"
    sound = app.read_text()
    app.write_text(sound + "\nraise RuntimeError('broken')\n")
    try:
        sentence = fails(clone.infra(route, "--stage", STAGE), of_chalice=True)
    finally:
        app.write_text(sound)

    assert sentence == "chalice package failed; what it says is above."
    assert not (clone.project / "build" / f"{route.removeprefix('package-')}-{STAGE}").exists()


def test_an_app_that_chalice_cannot_read_is_not_up(clone: Workbench, aws: LocalAws) -> None:
    app = clone.project / "app.py"
    sound = app.read_text()
    app.write_text(sound + "\nraise RuntimeError('broken')\n")
    before = inventory(aws)
    try:
        sentence = fails(clone.infra("deploy", "--stage", STAGE), of_chalice=True)
    finally:
        app.write_text(sound)

    assert sentence == "chalice deploy failed; what it says is above."
    assert inventory(aws) == before


def test_a_redrive_that_is_refused_says_so(clone: Workbench) -> None:
    assert "ReceiveMessage" in fails(clone.infra("redrive", "--stage", STAGE, REFUSED_CALL="ReceiveMessage"))
    assert "STACK=its-name" in fails(clone.infra("redrive", "--stage", STAGE, "--stack", "somebody-elses"))


@pytest.mark.parametrize(
    "words",
    [
        ("local.token_command", "issue", "--stage", STAGE, "--owner", "anna"),
        ("infra.static_page", "--stage", STAGE),
        ("infra.repair_command", "--stage", STAGE, "--owner", "anna"),
    ],
)
def test_what_asks_the_stage_says_that_it_may_not(clone: Workbench, words: tuple[str, ...]) -> None:
    for refused in ("PutItem", "Query", "GetItem", "BatchGetItem", "DescribeStacks", "TransactWriteItems"):
        ran = run_module(clone, *words, REFUSED_CALL=refused)
        if ran.returncode:
            fails(ran)
            return
    pytest.fail(f"{words[0]} makes none of these calls")


def run_module(bench: Workbench, module: str, *words: str, **more: str) -> Ran:
    return bench.run("-m", module, *words, timeout=60, **more)


def test_every_call_of_a_removal_that_is_refused_ends_it_and_the_next_goes_on(
    clone: Workbench, aws: LocalAws
) -> None:
    if not inventory(aws)["buckets"]:
        assert clone.infra("deploy", "--stage", STAGE).returncode == 0
    [bucket] = inventory(aws)["buckets"]
    quiet_bucket(aws, bucket)
    aws.client("s3").put_object(Bucket=bucket, Key="uploads/a.jpg", Body=b"a picture")
    for call in some_of(DESTROYING):
        ran = clone.infra("destroy", "--stage", STAGE, "--delete-images", REFUSED_CALL=call)
        sentence = fails(ran, of_chalice=True)
        assert call in sentence or "chalice delete failed" in sentence, sentence
        assert "Nothing is left" not in ran.stdout
    ran = clone.infra("destroy", "--stage", STAGE, "--delete-images")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert not [name for names in inventory(aws).values() for name in names]


def test_what_cannot_be_removed_is_named(clone: Workbench, aws: LocalAws) -> None:
    """A queue that the stack would have removed, and that somebody made again."""
    url = aws.client("sqs").create_queue(QueueName=f"sightline-{STAGE}-uploads")["QueueUrl"]
    try:
        sentence = fails(clone.infra("destroy", "--stage", STAGE))
    finally:
        aws.client("sqs").delete_queue(QueueUrl=url)

    assert sentence == f"Of prod there is left: queue sightline-{STAGE}-uploads. Run make destroy again."


@pytest.mark.parametrize("kind", ["bucket", "table"])
def test_a_name_that_is_taken_is_said_with_the_two_ways_on(
    clone: Workbench, aws: LocalAws, kind: str
) -> None:
    name = {"bucket": f"sightline-{STAGE}-123456789012", "table": f"sightline-{STAGE}"}[kind]
    if kind == "bucket":
        where = {"LocationConstraint": "eu-west-1"}
        aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
    else:
        aws.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )

    sentence = fails(clone.infra("deploy", "--stage", STAGE))

    assert f"There is the {kind} {name} of an earlier stack, and nothing has been created" in sentence
    assert "kept data" in sentence
    assert f"make destroy STAGE={STAGE} IMAGES=delete" in sentence
    assert clone.infra("destroy", "--stage", STAGE, "--delete-images").returncode == 0
    assert not [one for names in inventory(aws).values() for one in names]


@pytest.mark.parametrize("region", ["eu west 1", "nowhere"])
def test_a_region_that_is_none_is_said(clone: Workbench, region: str) -> None:
    told = {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    assert f"There is no AWS region {region!r}" in fails(clone.infra("deploy", "--stage", STAGE, **told))


def test_what_was_left_can_be_imported_by_a_template_that_stands_by_itself(
    clone: Workbench, tmp_path: Path
) -> None:
    ran = clone.infra("import-template", "--stage", STAGE)
    path = tmp_path / "kept.json"
    path.write_text(ran.stdout)
    template = json.loads(ran.stdout)

    assert set(template["Resources"]) == {"Bucket", "Table"}
    # CloudFormation imports nothing that it is not told what to do with when the stack goes.
    assert {one["DeletionPolicy"] for one in template["Resources"].values()} == {"RetainExceptOnCreate"}
    assert [str(one) for one in lint_file(path, config=ManualArgs(regions=["eu-west-1"]))] == []
