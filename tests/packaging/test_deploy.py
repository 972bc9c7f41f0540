"""``make deploy`` and ``make destroy`` against moto: what they wire, repeat, leave and remove.

Holds `infra/deployment.py`, `infra/workspace.py`, `infra/chalice_cli.py`, `infra/beyond_chalice.py`,
`infra/event_sources.py`, `infra/gateway.py`, `infra/policies.py`, `infra/checks.py`, `infra/account.py`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chalice.app import (
    DynamoDBEventConfig,
    S3EventConfig,
    ScheduledEventConfig,
    SNSEventConfig,
    SQSEventConfig,
)

from infra import beyond_chalice
from local.moto_server import LocalAws
from tests.packaging.cloud import code_of, new_stream
from tests.packaging.conftest import OTHER_ORIGIN, Deployment
from tests.packaging.test_architecture import only
from tests.packaging.workbench import Workbench, set_up

Json = dict[str, Any]
pytestmark = pytest.mark.slow
STAGE = "prod"  # the tests that change a stage have one to themselves, for other processors
DEPLOY = ("deploy", "--arch", "arm64")
SMALL = {"WITHOUT_LIBRARIES": "1"}  # where only what is wired counts


def sources(kind: type) -> dict[str, Any]:
    """The app's triggers of exactly that kind, by handler."""
    import app

    return {one.name: one for one in app.app.event_sources if type(one) is kind}


def function_of(arn: str) -> str:
    return arn.rpartition(":")[2].removeprefix("sightline-dev-")


# ── what a deployment is ─────────────────────────────────────────────────────────────────────
def test_every_queue_feeds_the_handler_that_names_it(deployment: Deployment) -> None:
    wired = {function_of(one["FunctionArn"]): one for one in deployment.mappings}

    assert set(wired) == set(sources(SQSEventConfig)) | set(sources(DynamoDBEventConfig))
    for name, source in sources(SQSEventConfig).items():
        assert wired[name]["EventSourceArn"].endswith(f":sightline-dev-{source.queue}")
        assert wired[name]["BatchSize"] == source.batch_size
        assert wired[name]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert wired[name]["ScalingConfig"] == {"MaximumConcurrency": source.maximum_concurrency}


def test_the_tables_stream_feeds_the_projection_with_records_alone(
    deployment: Deployment, aws: LocalAws
) -> None:
    [wired] = [one for one in deployment.mappings if "/stream/" in one["EventSourceArn"]]
    [(name, source)] = sources(DynamoDBEventConfig).items()

    assert function_of(wired["FunctionArn"]) == name
    assert wired["EventSourceArn"] == stream_of(aws, deployment.outputs["Table"])
    assert (wired["BatchSize"], wired["MaximumBatchingWindowInSeconds"]) == (source.batch_size, 1)
    assert wired["StartingPosition"] == "TRIM_HORIZON"
    assert_sound(wired, deployment.outputs["ChangesDeadLettersArn"])


def stream_of(aws: LocalAws, table: str) -> str:
    return str(aws.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"])


def assert_sound(mapping: Json, failures: str) -> None:
    """A record that cannot be projected holds its shard up for a bounded time, alone, and is not lost."""
    [one] = mapping["FilterCriteria"]["Filters"]
    assert json.loads(one["Pattern"]) == {"dynamodb": {"Keys": {"sk": {"S": ["record"]}}}}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["ParallelizationFactor"] == 1
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (20, 21_600)
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": failures}}


def test_jobs_may_feed_themselves_and_nobody_else_may(deployment: Deployment, bench: Workbench) -> None:
    assert json.loads((bench.project / "recursion.json").read_text()) == {
        "sightline-dev-on_job_message": "Allow"
    }


def test_the_bucket_tells_the_labeler_of_uploads_and_of_nothing_else(deployment: Deployment) -> None:
    [wired] = deployment.notifications["LambdaFunctionConfigurations"]
    [(name, source)] = sources(S3EventConfig).items()

    assert function_of(wired["LambdaFunctionArn"]) == name
    assert wired["Events"] == source.events
    assert wired["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": source.prefix}]


def test_results_reach_the_fan_out(deployment: Deployment) -> None:
    lambdas = [one for one in deployment.subscriptions if one["Protocol"] == "lambda"]

    assert {function_of(one["Endpoint"]) for one in lambdas} == set(sources(SNSEventConfig))
    assert {one["TopicArn"] for one in lambdas} == {deployment.outputs["TopicArn"]}


def test_the_schedule_is_the_apps(deployment: Deployment) -> None:
    [(name, source)] = sources(ScheduledEventConfig).items()

    schedules = {rule["Name"]: rule["ScheduleExpression"] for rule in deployment.rules}
    assert schedules == {f"sightline-dev-{name}-event": source.schedule_expression}


def test_functions_are_told_what_was_made_for_them(deployment: Deployment) -> None:
    for function in deployment.functions.values():
        told = function["Configuration"]["Environment"]["Variables"]
        assert told["BUCKET"] == deployment.outputs["Bucket"] == "sightline-dev-123456789012"
        assert told["TABLE"] == deployment.outputs["Table"]
        assert told["TOPIC_ARN"] == deployment.outputs["TopicArn"]
        assert told["UPLOADS_QUEUE_URL"] == deployment.outputs["UploadsQueueUrl"]
        assert told["JOBS_QUEUE_URL"] == deployment.outputs["JobsQueueUrl"]
        assert told["DELIVERIES_QUEUE_URL"] == deployment.outputs["DeliveriesQueueUrl"]
        assert told["STAGE"] == "dev"
        assert told["PARTIAL_BATCHES"] == "true"
        assert (
            told["INTEGRATION_URL"] == "secret:sightline-dev-integration"
        )  # by name: the address stays there


def test_what_an_asynchronous_function_cannot_do_is_kept(deployment: Deployment, aws: LocalAws) -> None:
    left = {}
    for kind in (S3EventConfig, SNSEventConfig, ScheduledEventConfig):
        for name in sources(kind):
            config = aws.client("lambda").get_function_event_invoke_config(
                FunctionName=f"sightline-dev-{name}"
            )
            left[name] = config["DestinationConfig"]["OnFailure"]["Destination"].rpartition(":")[2]

    assert left == {
        "on_s3_upload": "sightline-dev-uploads",
        "on_sns_message": "sightline-dev-events-dead",
        "sweep": "sightline-dev-events-dead",
    }


def test_every_role_is_narrowed_to_this_stage(deployment: Deployment, aws: LocalAws) -> None:
    for function in deployment.functions.values():
        role = function["Configuration"]["Role"].rpartition("/")[2]
        for statement in policy_of(aws, role)["Statement"]:
            for resource in statement["Resource"]:
                named = re.search(r"[:/]sightline-dev($|[-:/])", resource)
                assert named or statement["Sid"] in ("Recognise", "FindStreams", "Classify"), (role, resource)


def policy_of(aws: LocalAws, role: str) -> Json:
    [name] = aws.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
    document: Json = aws.client("iam").get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return document


def test_api_gateways_own_answers_are_problems_that_the_chosen_origins_pages_may_read(
    deployment: Deployment, aws: LocalAws
) -> None:
    [api] = re.findall(r"https://(\w+)\.execute-api", deployment.said.partition("dev is up")[2])
    found = aws.client("apigateway").get_gateway_responses(restApiId=api)["items"]

    said = {one["responseType"]: one for one in found}
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "MISSING_AUTHENTICATION_TOKEN"} <= set(said)
    for one in said.values():
        body = one["responseTemplates"]["application/json"]
        problem = json.loads(body.replace("$context.error.messageString", '"Forbidden"'))
        assert problem["type"].startswith("urn:sightline:problem:")
        headers = one["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == f"'{OTHER_ORIGIN}'"


def test_the_address_is_printed(deployment: Deployment) -> None:
    assert re.search(r"dev is up: https://\S+\.execute-api\.eu-west-1\.amazonaws\.com/api/", deployment.said)


def write_page(bench: Workbench, into: Path, **elsewhere: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own
        [str(bench.python), "-m", "infra.static_page", "--stage", "dev", "--into", str(into)],
        cwd=bench.project,
        env={**bench.environment, **elsewhere},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_is_written_for_the_stage_as_it_was_deployed(
    deployment: Deployment, bench: Workbench, aws: LocalAws, tmp_path: Path
) -> None:
    ran = write_page(bench, tmp_path)

    assert ran.returncode == 0, ran.stderr
    page = (tmp_path / "index.html").read_text()
    [address] = re.findall(r"dev is up: (\S+)", deployment.said)
    assert f'<meta name="api" content="{address}">' in page
    assert f"connect-src &#x27;self&#x27; {address.removesuffix('/api/')} {aws.url};" in page


def test_no_page_is_written_for_a_stage_that_is_not_there(
    deployment: Deployment, bench: Workbench, tmp_path: Path
) -> None:
    ran = write_page(bench, tmp_path / "page", AWS_DEFAULT_REGION="eu-north-1", AWS_REGION="eu-north-1")

    assert (ran.returncode, ran.stderr) == (
        1,
        "There is no stage dev in this account and region that make deploy made. "
        "Say API=… and BUCKET_ORIGIN=… then.\n",
    )
    assert not (tmp_path / "page").exists()


def test_the_projects_own_files_stay_as_they_are(deployment: Deployment, bench: Workbench) -> None:
    config = (bench.project / ".chalice" / "config.json").read_text()

    assert "123456789012" not in json.dumps(json.loads(config)["stages"]["dev"])


# ── what becomes of it ───────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def changing(bench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("changing")
    yield set_up(folder, {name: v for name, v in bench.environment.items() if name.startswith("AWS_")})
    shutil.rmtree(folder)


@pytest.fixture
def prod(changing: Workbench, aws: LocalAws) -> Workbench:
    """The stage is up, whatever another test did to it."""
    if not inventory(aws)["functions"]:
        run(changing, *DEPLOY, **SMALL)
    return changing


def run(bench: Workbench, action: str, *more: str, **variables: str) -> str:
    ran = bench.infra(action, "--stage", STAGE, *more, **variables)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def inventory(aws: LocalAws) -> Json:
    """All that belongs to the stage, by kind of thing."""
    ours = f"sightline-{STAGE}"
    lambda_, iam = aws.client("lambda"), aws.client("iam")
    found = {
        "functions": [one["FunctionName"] for one in lambda_.list_functions()["Functions"]],
        "mappings": [
            one["FunctionArn"] for one in lambda_.list_event_source_mappings()["EventSourceMappings"]
        ],
        "roles": [one["RoleName"] for one in iam.list_roles()["Roles"]],
        "rules": [one["Name"] for one in aws.client("events").list_rules()["Rules"]],
        "queues": aws.client("sqs").list_queues().get("QueueUrls", []),
        "topics": [one["TopicArn"] for one in aws.client("sns").list_topics()["Topics"]],
        "subscriptions": [one["Endpoint"] for one in aws.client("sns").list_subscriptions()["Subscriptions"]],
        "buckets": [one["Name"] for one in aws.client("s3").list_buckets()["Buckets"]],
        "tables": aws.client("dynamodb").list_tables()["TableNames"],
    }
    return {kind: sorted(one for one in names if ours in one) for kind, names in found.items()}


def test_arm64_is_what_the_functions_and_their_libraries_are_for(
    changing: Workbench, aws: LocalAws, tmp_path: Path
) -> None:
    run(changing, *DEPLOY)

    for name in inventory(aws)["functions"]:
        described = aws.client("lambda").get_function_configuration(FunctionName=name)
        assert described["Architectures"] == ["arm64"]
    code = tmp_path / "deployment.zip"
    code.write_bytes(code_of("sightline-prod"))
    assert only("arm64", code)


def test_a_table_with_another_stream_gets_another_mapping(prod: Workbench, aws: LocalAws) -> None:
    table = "sightline-prod"
    former = stream_of(aws, table)
    new_stream(table)

    run(prod, *DEPLOY, **SMALL)

    assert stream_of(aws, table) != former
    [reading] = [
        one
        for one in aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        if one["FunctionArn"].endswith("sightline-prod-on_image_change")
    ]
    assert reading["EventSourceArn"] == stream_of(aws, table)
    queues = "arn:aws:sqs:eu-west-1:123456789012:sightline-prod"
    assert_sound(reading, f"{queues}-changes-dead")


def test_a_table_without_a_stream_gets_one(aws: LocalAws) -> None:
    """As a table that was restored from a backup."""
    dynamodb, table = aws.client("dynamodb"), "restored"
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )

    found = beyond_chalice.stream_of(dynamodb, table)

    assert found == stream_of(aws, table) == beyond_chalice.stream_of(dynamodb, table)
    specified = dynamodb.describe_table(TableName=table)["Table"]["StreamSpecification"]
    assert specified["StreamViewType"] == "NEW_AND_OLD_IMAGES"


def test_a_renamed_handler_leaves_nothing_behind(prod: Workbench, aws: LocalAws) -> None:
    app, config = prod.project / "app.py", prod.project / ".chalice" / "config.json"
    app.write_text(app.read_text().replace("def sweep(", "def tidy("))
    config.write_text(config.read_text().replace('"sweep":', '"tidy":'))

    run(prod, *DEPLOY, **SMALL)

    after = json.dumps(inventory(aws))
    assert "tidy" in after
    assert "sweep" not in after


# ── what is refused before anything is created ───────────────────────────────────────────────
@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        (["--stage", "nowhere"], {}, "There is no stage 'nowhere' to deploy"),
        ([], {"AWS_DEFAULT_REGION": "", "AWS_REGION": ""}, "No AWS region is chosen"),
        ([], {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "There are no AWS credentials"),
        ([], {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "AWS cannot be reached"),
    ],
)
def test_one_sentence_says_what_is_missing(
    bench: Workbench, tmp_path: Path, arguments: list[str], variables: dict[str, str], sentence: str
) -> None:
    ran = bench.infra("deploy", "--build", str(tmp_path), *arguments, HOME=str(tmp_path), **variables)

    assert ran.returncode == 1
    assert sentence in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_missing_permissions_are_named(bench: Workbench, aws: LocalAws, tmp_path: Path) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="visitor")
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    denied = {"Effect": "Deny", "Action": ["lambda:*", "sqs:*"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed, denied]})
    iam.put_user_policy(UserName="visitor", PolicyName="some", PolicyDocument=document)
    key = iam.create_access_key(UserName="visitor")["AccessKey"]
    as_visitor = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    ask_for_permission(aws, "0")
    try:
        ran = bench.infra("deploy", "--build", str(tmp_path), **as_visitor)
    finally:
        ask_for_permission(aws, "inf")

    assert ran.returncode == 1
    assert "lambda:ListFunctions" in ran.stderr
    assert "sqs:ListQueues; nothing has been created." in ran.stderr
    assert "dynamodb" not in ran.stderr
    assert not list(tmp_path.iterdir())


def ask_for_permission(aws: LocalAws, after: str) -> None:
    """Have moto look at policies from the call of this number on."""
    request = urllib.request.Request(f"{aws.url}/moto-api/reset-auth", data=after.encode(), method="POST")
    request.add_header("Content-Type", "text/plain")
    request.add_header("Authorization", "as operator")
    urllib.request.urlopen(request, timeout=30).close()
