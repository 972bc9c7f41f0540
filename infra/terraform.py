"""The Terraform configuration: what Chalice writes for it, and beside that everything it leaves out.

The resources come as the same CloudFormation template that the other ways use, in one
``aws_cloudformation_stack``: one description, and no second one to keep in step.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from infra import chalice_cli, gateway, vendor
from infra.event_sources import MAY_GO_IN_CIRCLES, SOURCES, Source
from infra.policies import Location
from infra.project import APP, Json, Stage
from infra.stack_template import LEFT_ON, SETTING_OF_OUTPUT, TRIES_AGAIN, resources_template
from infra.workspace import Choices, configure, lay_out, write_json

VERSIONS: Json = {
    "required_version": ">= 1.5",
    "required_providers": {
        # Chalice sets the stage in the deployment, which version 6 of the provider no longer takes.
        "aws": {"source": "hashicorp/aws", "version": ">= 5.70, < 6.0"},
    },
}
VARIABLES: Json = {
    "alarm_email": {
        "type": "string",
        "default": "",
        "description": "who is written to when an alarm goes off",
    },
    "integration_secret": {
        "type": "string",
        "default": "",
        "description": "the secret that is the http(s) URL that gets the XML; empty for what the stage says",
        "validation": {
            "condition": '${can(regex("^(sightline-.+)?$", var.integration_secret))}',
            "error_message": "The functions may read secrets whose names begin with sightline-STAGE-.",
        },
    },
    "log_retention_days": {"type": "number", "description": "how long the functions' logs are kept"},
}
API = "${aws_api_gateway_rest_api.rest_api.id}"


def package(stage: Stage, build: Path, architecture: str = "") -> Path:
    """Write a root module and ``deployment.zip`` below ``build``; answers the folder they are in."""
    out = build / f"terraform-{stage.name}"
    shutil.rmtree(out, ignore_errors=True)
    place = Location(
        "${data.aws_partition.chalice.partition}",
        "${data.aws_region.chalice.name}",
        "${data.aws_caller_identity.chalice.account_id}",
        stage.name,
    )
    folder = lay_out(stage, build / f"workspace-terraform-{stage.name}")
    vendor.fill(stage, folder, architecture)
    configure(stage, folder, Choices({}, place, architecture))
    made = folder / "made"
    chalice_cli.run(folder, "package", "--pkg-format", "terraform", "--stage", stage.name, str(made))
    written = made / "chalice.tf.json"
    write_json(written, _referring(json.loads(written.read_text(encoding="utf-8")), stage))
    write_json(made / "sightline_override.tf.json", _overrides(stage))
    write_json(made / "sightline.tf.json", _beside(stage))
    write_json(made / "resources.json", resources_template(stage))
    shutil.move(made, out)
    return out


def _referring(chalices: Any, stage: Stage) -> Any:
    """What Chalice wrote, with API Gateway's own answers, and references in place of placeholders.

    Its versions are out of date, and a data source of the provider "null" is there that nothing refers to.
    """
    chalices["terraform"] = VERSIONS
    del chalices["data"]["null_data_source"]
    swagger = json.loads(chalices["locals"]["chalice_api_swagger"])
    swagger["x-amazon-apigateway-gateway-responses"] = gateway.swagger_extension(stage)
    chalices["locals"]["chalice_api_swagger"] = json.dumps(swagger)
    told = {setting: _output(output) for output, setting in SETTING_OF_OUTPUT.items()}
    for function in chalices["resource"]["aws_lambda_function"].values():
        function["environment"]["variables"].update(told, INTEGRATION_URL=_integration_url(stage))
    return _replaced(chalices, stage)


def _integration_url(stage: Stage) -> str:
    otherwise = json.dumps(stage.integration_url.replace("${", "$${"))
    return f'${{var.integration_secret == "" ? {otherwise} : format("secret:%s", var.integration_secret)}}'


def _replaced(chalices: Any, stage: Stage) -> Any:
    placeholders = stage.config().environment_variables
    bucket, topic = placeholders["BUCKET"], placeholders["TOPIC_ARN"]
    known = {bucket: _output("Bucket"), topic: _output("TopicArn")}

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            return {key.replace(bucket, APP): read(one) for key, one in value.items()}
        if isinstance(value, list):
            return [read(one) for one in value]
        if isinstance(value, str):
            return known.get(value, value.replace(bucket, known[bucket]))
        return value

    return read(chalices)


def _overrides(stage: Stage) -> Json:
    mappings = {
        f"{function}-{source.kind}-event-source": _mapping(source) for function, source in SOURCES.items()
    }
    return {
        "resource": {
            "aws_lambda_event_source_mapping": mappings,
            "aws_api_gateway_rest_api": {
                "rest_api": {"name": stage.stack, "lifecycle": {"create_before_destroy": True}}
            },
        },
    }


def _mapping(source: Source) -> Json:
    mapping: Json = {"event_source_arn": _output(source.output), **_snake(source.settings)}
    if source.left_on:
        mapping["destination_config"] = {"on_failure": {"destination_arn": _output(f"{source.left_on}Arn")}}
    return mapping


def _snake(settings: Json) -> Json:
    """Settings of Lambda's API as the provider spells them: blocks in the singular, underscores."""
    spelt = {_underscored(name): value for name, value in settings.items()}
    if "filter_criteria" in spelt:
        patterns = [{"pattern": one["Pattern"]} for one in spelt["filter_criteria"]["Filters"]]
        spelt["filter_criteria"] = {"filter": patterns}
    return spelt


def _underscored(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _beside(stage: Stage) -> Json:
    days = {**VARIABLES["log_retention_days"], "default": stage.log_days}
    return {
        "variable": {**VARIABLES, "log_retention_days": days},
        "resource": {
            "aws_cloudformation_stack": {"resources": _stack(stage)},
            "aws_lambda_function_event_invoke_config": dict(_left(stage, f) for f in LEFT_ON),
            "aws_lambda_function_recursion_config": {
                function: {"function_name": _name_of(function), "recursive_loop": "Allow"}
                for function in MAY_GO_IN_CIRCLES
            },
            "aws_api_gateway_method_settings": {"throttling": _throttling(stage)},
        },
    }


def _stack(stage: Stage) -> Json:
    return {
        "name": stage.stack,
        "template_body": '${file("${path.module}/resources.json")}',
        "parameters": {
            "Stage": stage.name,
            "UploadTrigger": stage.trigger,
            "AlarmEmail": "${var.alarm_email}",
            "LogRetentionDays": "${var.log_retention_days}",
        },
    }


def _left(stage: Stage, function: str) -> tuple[str, Json]:
    return function, {
        "function_name": _name_of(function),
        "maximum_retry_attempts": TRIES_AGAIN,
        "destination_config": {"on_failure": {"destination": _output(f"{LEFT_ON[function]}Arn")}},
    }


def _name_of(function: str) -> str:
    return f"${{aws_lambda_function.{function}.function_name}}"


def _throttling(stage: Stage) -> Json:
    limits = {"throttling_rate_limit": gateway.RATE, "throttling_burst_limit": gateway.BURST}
    return {
        "rest_api_id": API,
        "stage_name": stage.config().api_gateway_stage,
        "method_path": "*/*",
        "settings": {**limits, "metrics_enabled": True},
        "depends_on": ["aws_api_gateway_deployment.rest_api"],
    }


def _output(name: str) -> str:
    return f'${{aws_cloudformation_stack.resources.outputs["{name}"]}}'
