"""The SAM application: transformed, linted, and read for what no linter sees."""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint import ManualArgs
from cfnlint.api import lint_file

from chalicelib import metrics
from tests.packaging.conftest import SamApp
from tests.packaging.test_deploy import assert_sound
from tests.packaging.workbench import Workbench

Json = dict[str, Any]
pytestmark = pytest.mark.slow
QUEUES = ("UploadsQueue", "JobsQueue", "DeliveriesQueue")


def of_type(template: Json, kind: str) -> dict[str, Json]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == kind}


def references(value: Any) -> Iterator[str]:
    """Every name that ``Ref``, ``Fn::GetAtt`` or ``Fn::Sub`` asks for."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "Ref":
                yield one
            elif key == "Fn::GetAtt":
                yield one[0] if isinstance(one, list) else one.split(".")[0]
            elif key == "Fn::Sub":
                text, known = (one, {}) if isinstance(one, str) else one
                names = (name.split(".")[0] for name in re.findall(r"\$\{([^}!]+)\}", text))
                yield from (name for name in names if name not in known)
                yield from references(known)
            else:
                yield from references(one)


def test_cfn_lint_finds_nothing(sam: SamApp) -> None:
    found = lint_file(sam.folder / "sam.json", config=ManualArgs(regions=["eu-west-1", "us-east-1"]))

    assert [str(one) for one in found] == []


def test_every_reference_leads_somewhere(sam: SamApp) -> None:
    known = {*sam.template["Resources"], *sam.template["Parameters"]}

    asked = {name for name in references(sam.template) if not name.startswith("AWS::")}

    assert asked <= known


def test_sams_own_translator_understands_it(sam: SamApp) -> None:
    functions = of_type(sam.transformed, "AWS::Lambda::Function")

    names = {one["FunctionName"]["Fn::Sub"].removeprefix("sightline-${Stage}") for one in functions.values()}
    assert names == {
        "",
        "-check_token",
        "-on_upload_message",
        "-on_image_change",
        "-on_job_message",
        "-on_sns_message",
        "-on_sqs_message",
        "-sweep",
    }
    assert not [name for name, one in sam.transformed["Resources"].items() if "Serverless" in one["Type"]]


def test_the_api_has_one_stage(sam: SamApp) -> None:
    [stage] = of_type(sam.transformed, "AWS::ApiGateway::Stage").values()
    [made] = of_type(sam.transformed, "AWS::ApiGateway::Deployment").values()

    assert stage["StageName"] == "api"
    assert "StageName" not in made  # else CloudFormation makes a second one by that name


def test_the_address_is_told(sam: SamApp) -> None:
    assert "EndpointURL" in sam.template["Outputs"]


def test_nothing_is_named_that_could_be_referred_to(sam: SamApp) -> None:
    """The placeholders of the configuration must not survive: they name nobody's account."""
    text = json.dumps(sam.template)

    assert "000000000000" not in text
    assert "sightline-dev" not in text


def test_uploads_go_from_the_bucket_over_topic_and_queue_to_the_labeler(sam: SamApp) -> None:
    [bucket] = of_type(sam.transformed, "AWS::S3::Bucket").values()
    topics = bucket["NotificationConfiguration"]["Fn::If"][1]["TopicConfigurations"]
    [subscription] = [
        one for one in of_type(sam.transformed, "AWS::SNS::Subscription").values() if one["Protocol"] == "sqs"
    ]
    assert topics[0]["Topic"] == subscription["TopicArn"] == {"Ref": "UploadsTopic"}
    assert subscription["Endpoint"] == {"Fn::GetAtt": ["UploadsQueue", "Arn"]}
    fed = {one["EventSourceArn"]["Fn::Sub"]: one["FunctionName"]["Ref"] for one in fed_by_queues(sam)}
    assert fed == {
        "${UploadsQueue.Arn}": "OnUploadMessage",
        "${JobsQueue.Arn}": "OnJobMessage",
        "${DeliveriesQueue.Arn}": "OnSqsMessage",
    }
    assert sam.template["Parameters"]["UploadTrigger"]["Default"] == "queue"


def fed_by_queues(sam: SamApp) -> list[Json]:
    """The event source mappings of queues."""
    mappings = of_type(sam.transformed, "AWS::Lambda::EventSourceMapping").values()
    return [one for one in mappings if "Fn::Sub" in one["EventSourceArn"]]


def test_a_queue_waits_six_times_as_long_as_its_function_may_take(sam: SamApp) -> None:
    functions = of_type(sam.transformed, "AWS::Lambda::Function")
    for mapping in fed_by_queues(sam):
        queue = of_type(sam.transformed, "AWS::SQS::Queue")[mapping["EventSourceArn"]["Fn::Sub"][2:-5]]
        timeout = functions[mapping["FunctionName"]["Ref"]]["Timeout"]

        assert queue["VisibilityTimeout"] >= 6 * timeout


def test_lambda_is_told_to_read_which_messages_failed(sam: SamApp) -> None:
    """Without the flag such an answer is ignored, and the messages that it names are lost."""
    mappings = of_type(sam.transformed, "AWS::Lambda::EventSourceMapping").values()

    assert len(mappings) == 4
    for mapping in mappings:
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_no_queue_gets_more_of_the_accounts_concurrency_than_its_share(sam: SamApp) -> None:
    bounds = {
        one["FunctionName"]["Ref"]: one["ScalingConfig"]["MaximumConcurrency"] for one in fed_by_queues(sam)
    }

    assert bounds == {"OnUploadMessage": 20, "OnJobMessage": 2, "OnSqsMessage": 10}


def test_the_tables_stream_feeds_the_projection_with_records_alone(sam: SamApp) -> None:
    [mapping] = [
        one
        for one in of_type(sam.transformed, "AWS::Lambda::EventSourceMapping").values()
        if one["FunctionName"]["Ref"] == "OnImageChange"
    ]

    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (200, 1)
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert_sound(mapping, {"Fn::GetAtt": ["ChangesDeadLetters", "Arn"]})
    [table] = of_type(sam.transformed, "AWS::DynamoDB::Table").values()
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_jobs_may_feed_themselves_and_nobody_else_may(sam: SamApp) -> None:
    functions = of_type(sam.transformed, "AWS::Lambda::Function")

    told = {name: one["RecursiveLoop"] for name, one in functions.items() if "RecursiveLoop" in one}
    assert told == {"OnJobMessage": "Allow"}


def test_what_cannot_be_done_is_kept_by_somebody(sam: SamApp) -> None:
    queues = of_type(sam.transformed, "AWS::SQS::Queue")
    dead = {name for name in queues if name.endswith("DeadLetters")}
    kept = {
        name: one["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for name, one in queues.items()
        if name not in dead
    }
    invoked = {
        one["FunctionName"]["Ref"]
        for one in of_type(sam.transformed, "AWS::Lambda::EventInvokeConfig").values()
    }

    assert set(kept) == set(QUEUES)
    assert set(kept.values()) < dead
    # Whoever is invoked by a topic or a schedule, and so asynchronously.
    asynchronous = {
        one["FunctionName"]["Ref"] if isinstance(one["FunctionName"], dict) else one["FunctionName"]
        for one in of_type(sam.transformed, "AWS::Lambda::Permission").values()
        if one["Principal"] in ("sns.amazonaws.com", "events.amazonaws.com")
    }
    assert invoked == asynchronous == {"OnSnsMessage", "Sweep"}


def test_everything_is_encrypted_private_and_tls_only(sam: SamApp) -> None:
    [bucket] = of_type(sam.transformed, "AWS::S3::Bucket").values()
    [policy] = of_type(sam.transformed, "AWS::S3::BucketPolicy").values()
    [table] = of_type(sam.transformed, "AWS::DynamoDB::Table").values()
    [denied] = policy["PolicyDocument"]["Statement"]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert all(one["SqsManagedSseEnabled"] for one in of_type(sam.transformed, "AWS::SQS::Queue").values())


def test_every_functions_log_ends_some_day(sam: SamApp) -> None:
    logs = of_type(sam.transformed, "AWS::Logs::LogGroup").values()
    functions = of_type(sam.transformed, "AWS::Lambda::Function").values()

    assert {one["LogGroupName"]["Fn::Sub"] for one in logs} == {
        f"/aws/lambda/{one['FunctionName']['Fn::Sub']}" for one in functions
    }
    assert {json.dumps(one["RetentionInDays"]) for one in logs} == {'{"Ref": "LogRetentionDays"}'}
    assert sam.template["Parameters"]["LogRetentionDays"]["Default"] > 0


def test_an_alarm_watches_every_queue_and_every_function(sam: SamApp) -> None:
    watched = {
        (one["MetricName"], one["Dimensions"][0]["Value"]["Fn::Sub"])
        for one in of_type(sam.transformed, "AWS::CloudWatch::Alarm").values()
    }
    queues = {
        name: one["QueueName"]["Fn::Sub"] for name, one in of_type(sam.transformed, "AWS::SQS::Queue").items()
    }
    functions = [
        one["FunctionName"]["Fn::Sub"] for one in of_type(sam.transformed, "AWS::Lambda::Function").values()
    ]

    for name, queue in queues.items():
        metric = "ApproximateAgeOfOldestMessage" if name in QUEUES else "ApproximateNumberOfMessagesVisible"
        assert (metric, queue) in watched
    assert ("IteratorAge", "sightline-${Stage}-on_image_change") in watched
    for function in functions:
        assert {("Errors", function), ("Throttles", function)} <= watched
    [dashboard] = of_type(sam.transformed, "AWS::CloudWatch::Dashboard").values()
    assert json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]


def test_the_dashboard_shows_every_metric_of_our_own(sam: SamApp) -> None:
    [dashboard] = of_type(sam.transformed, "AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
    shown = {
        line[0]["expression"]
        for one in widgets
        for line in one["properties"]["metrics"]
        if isinstance(line[0], dict)
    }
    ours = [one for one in vars(metrics).values() if isinstance(one, metrics.Metric)]

    assert ours
    for metric in ours:
        schema = "{Sightline," + ",".join(metric.dimensions) + "}"
        wanted = f"""SEARCH('{schema} MetricName="{metric.name}" stage="${{Stage}}"'"""
        assert any(expression.startswith(wanted) for expression in shown), metric.name
    assert {(one["x"], one["y"]) for one in widgets} == {
        (8 * (i % 3), 6 * (i // 3)) for i in range(len(widgets))
    }


def test_prod_is_laid_out_for_more_and_shut(sam: SamApp) -> None:
    functions = of_type(sam.transformed, "AWS::Lambda::Function")
    api, uploads = functions["APIHandler"], functions["OnUploadMessage"]
    [fed] = [
        one
        for one in of_type(sam.transformed, "AWS::Lambda::EventSourceMapping").values()
        if one["FunctionName"]["Ref"] == "OnUploadMessage"
    ]

    assert (api["MemorySize"], api["Timeout"], uploads["MemorySize"]) == (1024, 30, 1536)
    assert fed["ScalingConfig"] == {"MaximumConcurrency": 20}
    assert api["Environment"]["Variables"]["AUTH"] == "token"
    assert sam.template["Parameters"]["LogRetentionDays"]["Default"] == 90


def test_every_role_is_narrowed_to_this_stage(sam: SamApp) -> None:
    for name, role in of_type(sam.transformed, "AWS::IAM::Role").items():
        [policy] = role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            for resource in statement["Resource"]:
                shared = statement["Sid"] == "Classify" and "endpoint/sightline-*" in resource["Fn::Sub"]
                assert resource == "*" or shared or "sightline-${Stage}" in resource["Fn::Sub"], name
                assert resource != "*" or statement["Sid"] in ("Recognise", "FindStreams"), name


def test_the_api_is_throttled_and_speaks_in_problems(sam: SamApp) -> None:
    [stage] = of_type(sam.transformed, "AWS::ApiGateway::Stage").values()
    [api] = of_type(sam.transformed, "AWS::ApiGateway::RestApi").values()
    [limits] = stage["MethodSettings"]
    said = api["Body"]["x-amazon-apigateway-gateway-responses"]

    assert limits["ThrottlingRateLimit"] > 0
    assert limits["ThrottlingBurstLimit"] > 0
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(said)
    assert "Access-Control-Allow-Origin" not in json.dumps(said)  # this stage has chosen no other origin


def test_the_api_sends_compressed_what_is_worth_it(sam: SamApp) -> None:
    [api] = of_type(sam.transformed, "AWS::ApiGateway::RestApi").values()
    assert 0 < api["MinimumCompressionSize"] < 10_000


def test_pictures_and_records_outlive_the_application(sam: SamApp) -> None:
    kept = {
        name
        for name, one in sam.template["Resources"].items()
        if one.get("DeletionPolicy") == "RetainExceptOnCreate"
    }

    assert kept == {"Bucket", "Table"}


def test_the_zip_holds_the_app_and_nothing_stray(sam: SamApp) -> None:
    names = zipfile.ZipFile(sam.folder / "deployment.zip").namelist()
    tops = {name.split("/")[0] for name in names}

    assert {"app.py", "chalicelib", "PIL"} <= tops
    assert not tops & {"local", "infra", "tests", "benchmarks", "boto3", "moto"}
    # Without its own libraries beside it, Pillow was built from source here and will not load on Lambda.
    assert [name for name in names if re.match(r"pillow\.libs/", name)]


def test_all_code_is_compiled_as_it_lies_on_lambda(sam: SamApp) -> None:
    package = zipfile.ZipFile(sam.folder / "deployment.zip")
    names = set(package.namelist())
    ours = [name for name in names if re.fullmatch(r"(app|(chalicelib|chalice|PIL|ulid)/.*)\.py", name)]
    compiled = {name: re.sub(r"(\w+)\.py$", r"__pycache__/\1.cpython-", name) for name in ours}

    missing = [name for name in ours if not any(one.startswith(compiled[name]) for one in names)]
    assert missing == []
    [app] = [one for one in names if one.startswith("__pycache__/app.cpython-")]
    assert package.read(app)[4:8] == b"\x01\0\0\0"  # made from its source and not held to it (PEP 552)
    assert b"/var/task/app.py" in package.read(app)


def test_the_zip_does_not_tell_where_it_was_built(sam: SamApp, bench: Workbench) -> None:
    package = zipfile.ZipFile(sam.folder / "deployment.zip")
    places = {str(bench.project).encode(), str(bench.python.parent.parent).encode(), sys.prefix.encode()}

    told = [name for name in package.namelist() if any(one in package.read(name) for one in places)]
    assert told == []
