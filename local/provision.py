"""The resources of one stage, created in moto from the template that is deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local import gaps
from local.aws import ACCOUNT, REGION
from local.config import ROOT, STAGE
from local.template import Names, Template

TEMPLATE = ROOT / "infra" / "resources.yaml"
Json = dict[str, Any]


def provision(
    client: gaps.Client, *, stage: str = STAGE, trigger: str = "s3", path: Path = TEMPLATE
) -> dict[str, Json]:
    """Create the template's resources; answers their resolved properties, by logical id.

    Queues are referred to by URLs of this server. Raises :exc:`ValueError` for what the offline
    stack cannot make.
    """
    template = Template.load(path)
    gaps.refuse_the_unknown(template.resources)
    parameters = {"Stage": stage, "UploadTrigger": trigger}
    _create_stack(client, template, parameters)
    properties = template.resolved(names(client, parameters))
    gaps.fill(client, template.resources, properties)
    return properties


def _create_stack(client: gaps.Client, template: Template, parameters: dict[str, str]) -> None:
    client("cloudformation").create_stack(
        StackName=_stack_name(parameters),
        TemplateBody=json.dumps(gaps.for_moto(template.body)),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )


def _stack_name(parameters: dict[str, str]) -> str:
    return f"sightline-{parameters['Stage']}"


def names(client: gaps.Client, parameters: dict[str, str]) -> Names:
    """What the stack's buckets, tables, queues and topics are called, and its parameters."""
    made = client("cloudformation").describe_stack_resources(StackName=_stack_name(parameters))
    created = [one for one in made["StackResources"] if one["ResourceType"] in gaps.KEPT]
    refs = {
        "AWS::AccountId": ACCOUNT,
        "AWS::Region": REGION,
        "AWS::Partition": "aws",
        **parameters,
        **{
            one["LogicalResourceId"]: _ref(client, one["ResourceType"], one["PhysicalResourceId"])
            for one in created
        },
    }
    arns = {
        f"{one['LogicalResourceId']}.Arn": _arn(one["ResourceType"], one["PhysicalResourceId"])
        for one in created
    }
    return Names(refs, arns)


def _ref(client: gaps.Client, kind: str, physical_id: str) -> str:
    if kind != "AWS::SQS::Queue":
        return physical_id
    # moto's CloudFormation gives the URL that AWS would: this one leads to moto.
    return str(client("sqs").get_queue_url(QueueName=physical_id.rpartition("/")[2])["QueueUrl"])


def _arn(kind: str, physical_id: str) -> str:
    name = physical_id.rpartition("/")[2]
    return {
        "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
        "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}",
        "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
        "AWS::SNS::Topic": physical_id,
    }[kind]
