"""The SAM application as a stack in moto: what its CloudFormation makes, and why not the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local import provision
from local.loopback import ACCOUNT, REGION
from local.moto_server import LocalAws
from local.template_reader import Names, Template
from tests.packaging.moto_faults.known_types import KEPT, for_moto

Json = dict[str, Any]

# moto's CloudFormation makes these as they stand.
AS_IT_STANDS = {
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Events::Rule",
    "AWS::Logs::LogGroup",
}
# moto would invoke the functions with Docker: the tests carry the events.
QUIET = {"AWS::Lambda::EventSourceMapping": {"Enabled": False}}
LEFT_OUT = {
    **provision.LEFT_OUT,
    "AWS::ApiGateway::RestApi": "moto makes an API without what its Body says; the tests carry the requests",
    "AWS::ApiGateway::Deployment": "it deploys the API that is left out",
    "AWS::ApiGateway::Stage": "it is a stage of the API that is left out",
    "AWS::CloudWatch::Alarm": "moto's CloudFormation does not know it",
    "AWS::CloudWatch::Dashboard": "moto's CloudFormation does not know it",
    "AWS::Lambda::EventInvokeConfig": "moto's CloudFormation does not know it",
    "AWS::Lambda::Permission": "nobody is kept from invoking anything in moto",
}


def create(template: Json, code: Path, aws: LocalAws, parameters: dict[str, str]) -> dict[str, str]:
    """Create the stack of a transformed template; answers its outputs."""
    _upload(code, aws)
    resources = {name: one for name, one in template["Resources"].items() if "Condition" not in one}
    refuse_the_unknown(resources)
    body = {**template, "Resources": _made(resources)}
    stack = f"sightline-{parameters['Stage']}"
    body["Outputs"] = {name: one for name, one in template["Outputs"].items() if "API" not in json.dumps(one)}
    aws.client("cloudformation").create_stack(
        StackName=stack,
        TemplateBody=json.dumps(body),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": one} for name, one in parameters.items()],
    )
    _fill({**template, "Resources": resources}, aws, parameters)
    [made] = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in made["Outputs"]}


def refuse_the_unknown(resources: Json) -> None:
    """:raises ValueError: nobody makes this, and no reason is given."""
    known = AS_IT_STANDS | set(LEFT_OUT)
    provision.refuse_the_unknown({name: one for name, one in resources.items() if one["Type"] not in known})


def _made(resources: Json) -> Json:
    kept = for_moto({"Resources": resources})["Resources"]
    as_they_stand = {
        name: {"Type": one["Type"], "Properties": {**one.get("Properties", {}), **QUIET.get(one["Type"], {})}}
        for name, one in resources.items()
        if one["Type"] in AS_IT_STANDS
    }
    return {**kept, **as_they_stand}


def _fill(template: Json, aws: LocalAws, parameters: dict[str, str]) -> None:
    """Make what belongs to buckets, queues and topics and moto left out, as the offline stack does."""
    kinds = set(KEPT) | set(provision.BESIDE)
    ours = {
        name: one
        for name, one in template["Resources"].items()
        # A function subscribed to a topic would be invoked by moto, which needs Docker for that.
        if one["Type"] in kinds and one.get("Properties", {}).get("Protocol") != "lambda"
    }
    resolved = Template({**template, "Resources": ours}).resolved(_names(aws, parameters))
    provision.fill(aws.client, {name: one["Type"] for name, one in ours.items()}, resolved)


def _names(aws: LocalAws, parameters: dict[str, str]) -> Names:
    """What the stack's buckets, tables, queues and topics are called, and its parameters."""
    stack = f"sightline-{parameters['Stage']}"
    made = aws.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    refs = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws", **parameters}
    arns = {}
    for one in made:
        kind, logical_id, ref = (
            one[f"{of}Resource{what}"] for of, what in (("", "Type"), ("Logical", "Id"), ("Physical", "Id"))
        )
        if kind in KEPT:
            name = ref.rpartition("/")[2].rpartition(":")[2]
            # moto's CloudFormation gives the URL that AWS would: this one leads to moto.
            refs[logical_id] = f"{aws.url}/{ACCOUNT}/{name}" if kind == "AWS::SQS::Queue" else ref
            arns[f"{logical_id}.Arn"] = provision.arn_of(kind, name)
    return Names(refs, arns)


def _upload(code: Path, aws: LocalAws) -> None:
    where = {"LocationConstraint": "eu-west-1"}
    aws.client("s3").create_bucket(Bucket="code", CreateBucketConfiguration=where)
    aws.client("s3").put_object(Bucket="code", Key="deployment.zip", Body=code.read_bytes())
