"""What Chalice cannot say of a deployment, set by plain calls; each may be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra import gateway
from infra.project import Json, Stage
from infra.template import LEFT_ON, TRIES_AGAIN

Client = Callable[[str], Any]


def leave_failures(client: Client, stage: Stage, outputs: dict[str, str]) -> None:
    """Give every asynchronous function a queue for the events that it could not do."""
    for function, queue in LEFT_ON.items():
        if function in stage.functions:
            client("lambda").put_function_event_invoke_config(
                FunctionName=stage.full_name(function),
                MaximumRetryAttempts=TRIES_AGAIN,
                DestinationConfig={"OnFailure": {"Destination": outputs[f"{queue}Arn"]}},
            )


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
