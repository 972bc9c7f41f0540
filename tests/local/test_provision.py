"""Whatever the template asks for can be read back from the offline stack.

Holds `local/provision.py`, `local/template_reader.py`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.moto_server import LocalAws
from local.provision import LEFT_OUT, TEMPLATE, provision
from local.template_reader import Names, Template

Json = dict[str, Any]
Client = Callable[[str], Any]
_numbers = itertools.count()


@pytest.fixture
def stage() -> str:
    return f"stage-{next(_numbers)}"


@pytest.fixture(params=["s3", "queue"])
def trigger(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def built(aws: LocalAws, stage: str, trigger: str) -> dict[str, Json]:
    return provision(aws.client, stage=stage, trigger=trigger)


# ── reading back: for every property of every type, what the running service says it is ─────────
def bucket(client: Client, wanted: Json, name: str) -> Any:
    s3, where = client("s3"), {"Bucket": wanted["BucketName"]}
    match name:
        case "BucketName":
            return wanted["BucketName"] if s3.head_bucket(**where) else None
        case "BucketEncryption":
            [rule] = s3.get_bucket_encryption(**where)["ServerSideEncryptionConfiguration"]["Rules"]
            default = rule["ApplyServerSideEncryptionByDefault"]
            return {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": default}]}
        case "PublicAccessBlockConfiguration":
            return s3.get_public_access_block(**where)["PublicAccessBlockConfiguration"]
        case "OwnershipControls":
            return s3.get_bucket_ownership_controls(**where)["OwnershipControls"]
        case "CorsConfiguration":
            [rule] = s3.get_bucket_cors(**where)["CORSRules"]
            rule["ExposedHeaders"] = rule.pop("ExposeHeaders")
            rule["MaxAge"] = rule.pop("MaxAgeSeconds")
            return {"CorsRules": [rule]}
        case "LifecycleConfiguration":
            rules = s3.get_bucket_lifecycle_configuration(**where)["Rules"]
            return {"Rules": [_lifecycle_rule(rule) for rule in rules]}
        case "NotificationConfiguration":
            told = s3.get_bucket_notification_configuration(**where)["TopicConfigurations"]
            return {"TopicConfigurations": [_topic_configuration(one) for one in told]}
    return None


def _lifecycle_rule(told: Json) -> Json:
    rule = {"Id": told["ID"], "Status": told["Status"]}
    if "AbortIncompleteMultipartUpload" in told:
        rule["AbortIncompleteMultipartUpload"] = told["AbortIncompleteMultipartUpload"]
    if "Expiration" in told:
        rule |= {"Prefix": told["Filter"]["Prefix"], "ExpirationInDays": told["Expiration"]["Days"]}
    return rule


def _topic_configuration(told: Json) -> Json:
    [rule] = told["Filter"]["Key"]["FilterRules"]
    [event] = told["Events"]
    return {"Event": event, "Topic": told["TopicArn"], "Filter": {"S3Key": {"Rules": [rule]}}}


def table(client: Client, wanted: Json, name: str) -> Any:
    dynamodb, where = client("dynamodb"), {"TableName": wanted["TableName"]}
    found = dynamodb.describe_table(**where)["Table"]
    match name:
        case "BillingMode":
            return found["BillingModeSummary"]["BillingMode"]
        case "StreamSpecification":
            return {"StreamViewType": found[name]["StreamViewType"]} if found[name]["StreamEnabled"] else None
        case "GlobalSecondaryIndexes":
            kept = ("IndexName", "KeySchema", "Projection")
            return [{key: index[key] for key in kept} for index in found[name]]
        case "TimeToLiveSpecification":
            lives = dynamodb.describe_time_to_live(**where)["TimeToLiveDescription"]
            return {
                "AttributeName": lives["AttributeName"],
                "Enabled": lives["TimeToLiveStatus"] == "ENABLED",
            }
        case "PointInTimeRecoverySpecification":
            backups = dynamodb.describe_continuous_backups(**where)["ContinuousBackupsDescription"]
            status = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
            return {"PointInTimeRecoveryEnabled": status == "ENABLED"}
        case "SSESpecification":
            return {"SSEEnabled": found["SSEDescription"]["Status"] == "ENABLED"}
    return found.get(name)


def topic(client: Client, wanted: Json, name: str) -> Any:
    arns = [one["TopicArn"] for one in client("sns").list_topics()["Topics"]]
    [arn] = [one for one in arns if one.rpartition(":")[2] == wanted["TopicName"]]
    return (
        client("sns")
        .get_topic_attributes(TopicArn=arn)["Attributes"]
        .get({"TopicName": "TopicArn"}.get(name, name), "")
        .rpartition(":")[2]
    )


def topic_policy(client: Client, wanted: Json, name: str) -> Any:
    [arn] = wanted["Topics"]
    found = client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    return {"Topics": [arn], "PolicyDocument": json.loads(found)}[name]


def subscription(client: Client, wanted: Json, name: str) -> Any:
    [one] = client("sns").list_subscriptions_by_topic(TopicArn=wanted["TopicArn"])["Subscriptions"]
    attributes = client("sns").get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])[
        "Attributes"
    ]
    return {**one, "RawMessageDelivery": attributes["RawMessageDelivery"] == "true"}.get(name)


def queue(client: Client, wanted: Json, name: str) -> Any:
    url = client("sqs").get_queue_url(QueueName=wanted["QueueName"])["QueueUrl"]
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    found["QueueName"] = found["QueueArn"].rpartition(":")[2]
    value = found[name]
    return value if name == "QueueName" else json.loads(value)


def queue_policy(client: Client, wanted: Json, name: str) -> Any:
    [url] = wanted["Queues"]
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"][
        "Policy"
    ]
    return {"Queues": [url], "PolicyDocument": json.loads(found)}[name]


READ_BACK: dict[str, Callable[[Client, Json, str], Any]] = {
    "AWS::S3::Bucket": bucket,
    "AWS::DynamoDB::Table": table,
    "AWS::SNS::Topic": topic,
    "AWS::SNS::TopicPolicy": topic_policy,
    "AWS::SNS::Subscription": subscription,
    "AWS::SQS::Queue": queue,
    "AWS::SQS::QueuePolicy": queue_policy,
}


def test_nothing_of_the_template_is_left_out(aws: LocalAws, built: dict[str, Json]) -> None:
    kinds = {name: resource["Type"] for name, resource in Template.load(TEMPLATE).resources.items()}
    asked = {
        (name, key): value
        for name, wanted in built.items()
        if kinds[name] not in LEFT_OUT
        for key, value in wanted.items()
    }

    found = {(name, key): READ_BACK[kinds[name]](aws.client, built[name], key) for name, key in asked}

    assert found == asked
    assert set(built) == set(kinds)
    assert set(LEFT_OUT) == {"AWS::S3::BucketPolicy"}


def test_the_bucket_announces_uploads_only_where_they_are_queued(
    aws: LocalAws, built: dict[str, Json], trigger: str
) -> None:
    name = built["Bucket"]["BucketName"]

    announced = aws.client("s3").get_bucket_notification_configuration(Bucket=name)

    assert ("TopicConfigurations" in announced) == (trigger == "queue")


def test_a_queued_upload_arrives_as_s3s_own_notification(aws: LocalAws, stage: str) -> None:
    built = provision(aws.client, stage=stage, trigger="queue")
    sqs, url = aws.client("sqs"), built["UploadsQueuePolicy"]["Queues"][0]

    for key in ("metadata/a.json", "uploads/a.jpg"):
        aws.client("s3").put_object(Bucket=built["Bucket"]["BucketName"], Key=key, Body=b"x")

    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    bodies = [json.loads(message["Body"]) for message in received]
    keys = [record["s3"]["object"]["key"] for body in bodies for record in body.get("Records", [])]
    assert keys == ["uploads%2Fa.jpg"]


def test_two_stages_share_nothing(aws: LocalAws, stage: str) -> None:
    one = provision(aws.client, stage=stage)
    other = provision(aws.client, stage=f"{stage}-too")

    assert one["Bucket"]["BucketName"] != other["Bucket"]["BucketName"]
    with pytest.raises(ClientError, match="already own"):
        provision(aws.client, stage=stage)


# ── what the template promises ───────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ["Uploads", "Jobs", "Deliveries"])
def test_a_queue_waits_six_times_as_long_as_its_function_may_take(name: str) -> None:
    from local.config import timeout_of

    function = {"Uploads": "on_upload_message", "Jobs": "on_job_message", "Deliveries": "on_sqs_message"}[
        name
    ]

    waits = Template.load(TEMPLATE).resources[f"{name}Queue"]["Properties"]["VisibilityTimeout"]

    assert waits >= 6 * timeout_of(function)


@pytest.mark.parametrize("name", ["Uploads", "Jobs", "Deliveries"])
def test_dead_letters_are_kept_longer_than_what_they_came_from(name: str) -> None:
    resources = Template.load(TEMPLATE).resources
    dead, alive = resources[f"{name}DeadLetters"], resources[f"{name}Queue"]
    wired = alive["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]

    assert wired == {"Fn::GetAtt": [f"{name}DeadLetters", "Arn"]}

    assert dead["Properties"]["MessageRetentionPeriod"] == 14 * 86_400
    assert alive["Properties"]["MessageRetentionPeriod"] < dead["Properties"]["MessageRetentionPeriod"]


def test_what_holds_pictures_outlives_the_stack() -> None:
    resources = Template.load(TEMPLATE).resources

    kept = {name for name, one in resources.items() if one.get("DeletionPolicy") == "RetainExceptOnCreate"}

    assert kept == {"Bucket", "Table"}


@pytest.mark.slow
def test_cfn_lint_finds_nothing() -> None:
    from cfnlint import ManualArgs  # most of a second, for this test alone
    from cfnlint.api import lint_file

    found = lint_file(TEMPLATE, config=ManualArgs(regions=["eu-west-1", "us-east-1"]))

    assert [str(one) for one in found] == []


# ── what is refused ──────────────────────────────────────────────────────────────────────────
def written(folder: Path, resource: str) -> Path:
    path = folder / "template.yaml"
    path.write_text(f"Resources:\n  Thing: {resource}\n")
    return path


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        ("{Type: 'AWS::S3::Bucket', Properties: {AccelerateConfiguration: {}}}", "AccelerateConfiguration"),
        ("{Type: 'AWS::Kinesis::Stream', Properties: {ShardCount: 1}}", "AWS::Kinesis::Stream"),
    ],
)
def test_what_nobody_would_make_is_refused_by_name(
    aws: LocalAws, tmp_path: Path, resource: str, named: str
) -> None:
    with pytest.raises(ValueError, match=f"Nothing offline makes Thing.*{named}"):
        provision(aws.client, path=written(tmp_path, resource))


def test_an_intrinsic_that_nobody_reads_is_refused_by_name() -> None:
    template = Template({"Resources": {"Thing": {"Properties": {"Name": {"Fn::Join": ["-", ["a"]]}}}}})

    with pytest.raises(ValueError, match="Fn::Join"):
        template.resolved(Names({}, {}))
