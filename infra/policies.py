"""The policy files, narrowed from "any stage" to one stage, region and account."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from infra.project import APP, Json

OTHERS = ("Sources", "ListSources")  # statements about other people's buckets, which are named as they are
_ARN = re.compile(r"arn:aws:(?P<service>[^:]+):(?P<region>[^:]*):(?P<account>[^:]*):(?P<rest>.+)")


@dataclass(frozen=True)
class Location:
    """Where a stage lives: plain values, or what a template language writes in their stead."""

    partition: str
    region: str
    account: str
    stage: str


CLOUDFORMATION = Location("${AWS::Partition}", "${AWS::Region}", "${AWS::AccountId}", "${Stage}")


def narrowed(policy: Json, place: Location) -> Json:
    """The policy with every resource in ``place``; ``*`` stays where an action knows no resources."""
    return _resources(policy, lambda arn: arn if _is_exact(arn) else _narrowed(arn, place), place.partition)


def substituted(policy: Json) -> Json:
    """The policy for a CloudFormation template, its resources as ``Fn::Sub``."""
    return _resources(
        policy,
        lambda arn: arn if _is_exact(arn) else {"Fn::Sub": _narrowed(arn, CLOUDFORMATION)},
        CLOUDFORMATION.partition,
    )


def _is_exact(arn: str) -> bool:
    """Whether it stays as it is: it knows no resources, or is the stage's own key."""
    return arn == "*" or arn.split(":")[2] == "kms"


def _resources(policy: Json, change: Callable[[str], object], partition: str) -> Json:
    def changed(statement: Json) -> list[object]:
        if statement["Sid"] not in OTHERS:
            return [change(arn) for arn in statement["Resource"]]
        placed = [arn.replace("arn:aws:", f"arn:{partition}:", 1) for arn in statement["Resource"]]
        return [{"Fn::Sub": arn} if "${" in arn else arn for arn in placed]

    return {**policy, "Statement": [{**one, "Resource": changed(one)} for one in policy["Statement"]]}


def _narrowed(arn: str, place: Location) -> str:
    found = _ARN.fullmatch(arn)
    if found and found["service"] == "bedrock":  # a model is nobody's, and in the regions of its profile
        own = found["rest"].startswith(("inference-profile/", "application-inference-profile/"))
        where = (place.region, place.account) if own else (found["region"], "")
        return f"arn:{place.partition}:bedrock:{where[0]}:{where[1]}:{found['rest']}"
    if not found or f"{APP}-*" not in arn:
        raise ValueError(f"{arn!r} names no resource of {APP}-*.")
    region = place.region if found["region"] == "*" else found["region"]
    account = place.account if found["account"] == "*" else found["account"]
    name = f"{APP}-{place.stage}"
    if found["service"] == "s3":
        name += f"-{place.account}"  # names of buckets are unique in the world
    elif found["service"] == "sagemaker":
        name = f"{APP}-*"  # an endpoint is paid for by the hour: stages may share one
    rest = found["rest"].replace(f"{APP}-*", name)
    return f"arn:{place.partition}:{found['service']}:{region}:{account}:{rest}"
