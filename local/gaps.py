"""What moto's CloudFormation leaves out of a template, made by plain calls from the same template.

moto creates buckets, tables, topics and queues, but ignores some of their properties and four
resource types altogether. Each is named here once, beside the call that makes it; whatever is
neither kept by moto nor named here is refused, so that nothing is left out silently.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Client = Callable[[str], Any]
Fill = Callable[[Client, Json, Any], None]

KEPT: dict[str, set[str]] = {
    "AWS::S3::Bucket": {"BucketName", "BucketEncryption"},
    "AWS::DynamoDB::Table": {
        "TableName",
        "BillingMode",
        "AttributeDefinitions",
        "KeySchema",
        "GlobalSecondaryIndexes",
        "StreamSpecification",
        "SSESpecification",
    },
    "AWS::SNS::Topic": {"TopicName", "KmsMasterKeyId"},
    "AWS::SQS::Queue": {
        "QueueName",
        "VisibilityTimeout",
        "MessageRetentionPeriod",
        "SqsManagedSseEnabled",
        "RedrivePolicy",
    },
}

# moto hands this one on as it stands to code that expects the API's spelling.
RESPELT: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("AWS::DynamoDB::Table", "SSESpecification"): lambda value: {"Enabled": value["SSEEnabled"]},
}


def _cors(client: Client, bucket: Json, value: Json) -> None:
    api_names = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"}
    rules = [{api_names.get(name, name): one for name, one in rule.items()} for rule in value["CorsRules"]]
    client("s3").put_bucket_cors(Bucket=bucket["BucketName"], CORSConfiguration={"CORSRules": rules})


def _public_access(client: Client, bucket: Json, value: Json) -> None:
    client("s3").put_public_access_block(Bucket=bucket["BucketName"], PublicAccessBlockConfiguration=value)


def _ownership(client: Client, bucket: Json, value: Json) -> None:
    client("s3").put_bucket_ownership_controls(Bucket=bucket["BucketName"], OwnershipControls=value)


def _lifecycle(client: Client, bucket: Json, value: Json) -> None:
    client("s3").put_bucket_lifecycle_configuration(
        Bucket=bucket["BucketName"], LifecycleConfiguration={"Rules": [_rule(one) for one in value["Rules"]]}
    )


def _rule(rule: Json) -> Json:
    """A lifecycle rule in the words of S3's API, which are not the template's."""
    days = rule.get("ExpirationInDays")
    return {
        "ID": rule["Id"],
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
        **{name: one for name, one in rule.items() if name == "AbortIncompleteMultipartUpload"},
        **({"Expiration": {"Days": days}} if days else {}),
    }


def _notifications(client: Client, bucket: Json, value: Json) -> None:
    topics = [
        {
            "TopicArn": one["Topic"],
            "Events": [one["Event"]],
            # moto compares the rules' names with lower-case ones.
            "Filter": {"Key": {"FilterRules": one["Filter"]["S3Key"]["Rules"]}},
        }
        for one in value["TopicConfigurations"]
    ]
    client("s3").put_bucket_notification_configuration(
        Bucket=bucket["BucketName"], NotificationConfiguration={"TopicConfigurations": topics}
    )


def _time_to_live(client: Client, table: Json, value: Json) -> None:
    client("dynamodb").update_time_to_live(TableName=table["TableName"], TimeToLiveSpecification=value)


def _recovery(client: Client, table: Json, value: Json) -> None:
    client("dynamodb").update_continuous_backups(
        TableName=table["TableName"], PointInTimeRecoverySpecification=value
    )


FILLED: dict[tuple[str, str], Fill] = {
    ("AWS::S3::Bucket", "CorsConfiguration"): _cors,
    ("AWS::S3::Bucket", "PublicAccessBlockConfiguration"): _public_access,
    ("AWS::S3::Bucket", "OwnershipControls"): _ownership,
    ("AWS::S3::Bucket", "LifecycleConfiguration"): _lifecycle,
    ("AWS::S3::Bucket", "NotificationConfiguration"): _notifications,
    ("AWS::DynamoDB::Table", "TimeToLiveSpecification"): _time_to_live,
    ("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification"): _recovery,
}


def _topic_policy(client: Client, policy: Json) -> None:
    for topic in policy["Topics"]:
        client("sns").set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy["PolicyDocument"])
        )


def _queue_policy(client: Client, policy: Json) -> None:
    for queue in policy["Queues"]:
        client("sqs").set_queue_attributes(
            QueueUrl=queue, Attributes={"Policy": json.dumps(policy["PolicyDocument"])}
        )


def _subscription(client: Client, wanted: Json) -> None:
    client("sns").subscribe(
        TopicArn=wanted["TopicArn"],
        Protocol=wanted["Protocol"],
        Endpoint=wanted["Endpoint"],
        Attributes={"RawMessageDelivery": str(wanted.get("RawMessageDelivery", False)).lower()},
    )


UNKNOWN_TO_MOTO: dict[str, Callable[[Client, Json], None]] = {
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SNS::Subscription": _subscription,
}

LEFT_OUT: dict[str, str] = {
    "AWS::S3::BucketPolicy": "it denies everything without TLS, and there is none on the loopback interface",
}


def for_moto(body: Json) -> Json:
    """The template with what moto's CloudFormation understands, the way it understands it."""
    return {
        **body,
        "Resources": {
            logical_id: {
                "Type": resource["Type"],
                "Properties": _for_moto(resource["Type"], resource["Properties"]),
            }
            for logical_id, resource in body["Resources"].items()
            if resource["Type"] in KEPT
        },
    }


def _for_moto(kind: str, properties: Json) -> Json:
    return {
        name: RESPELT.get((kind, name), lambda as_it_is: as_it_is)(value)
        for name, value in properties.items()
        if name in KEPT[kind]
    }


def refuse_the_unknown(resources: dict[str, Json]) -> None:
    """Raise :exc:`ValueError` for the first resource or property that nobody would create."""
    for logical_id, resource in resources.items():
        kind = resource["Type"]
        if kind in UNKNOWN_TO_MOTO or kind in LEFT_OUT:
            continue
        if kind not in KEPT:
            raise ValueError(f"Nothing offline makes {logical_id}, an {kind}: add it to local/gaps.py.")
        for name in resource.get("Properties", {}):
            if name not in KEPT[kind] and (kind, name) not in FILLED:
                raise ValueError(
                    f"Nothing offline makes {logical_id}'s {name} ({kind}): add it to local/gaps.py."
                )


def fill(client: Client, resources: dict[str, Json], properties: dict[str, Json]) -> None:
    """Make what moto left out. ``properties`` are the resolved ones, by logical id."""
    for logical_id, resource in resources.items():
        wanted = properties[logical_id]
        if make := UNKNOWN_TO_MOTO.get(resource["Type"]):
            make(client, wanted)
    # Last, because a bucket may announce uploads only to what is there.
    for logical_id, resource in resources.items():
        wanted = properties[logical_id]
        for name, value in wanted.items():
            if put := FILLED.get((resource["Type"], name)):
                put(client, wanted, value)
