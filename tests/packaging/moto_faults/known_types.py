"""What moto's CloudFormation makes of a template, of the types that Sightline's resources have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

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
