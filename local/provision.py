"""The resources of one stage, created in moto from the template that is deployed, each by plain calls.

moto has a CloudFormation of its own. It leaves out properties and whole types, silently, and takes longer to
load than all the rest of the offline stack.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.config import ROOT, STAGE
from local.loopback import ACCOUNT, REGION
from local.template_reader import Names, Template

TEMPLATE = ROOT / "infra" / "resources.yaml"
Json = dict[str, Any]
Client = Callable[[str], Any]
Fill = Callable[[Client, Json, Any], None]


def provision(
    client: Client, *, stage: str = STAGE, trigger: str = "s3", path: Path = TEMPLATE
) -> dict[str, Json]:
    """Create the template's resources; answers their resolved properties, by logical id.

    Queues are referred to by URLs of this server. Raises :exc:`ValueError` for what the offline
    stack cannot make.
    """
    template = Template.load(path)
    refuse_the_unknown(template.resources)
    known = {
        "Stage": stage,
        "UploadTrigger": trigger,
        "AWS::AccountId": ACCOUNT,
        "AWS::Region": REGION,
        "AWS::Partition": "aws",
    }
    names = _names(client, template, known)
    properties = template.resolved(names)
    kinds = {name: one["Type"] for name, one in template.resources.items()}
    # Dead letters before the queues that they come from.
    for name in sorted(kinds, key=lambda name: "RedrivePolicy" in properties[name]):
        if kinds[name] in MADE:
            make, own = MADE[kinds[name]]
            make(client, {one: value for one, value in properties[name].items() if one in own})
    fill(client, kinds, properties)
    return properties


def fill(client: Client, kinds: dict[str, str], properties: dict[str, Json]) -> None:
    """Make what has a call of its own of resources that are there; all by logical id, properties resolved."""
    for name, kind in kinds.items():
        if make := BESIDE.get(kind):
            make(client, properties[name])
    # Last, because a bucket may announce uploads only to what is there.
    for name, kind in kinds.items():
        for one, value in properties[name].items():
            if put := FILLED.get((kind, one)):
                put(client, properties[name], value)


def _names(client: Client, template: Template, known: Json) -> Names:
    """What the template's references stand for: all of our resources are named, so they need not be there."""
    named = {
        logical_id: {"Type": one["Type"], "Properties": {"Name": one["Properties"][NAME[one["Type"]]]}}
        for logical_id, one in template.resources.items()
        if one["Type"] in NAME
    }
    resolved = Template({**template.body, "Resources": named}).resolved(Names(known, {}))
    refs, arns = dict(known), {}
    for logical_id, one in named.items():
        name = resolved[logical_id]["Name"]
        arn = arns[f"{logical_id}.Arn"] = arn_of(one["Type"], name)
        refs[logical_id] = {
            "AWS::SNS::Topic": arn,
            "AWS::SQS::Queue": f"{client('sqs').meta.endpoint_url}/{ACCOUNT}/{name}",
        }.get(one["Type"], name)
    return Names(refs, arns)


def arn_of(kind: str, name: str) -> str:
    """The ARN of a resource of the stage's account."""
    return {
        "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
        "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}",
        "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
        "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}",
    }[kind]


def refuse_the_unknown(resources: dict[str, Json]) -> None:
    """Raise :exc:`ValueError` for the first resource or property that nobody would create."""
    for logical_id, resource in resources.items():
        kind = resource["Type"]
        if kind in BESIDE or kind in LEFT_OUT:
            continue
        if kind not in MADE:
            raise ValueError(f"Nothing offline makes {logical_id}, an {kind}: add it to local/provision.py.")
        for name in resource.get("Properties", {}):
            if name not in MADE[kind][1] and (kind, name) not in FILLED:
                raise ValueError(
                    f"Nothing offline makes {logical_id}'s {name} ({kind}): add it to local/provision.py."
                )


# ── resources that are made with these properties … ────────────────────────────────────────────
def _table(client: Client, wanted: Json) -> None:
    # The API spells these two otherwise than the template does.
    stream = {"StreamEnabled": True, **wanted.pop("StreamSpecification")}
    encrypted = {"Enabled": wanted.pop("SSESpecification")["SSEEnabled"]}
    client("dynamodb").create_table(**wanted, StreamSpecification=stream, SSESpecification=encrypted)


def _bucket(client: Client, wanted: Json) -> None:
    where = {"LocationConstraint": REGION}
    client("s3").create_bucket(Bucket=wanted["BucketName"], CreateBucketConfiguration=where)


def _topic(client: Client, wanted: Json) -> None:
    client("sns").create_topic(Name=wanted.pop("TopicName"), Attributes=wanted)


def _queue(client: Client, wanted: Json) -> None:
    name = wanted.pop("QueueName")
    # Attributes are text: a true one is true, not True.
    attributes = {key: json.dumps(value) for key, value in wanted.items()}
    client("sqs").create_queue(QueueName=name, Attributes=attributes)


MADE: dict[str, tuple[Callable[[Client, Json], None], set[str]]] = {
    "AWS::DynamoDB::Table": (
        _table,
        {
            "TableName",
            "BillingMode",
            "AttributeDefinitions",
            "KeySchema",
            "GlobalSecondaryIndexes",
            "StreamSpecification",
            "SSESpecification",
        },
    ),
    "AWS::S3::Bucket": (_bucket, {"BucketName"}),
    "AWS::SNS::Topic": (_topic, {"TopicName", "KmsMasterKeyId"}),
    "AWS::SQS::Queue": (
        _queue,
        {"QueueName", "VisibilityTimeout", "MessageRetentionPeriod", "SqsManagedSseEnabled", "RedrivePolicy"},
    ),
}
NAME = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
}


# ── … and with these, by a call each … ─────────────────────────────────────────────────────────
def _cors(client: Client, bucket: Json, value: Json) -> None:
    api_names = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"}
    rules = [{api_names.get(name, name): one for name, one in rule.items()} for rule in value["CorsRules"]]
    client("s3").put_bucket_cors(Bucket=bucket["BucketName"], CORSConfiguration={"CORSRules": rules})


def _encryption(client: Client, bucket: Json, value: Json) -> None:
    # S3's API calls the default otherwise than the template does.
    rules = [
        {"ApplyServerSideEncryptionByDefault": one["ServerSideEncryptionByDefault"]}
        for one in value["ServerSideEncryptionConfiguration"]
    ]
    client("s3").put_bucket_encryption(
        Bucket=bucket["BucketName"], ServerSideEncryptionConfiguration={"Rules": rules}
    )


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
    ("AWS::S3::Bucket", "BucketEncryption"): _encryption,
    ("AWS::S3::Bucket", "CorsConfiguration"): _cors,
    ("AWS::S3::Bucket", "PublicAccessBlockConfiguration"): _public_access,
    ("AWS::S3::Bucket", "OwnershipControls"): _ownership,
    ("AWS::S3::Bucket", "LifecycleConfiguration"): _lifecycle,
    ("AWS::S3::Bucket", "NotificationConfiguration"): _notifications,
    ("AWS::DynamoDB::Table", "TimeToLiveSpecification"): _time_to_live,
    ("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification"): _recovery,
}


# ── … and those that belong to one ──────────────────────────────────────────────────────────────
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


BESIDE: dict[str, Callable[[Client, Json], None]] = {
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SNS::Subscription": _subscription,
}

LEFT_OUT: dict[str, str] = {
    "AWS::S3::BucketPolicy": "it denies everything without TLS, and there is none on the loopback interface",
}
