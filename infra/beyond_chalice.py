"""What Chalice cannot say of a deployment, set by plain calls; each may be repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from infra import gateway
from infra.event_sources import MAY_GO_IN_CIRCLES, SOURCES
from infra.project import Json, Refused, Stage
from infra.stack_template import LEFT_ON, TRIES_AGAIN

Client = Callable[[str], Any]
Sleep = Callable[[float], None]
POLL_SECONDS = 2.0
PROJECTION = "on_image_change"
ENTRY = f"{PROJECTION}-dynamodb-event-source"
SETTLING_SECONDS = 180.0


def leave_failures(client: Client, stage: Stage, outputs: dict[str, str]) -> None:
    """Give every asynchronous function a queue for the events that it could not do."""
    for function, queue in LEFT_ON.items():
        if function in stage.functions:
            client("lambda").put_function_event_invoke_config(
                FunctionName=stage.full_name(function),
                MaximumRetryAttempts=TRIES_AGAIN,
                DestinationConfig={"OnFailure": {"Destination": outputs[f"{queue}Arn"]}},
            )


def set_up_sources(client: Client, stage: Stage, outputs: dict[str, str], sleep: Sleep = time.sleep) -> None:
    """Set every event source mapping as :mod:`infra.event_sources` says; what is so already stays untouched.

    :raises Refused: a mapping does not come to rest, so that it cannot be changed.
    """
    functions = client("lambda")
    for function, source in SOURCES.items():
        wanted = dict(source.settings)
        if source.left_on:
            wanted["DestinationConfig"] = {"OnFailure": {"Destination": outputs[f"{source.left_on}Arn"]}}
        for mapping in mappings(functions, stage.full_name(function)):
            changed = {name: value for name, value in wanted.items() if mapping.get(name) != value}
            if changed:
                _wait_for_rest(functions, mapping["UUID"], sleep)
                functions.update_event_source_mapping(UUID=mapping["UUID"], **changed)


def mappings(functions: Any, function: str) -> Iterator[Json]:
    """The event source mappings of one function of the account, but those that are being deleted."""
    for page in functions.get_paginator("list_event_source_mappings").paginate():
        for one in page["EventSourceMappings"]:
            if one["FunctionArn"].rpartition(":")[2] == function and one["State"] != "Deleting":
                yield one


def _wait_for_rest(functions: Any, uuid: str, sleep: Sleep) -> None:
    waited = 0.0
    while (state := functions.get_event_source_mapping(UUID=uuid)["State"]) not in ("Enabled", "Disabled"):
        if waited >= SETTLING_SECONDS:
            raise Refused(f"The event source mapping {uuid} stays {state!r}: run make deploy again later.")
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS


def let_go_in_circles(client: Client, stage: Stage) -> None:
    """Let the functions that feed themselves on purpose do so, and no others."""
    functions = client("lambda")
    for function in MAY_GO_IN_CIRCLES:
        name = stage.full_name(function)
        if functions.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] != "Allow":
            functions.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")


def speak_in_problems(client: Client, stage: Stage, rest_api_id: str) -> None:
    """Make API Gateway's own answers problems, bound its rate, and publish both."""
    api, api_stage = client("apigateway"), stage.config().api_gateway_stage
    for kind, one in gateway.responses(stage).items():
        status: Json = {"statusCode": str(one["status"])} if one["status"] else {}
        api.put_gateway_response(
            restApiId=rest_api_id,
            responseType=kind,
            responseParameters=one["parameters"],
            responseTemplates=one["templates"],
            **status,
        )
    api.create_deployment(restApiId=rest_api_id, stageName=api_stage)
    limits = {"rateLimit": gateway.RATE, "burstLimit": gateway.BURST}
    patches = [
        {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
        for name, value in limits.items()
    ]
    api.update_stage(restApiId=rest_api_id, stageName=api_stage, patchOperations=patches)


def stream_of(dynamodb: Any, table: str, sleep: Callable[[float], None] = time.sleep) -> str:
    """The ARN of the table's stream; one that is off is switched on, as that of a restored table is."""
    described = dynamodb.describe_table(TableName=table)["Table"]
    if not described.get("StreamSpecification", {}).get("StreamEnabled"):
        wanted = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        dynamodb.update_table(TableName=table, StreamSpecification=wanted)
        while (described := dynamodb.describe_table(TableName=table)["Table"])["TableStatus"] != "ACTIVE":
            sleep(POLL_SECONDS)
    return str(described["LatestStreamArn"])


def drop_former_mappings(functions: Any, stage: Stage, remembered: list[Json], stream: str) -> list[Json]:
    """Delete the projection's mappings to other streams; answers what is still to be remembered.

    A stream that is switched off and on again is a new one, and so is that of a table that was restored.
    Chalice compares the mapping with what it remembers, and would leave it on the stream that is no more.
    """
    for mapping in mappings(functions, stage.full_name(PROJECTION)):
        if mapping["EventSourceArn"] != stream:
            functions.delete_event_source_mapping(UUID=mapping["UUID"])
    return [one for one in remembered if one["name"] != ENTRY or one["stream_arn"] == stream]
