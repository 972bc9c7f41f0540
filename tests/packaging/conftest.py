from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.state import State
from local.http_server import Server
from local.loopback import REGION
from local.moto_server import LocalAws
from local.partner import PATH, Partner
from tests.packaging.cloud import empty_account, quiet, variables
from tests.packaging.journey import Stage, started
from tests.packaging.workbench import Workbench, set_up

Json = dict[str, Any]
OTHER_ORIGIN = "https://photos.example"  # whose pages may use dev, and no other stage


@pytest.fixture(scope="session")
def partner() -> Partner:
    return Partner()


@pytest.fixture(scope="session")
def office(partner: Partner) -> Iterator[Server]:
    with partner.serve(0) as serving:
        yield serving


@pytest.fixture(scope="session")
def bench(aws: LocalAws, office: Server, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    bench = set_up(tmp_path_factory.mktemp("project"), variables(aws))
    path = bench.project / ".chalice" / "config.json"
    config = json.loads(path.read_text())
    named = "sightline-dev-integration"
    aws.client("secretsmanager").create_secret(Name=named, SecretString=office.url + PATH)
    config["stages"]["dev"]["environment_variables"].update(
        INTEGRATION_URL=f"secret:{named}", CORS_ORIGIN=OTHER_ORIGIN
    )
    for stage in ("dev", "prod"):
        # The partner is on this machine.
        config["stages"][stage]["environment_variables"].update(
            ALLOW_PRIVATE_URLS="true", ALLOWED_PORTS=f"80,443,{office.port}"
        )
    path.write_text(json.dumps(config))
    return bench


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with empty_account() as running:
        yield running


@dataclass(frozen=True)
class Deployment:
    """What ``make deploy STAGE=dev`` said and made: functions by their names in ``app.py``, wiring."""

    said: str
    outputs: dict[str, str]
    functions: dict[str, Json]
    mappings: list[Json]
    notifications: Json
    subscriptions: list[Json]
    rules: list[Json]


@pytest.fixture(scope="session")
def deployment(bench: Workbench, aws: LocalAws) -> Deployment:
    ran = bench.follow("deploy.md", "make deploy STAGE=dev")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return described(bench, aws, ran.stdout)


def described(bench: Workbench, aws: LocalAws, said: str = "") -> Deployment:
    """The stage as the account now has it, which may have others too."""
    [stack] = aws.client("cloudformation").describe_stacks(StackName="sightline-dev")["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    remembered = State(aws.client("dynamodb"), outputs["Table"]).resources()
    names = {
        one["name"]: one["lambda_arn"].rpartition(":")[2]
        for one in remembered
        if one["resource_type"] == "lambda_function"
    }
    lambda_ = aws.client("lambda")
    functions = {name: lambda_.get_function(FunctionName=full) for name, full in names.items()}
    notifications = aws.client("s3").get_bucket_notification_configuration(Bucket=outputs["Bucket"])
    return Deployment(
        said,
        outputs,
        functions,
        _of_dev(lambda_.list_event_source_mappings()["EventSourceMappings"], "FunctionArn"),
        {name: one for name, one in notifications.items() if name != "ResponseMetadata"},
        _of_dev(aws.client("sns").list_subscriptions()["Subscriptions"], "TopicArn"),
        _of_dev(aws.client("events").list_rules()["Rules"], "Name"),
    )


def _of_dev(found: list[Json], named: str) -> list[Json]:
    return [one for one in found if "sightline-dev-" in one[named]]


@pytest.fixture(scope="session")
def dev(
    deployment: Deployment,
    aws: LocalAws,
    bench: Workbench,
    partner: Partner,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """The stage at work."""
    quiet(aws, deployment.outputs["Bucket"])
    folder = tmp_path_factory.mktemp("dev")
    with started(deployment.functions, deployment.outputs, aws, bench, folder, partner) as running:
        yield running


@pytest.fixture
def stage(dev: Stage) -> Stage:
    """The same, as if no other test had been at it."""
    dev.forget()
    return dev


@dataclass(frozen=True)
class SamApp:
    """What ``make package-sam`` wrote, and what SAM's translator makes of it."""

    folder: Path
    template: Json
    transformed: Json


@pytest.fixture(scope="session")
def sam(bench: Workbench) -> SamApp:
    ran = bench.follow("deploy.md", "make package-sam STAGE=prod")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    folder = bench.project / "build" / "sam-prod"
    template = json.loads((folder / "sam.json").read_text())
    return SamApp(folder, template, transformed(template))


def transformed(template: Json) -> Json:
    """The template as CloudFormation gets it; ``sam deploy`` would have put the code into a bucket."""
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    uploaded = json.loads(json.dumps(template))
    for one in uploaded["Resources"].values():
        if one["Type"] == "AWS::Serverless::Function":
            one["Properties"]["CodeUri"] = {"Bucket": "code", "Key": "deployment.zip"}
    session = boto3.session.Session("testing", "testing", region_name=REGION)
    known = {name: one["Default"] for name, one in template["Parameters"].items() if "Default" in one}
    translated: Json = Translator({}, Parser(), boto_session=session).translate(uploaded, known)
    return translated


@dataclass(frozen=True)
class Module:
    """What ``make package-terraform`` wrote: all its blocks merged, and the template that it brings along."""

    blocks: Json
    resources: Json


@pytest.fixture(scope="session")
def module(bench: Workbench) -> Module:
    ran = bench.follow("deploy.md", "make package-terraform STAGE=prod")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    folder = bench.project / "build" / "terraform-prod"
    read = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
    blocks: Json = {}
    for name in ("chalice.tf.json", "sightline.tf.json", "sightline_override.tf.json"):
        merge(blocks, read[name])
    return Module(blocks, read["resources.json"])


def merge(into: Json, more: Json) -> None:
    """As Terraform merges a module's files, overrides last."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
