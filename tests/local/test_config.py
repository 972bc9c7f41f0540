"""The configuration that Chalice deploys by, and what the offline stack makes of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import local
from chalicelib.settings import Settings
from infra import project
from infra.policies import Location, narrowed, substituted
from local.config import ROOT, Ports, enter, environment, mapping_of, stage_config
from local.provision import TEMPLATE
from local.stream_reader import EventSourceMapping
from local.template_reader import Names, Template

ACCOUNTS = {"local": "123456789012", "dev": "000000000000", "prod": "000000000000"}
GIVEN_FOR_ALL = (
    "rekognition:DetectLabels",
    "rekognition:DetectModerationLabels",
    "rekognition:DetectText",
    "dynamodb:ListStreams",
)
FUNCTIONS = (
    "api_handler",
    "check_token",
    "on_s3_upload",
    "on_upload_message",
    "on_image_change",
    "on_job_message",
    "on_sns_message",
    "on_sqs_message",
    "sweep",
)


def policies() -> Iterator[tuple[str, dict[str, object]]]:
    for function in FUNCTIONS:
        path = ROOT / ".chalice" / stage_config(function).iam_policy_file
        for statement in json.loads(path.read_text())["Statement"]:
            yield function, statement


@pytest.mark.parametrize("stage", ACCOUNTS)
def test_every_stage_gives_the_app_all_that_it_needs(stage: str) -> None:
    Settings.read(stage_config("api_handler", stage=stage).environment_variables)


@pytest.mark.parametrize("stage", ACCOUNTS)
def test_the_names_in_a_stage_are_those_that_the_template_makes(stage: str) -> None:
    refs = {"Stage": stage, "UploadTrigger": "s3", "AWS::AccountId": ACCOUNTS[stage], "AWS::Partition": "aws"}
    template = Template.load(TEMPLATE)
    logical = {name: name for name in template.resources}
    made = template.resolved(
        Names(
            {**refs, **logical}, {f"{name}.{one}": name for name in logical for one in ("Arn", "StreamArn")}
        )
    )

    chosen = Settings.read(stage_config("api_handler", stage=stage).environment_variables)

    assert chosen.bucket == made["Bucket"]["BucketName"]
    assert chosen.table == made["Table"]["TableName"]
    assert chosen.topic_arn.rpartition(":")[2] == made["LabelledTopic"]["TopicName"]
    assert chosen.uploads_queue == made["UploadsQueue"]["QueueName"]
    assert chosen.table_stream_arn.split("/")[1] == made["Table"]["TableName"]
    assert chosen.jobs_queue == made["JobsQueue"]["QueueName"]
    assert chosen.deliveries_queue == made["DeliveriesQueue"]["QueueName"]


def test_every_function_of_the_app_has_a_policy_memory_and_a_timeout() -> None:
    script = (
        "import app; print(*[one.name for one in (*app.app.event_sources, *app.app.builtin_auth_handlers)])"
    )
    variables = {**os.environ, **environment(Ports())}

    ran = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", script], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )

    assert {"api_handler", *ran.stdout.split()} == set(FUNCTIONS)
    for function in FUNCTIONS:
        config = stage_config(function)
        assert (ROOT / ".chalice" / config.iam_policy_file).is_file()
        assert config.lambda_memory_size >= 256
        assert config.lambda_timeout <= 60


def test_no_policy_allows_everything_of_anything() -> None:
    for function, statement in policies():
        actions, resources = statement["Action"], statement["Resource"]
        assert isinstance(actions, list)
        assert not [action for action in actions if "*" in action], function
        # These know no resources; everything else is narrowed to this app's names.
        boundless = [action for action in actions if action not in GIVEN_FOR_ALL]
        assert resources != ["*"] or not boundless, function


def test_pollers_may_poll_their_queue_and_no_other() -> None:
    polled = {
        function: statement["Resource"] for function, statement in policies() if statement["Sid"] == "Poll"
    }

    assert polled == {
        "on_upload_message": ["arn:aws:sqs:*:*:sightline-*-uploads"],
        "on_image_change": ["arn:aws:dynamodb:*:*:table/sightline-*/stream/*"],
        "on_job_message": ["arn:aws:sqs:*:*:sightline-*-jobs"],
        "on_sqs_message": ["arn:aws:sqs:*:*:sightline-*-deliveries"],
    }


def test_a_key_of_the_stages_own_is_for_those_alone_who_read_what_it_encrypts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/0f343b09-3112-6a20"
    stage = project.Stage("dev", "s3")
    monkeypatch.setattr(project, "on_disk", lambda root: with_variables(SIGNING_KMS_KEY=key))
    place = Location("aws", "eu-west-1", "123456789012", "dev")
    users = set()
    for function in FUNCTIONS:
        for policy in (narrowed(stage.policy(function), place), substituted(stage.policy(function))):
            for statement in policy["Statement"]:
                if statement["Sid"] == "SigningKey":
                    users.add(function)
                    assert statement["Action"] == ["kms:Decrypt", "kms:Encrypt"]
                    assert statement["Resource"] == [key]
                    through = {"kms:ViaService": "ssm.eu-west-1.amazonaws.com"}
                    assert statement["Condition"] == {"StringEquals": through}
    assert users == {"api_handler", "on_sqs_message"}


def test_buckets_that_are_named_may_be_read_by_those_who_work_for_jobs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = project.Stage("dev", "s3")
    variables = with_variables(SOURCE_BUCKETS="holidays, archive/2025/")
    monkeypatch.setattr(project, "on_disk", lambda root: variables)
    place = Location("aws-cn", "cn-north-1", "123456789012", "dev")
    allowed = {
        function: {
            one["Sid"]: one["Resource"] for one in narrowed(stage.policy(function), place)["Statement"]
        }
        for function in FUNCTIONS
    }
    readers = {function for function, statements in allowed.items() if "Sources" in statements}
    assert readers == {"on_upload_message", "on_job_message"}
    for function in readers:
        objects = ["arn:aws-cn:s3:::holidays/*", "arn:aws-cn:s3:::archive/2025/*"]
        assert allowed[function]["Sources"] == objects
        assert allowed[function]["ListSources"] == ["arn:aws-cn:s3:::holidays", "arn:aws-cn:s3:::archive"]
    [sources] = [
        one for one in substituted(stage.policy("on_job_message"))["Statement"] if one["Sid"] == "Sources"
    ]
    assert sources["Resource"][0] == {"Fn::Sub": "arn:${AWS::Partition}:s3:::holidays/*"}


def with_variables(**more: str) -> dict[str, Any]:
    """The configuration, with more variables in the stage dev."""
    whole = json.loads((ROOT / ".chalice" / "config.json").read_text())
    whole["stages"]["dev"]["environment_variables"] |= more
    return dict(whole)


def test_other_ports_are_found_everywhere_they_are_used() -> None:
    moved = environment(Ports(aws=6001, partner=6002))

    assert moved["AWS_ENDPOINT_URL"] == "http://127.0.0.1:6001"
    assert moved["UPLOADS_QUEUE_URL"].startswith("http://127.0.0.1:6001/")
    assert moved["INTEGRATION_URL"] == "http://127.0.0.1:6002/labels"
    assert moved["ALLOWED_PORTS"] == "80,443,6001,6002"
    assert not [value for value in moved.values() if "5055" in value or "5056" in value]


def test_ports_may_change_places() -> None:
    moved = environment(Ports(aws=5056, partner=5055))

    assert moved["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5056"
    assert moved["INTEGRATION_URL"] == "http://127.0.0.1:5055/labels"


def test_the_trigger_can_be_chosen() -> None:
    assert environment(Ports())["UPLOAD_TRIGGER"] == "s3"
    assert environment(Ports(), trigger="queue")["UPLOAD_TRIGGER"] == "queue"


def test_nothing_that_leads_to_a_real_account_is_left() -> None:
    env = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "t", "AWS_ENDPOINT_URL_S3": "https://s3", "HOME": "/h"}

    enter(environment(Ports()), env)

    assert env["HOME"] == "/h"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & set(env)
    assert env["AWS_ACCESS_KEY_ID"] == "local"
    assert env["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_a_mapping_is_as_a_deployment_has_it() -> None:
    changes = mapping_of("on_image_change")
    assert changes.pattern == {"dynamodb": {"Keys": {"sk": {"S": ["record"]}}}}
    assert (changes.partial_batches, changes.bisect, changes.retries) == (True, True, 20)
    assert changes.on_failure == "arn:aws:sqs:eu-west-1:123456789012:sightline-local-changes-dead"
    assert mapping_of("on_sqs_message").partial_batches
    assert mapping_of("sweep") == EventSourceMapping()


def test_every_part_of_the_offline_stack_is_named_where_it_is_introduced() -> None:
    there = {path.stem for path in (ROOT / "local").glob("*.py") if not path.stem.startswith("__")}
    named = set(re.findall(r"``(\w+)``|:mod:`local\.(\w+)`", local.__doc__ or ""))
    assert there == {one or other for one, other in named} - {"__main__"}
