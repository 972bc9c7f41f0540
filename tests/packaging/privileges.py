"""What a call needs from a policy, and what a policy gives."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from typing import Any

from local.aws import ACCOUNT, REGION

Json = dict[str, Any]
Need = tuple[str, str]  # (action, ARN)

# Calls that need another action than the one of their own name (service authorization reference).
OTHERWISE = {
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
    "SendMessageBatch": "SendMessage",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
}
# Statements that AWS itself uses on the function's behalf: they show in no call of its code.
PLATFORM = {
    "Poll": "Lambda's poller reads the queue or the stream that feeds the function",
    "FindStreams": "Lambda's poller finds the table's stream",
    "Logs": "Lambda's runtime writes what the function prints",
    "LeaveBehind": "Lambda leaves the events that the function could not do",
}


def needs(calls: Iterable[tuple[str, str, Json]]) -> set[Need]:
    """Every action on every resource that the calls need."""
    return {need for service, operation, params in calls for need in _needs(service, operation, params)}


def _needs(service: str, operation: str, params: Json) -> Iterator[Need]:
    match service:
        case "dynamodb":
            yield from _of_table(operation, params)
        case "s3":
            bucket = f"arn:aws:s3:::{params['Bucket']}"
            if "Key" in params:
                yield f"s3:{OTHERWISE.get(operation, operation)}", f"{bucket}/{params['Key']}"
            if operation in ("GetObject", "HeadObject", "HeadBucket", "ListObjectsV2"):
                # Who may not list is told 403 for an object that is not there (Amazon S3, "GetObject").
                yield "s3:ListBucket", bucket
        case "sqs":
            name = params["QueueUrl"].rpartition("/")[2]
            yield f"sqs:{OTHERWISE.get(operation, operation)}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        case "sns":
            yield f"sns:{operation}", params["TopicArn"]
        case "secretsmanager":
            # AWS ends a secret's ARN in six characters of its own ("AWS Secrets Manager: IAM policies").
            yield (
                f"{service}:{operation}",
                f"arn:aws:{service}:{REGION}:{ACCOUNT}:secret:{params['SecretId']}-AbCdEf",
            )
        case "sagemaker-runtime":
            endpoint = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{params['EndpointName']}"
            yield f"sagemaker:{operation}", endpoint
        case _:
            yield f"{service}:{operation}", "*"


def _of_table(operation: str, params: Json) -> Iterator[Need]:
    match operation:
        case "TransactWriteItems":
            for item in params["TransactItems"]:
                ((kind, one),) = item.items()
                yield f"dynamodb:{kind}Item", _table(one["TableName"])
        case "BatchGetItem":
            for name in params["RequestItems"]:
                yield "dynamodb:BatchGetItem", _table(name)
        case _:
            index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
            yield f"dynamodb:{operation}", _table(params["TableName"]) + index


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def grants(policy: Json) -> dict[Need, str]:
    """Every (action, pattern) of the policy's statements, with the statement's name."""
    return {
        (action, pattern): statement["Sid"]
        for statement in policy["Statement"]
        for action in statement["Action"]
        for pattern in statement["Resource"]
    }


def missing(policy: Json, wanted: set[Need]) -> set[Need]:
    """What is needed and not given."""
    return {need for need in wanted if not any(_covers(one, need) for one in grants(policy))}


def unused(policy: Json, wanted: set[Need]) -> set[Need]:
    """What is given, not to AWS itself, and never needed."""
    given = [need for need, sid in grants(policy).items() if sid not in PLATFORM]
    return {one for one in given if not any(_covers(one, need) for need in wanted)}


def _covers(given: Need, needed: Need) -> bool:
    if given[0] != needed[0]:
        return False
    # A pattern's * stops at no slash in IAM, but a table's pattern must not pass for its index.
    return fnmatch.fnmatchcase(needed[1], given[1]) and given[1].count("/index/") == needed[1].count(
        "/index/"
    )
