"""``make deploy`` as it is, against an AWS that enforces rights: up, at work, once more, and gone."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.access.tokens import SCOPES, Tokens
from chalicelib.table import Table
from local.config import ROOT
from tests.emulator import zipped
from tests.emulator.emulator import Emulator
from tests.emulator.recognisers import EnforcedRekognition
from tests.emulator.requests import proxy_event
from tests.packaging.workbench import Workbench, set_up

pytestmark = [pytest.mark.slow, pytest.mark.nightly]
Json = dict[str, Any]
ACCOUNT = "555555555555"
PATIENCE_SECONDS = 90.0
CAT = (ROOT / "photos" / "chelsea.jpg").read_bytes()


def clone(emulator: Emulator, folder: Path) -> Workbench:
    """Somebody's working folder, in which nothing has been deployed yet."""
    folder.mkdir()
    return set_up(folder, emulator.variables(ACCOUNT), faults=None)


def test_a_stage_comes_up_labels_a_photo_is_deployed_by_a_colleague_and_leaves_nothing(
    emulator: Emulator, tmp_path: Path
) -> None:
    bench, colleague = clone(emulator, tmp_path / "mine"), clone(emulator, tmp_path / "another's")
    run(bench, "deploy")
    before, counted = inventory(emulator), once_each(emulator)
    assert all(before.values()), before
    with EnforcedRekognition(emulator) as rekognition:
        around = {"AWS_ENDPOINT_URL_REKOGNITION": rekognition.url}
        with zipped.at_work(emulator, ACCOUNT, "sightline-dev", bench, tmp_path, around):
            label_a_photo(emulator)
    refused = [one for one in emulator.decisions() if one.account == ACCOUNT and not one.allowed]
    assert not refused

    said = run(colleague, "deploy", WITHOUT_LIBRARIES="1")  # nobody runs that zip

    assert inventory(emulator) == before
    assert once_each(emulator) == counted
    assert "Creating lambda function" not in said
    parameters, root = emulator.client(ACCOUNT, "ssm"), "sightline-dev-signing-root"
    parameters.put_parameter(Name=root, Value="0f" * 32, Type="SecureString")  # as the API would
    ran = bench.infra("destroy", "--stage", "dev")
    assert ran.returncode == 1
    assert "There are images in sightline-dev-" in ran.stderr
    assert inventory(emulator) == before
    run(bench, "destroy", "--delete-images")
    assert not {kind: names for kind, names in inventory(emulator).items() if names}
    assert parameters.get_parameters(Names=[root])["Parameters"] == []
    assert not once_each(emulator)["APIs"]
    run(colleague, "destroy")  # and there is nothing left to fail on


def run(bench: Workbench, action: str, *more: str, **told: str) -> str:
    ran = bench.infra(action, "--stage", "dev", *more, **told)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def label_a_photo(emulator: Emulator) -> None:
    """Announced through the API, put where it says, told by the bucket, labelled and shown."""
    tokens = Tokens(Table(emulator.client(ACCOUNT, "dynamodb"), "sightline-dev"), time.time)
    token = tokens.issue("default", SCOPES, days=1)[1]
    made = ask(emulator, token, "POST", "/images", {"filename": "cat.jpg"})
    sent = urllib.request.Request(made["upload"]["url"], data=CAT, method="PUT")
    sent.add_header("Content-Type", "image/jpeg")
    urllib.request.urlopen(sent, timeout=30).close()

    def labelled() -> Json | None:
        image = ask(emulator, token, "GET", f"/images/{made['id']}")
        return image if image["status"] == "labelled" else None

    image = eventually(labelled)
    assert "Cat" in [label["name"] for label in image["labels"]]
    assert eventually(lambda: ask(emulator, token, "GET", "/images", q="cat & animal")["images"])


def ask(
    emulator: Emulator, token: str, method: str, path: str, body: Json | None = None, **query: str
) -> Any:
    """A request through the authorizer and the API's function."""
    event = proxy_event(method, path, body, query)
    arn = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:api/api/GET/images"
    header = {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": arn}
    event["requestContext"]["authorizer"] = invoke(emulator, "sightline-dev-check_token", header)["context"]
    answer = invoke(emulator, "sightline-dev", event)
    assert answer["statusCode"] < 400, answer
    return json.loads(answer["body"])


def invoke(emulator: Emulator, function: str, event: Json) -> Any:
    answer = emulator.client(ACCOUNT, "lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    said = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said


def eventually(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)
    return found


def inventory(emulator: Emulator) -> dict[str, list[str]]:
    """All that belongs to the stage, by kind of thing."""

    def client(service: str) -> Any:
        return emulator.client(ACCOUNT, service)

    found = {
        "functions": [one["FunctionName"] for one in client("lambda").list_functions()["Functions"]],
        "mappings": [
            one["FunctionArn"] for one in client("lambda").list_event_source_mappings()["EventSourceMappings"]
        ],
        "roles": [one["RoleName"] for one in client("iam").list_roles()["Roles"]],
        "rules": [one["Name"] for one in client("events").list_rules()["Rules"]],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "topics": [one["TopicArn"] for one in client("sns").list_topics()["Topics"]],
        "subscriptions": [one["Endpoint"] for one in client("sns").list_subscriptions()["Subscriptions"]],
        "buckets": [one["Name"] for one in client("s3").list_buckets()["Buckets"]],
        "tables": client("dynamodb").list_tables()["TableNames"],
    }
    return {kind: sorted(one for one in names if "sightline" in one) for kind, names in found.items()}


def once_each(emulator: Emulator) -> dict[str, list[str]]:
    """What a second deployment would double where it did not find the first one's, by identity."""
    apis = emulator.client(ACCOUNT, "apigateway").get_rest_apis()["items"]
    mappings = emulator.client(ACCOUNT, "lambda").list_event_source_mappings()["EventSourceMappings"]
    told = (
        emulator.client(ACCOUNT, "s3").get_bucket_notification_configuration(
            Bucket=f"sightline-dev-{ACCOUNT}"
        )
        if apis
        else {}
    )
    return {
        "APIs": [one["id"] for one in apis],
        "mappings": sorted(one["UUID"] for one in mappings),
        "notifications": [one["LambdaFunctionArn"] for one in told.get("LambdaFunctionConfigurations", [])],
    }
