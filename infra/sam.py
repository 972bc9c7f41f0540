"""The SAM application: what Chalice packages, merged with the resources it waits on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from chalice.utils import to_cfn_resource_name

from infra import chalice_cli, gateway, vendor
from infra.event_sources import MAY_GO_IN_CIRCLES, SOURCES, Source
from infra.policies import substituted
from infra.project import API, Json, Stage
from infra.stack_template import LEFT_ON, SETTING_OF_OUTPUT, TRIES_AGAIN, resources_template
from infra.workspace import Choices, configure, lay_out

PARAMETERS: Json = {
    "IntegrationSecret": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "(sightline-[A-Za-z0-9/_+=.@-]+)?",
        "Description": "The secret that is the http(s) URL that gets the XML; empty for what the stage says",
    },
}
CONDITIONS: Json = {"ThereIsASecret": {"Fn::Not": [{"Fn::Equals": [{"Ref": "IntegrationSecret"}, ""]}]}}


def package(stage: Stage, build: Path, architecture: str = "") -> Path:
    """Write ``sam.json`` and ``deployment.zip`` below ``build``; answers the folder they are in."""
    out = build / f"sam-{stage.name}"
    shutil.rmtree(out, ignore_errors=True)
    folder = lay_out(stage, build / f"workspace-sam-{stage.name}")
    vendor.fill(stage, folder, architecture)
    configure(stage, folder, Choices({}, architecture=architecture))
    merge = folder / "merge.json"
    merge.write_text(json.dumps(overlay(stage)), encoding="utf-8")
    made = folder / "made"
    chalice_cli.run(folder, "package", "--stage", stage.name, "--merge-template", str(merge), str(made))
    shutil.move(made, out)
    return out


def overlay(stage: Stage) -> Json:
    """What is merged into Chalice's template: resources, and references in place of names."""
    template = resources_template(stage)
    return {
        "Description": template["Description"],
        "Parameters": {**template["Parameters"], **PARAMETERS},
        "Conditions": {**template["Conditions"], **CONDITIONS},
        "Outputs": template["Outputs"],
        "Resources": {**template["Resources"], **_functions(stage), "RestAPI": _rest_api(stage)},
    }


def logical_id(function: str) -> str:
    """What Chalice's template calls a function."""
    return "APIHandler" if function == API else str(to_cfn_resource_name(function))


def _functions(stage: Stage) -> Json:
    made: Json = {}
    for function in stage.functions:
        name = to_cfn_resource_name(function)
        made[logical_id(function)] = {"Properties": _function(stage, function)}
        made[f"{name}Role"] = {"Properties": {"Policies": [_policy(stage, function)]}}
    return made


def _function(stage: Stage, function: str) -> Json:
    changed: Json = {
        "FunctionName": {"Fn::Sub": stage.name_in_template(function)},
        "Environment": {"Variables": _variables(stage)},
    }
    if source := SOURCES.get(function):
        event = to_cfn_resource_name(f"{function}-{source.kind}-event-source")
        changed["Events"] = {event: {"Properties": _mapping(source)}}
    if function in MAY_GO_IN_CIRCLES:
        changed["RecursiveLoop"] = "Allow"
    if function == "on_sns_message":
        event = to_cfn_resource_name(f"{function}-sns-subscription")
        changed["Events"] = {event: {"Properties": {"Topic": {"Ref": "LabelledTopic"}}}}
    if left_on := LEFT_ON.get(function):
        destination = {"Type": "SQS", "Destination": {"Fn::GetAtt": [left_on, "Arn"]}}
        changed["EventInvokeConfig"] = {
            "MaximumRetryAttempts": TRIES_AGAIN,
            "DestinationConfig": {"OnFailure": destination},
        }
    return changed


def _mapping(source: Source) -> Json:
    if source.kind == "sqs":
        # Chalice wrote a Fn::Sub there: only another takes its place, anything else would stand beside it.
        return {"Queue": {"Fn::Sub": f"${{{source.resource}.Arn}}"}, **source.settings}
    destination = {"Type": "SQS", "Destination": {"Fn::GetAtt": [source.left_on, "Arn"]}}
    return {
        "Stream": {"Fn::GetAtt": [source.resource, source.attribute]},
        **source.settings,
        "DestinationConfig": {"OnFailure": destination},
    }


def _variables(stage: Stage) -> Json:
    outputs = resources_template(stage)["Outputs"]
    referred = {setting: outputs[output]["Value"] for output, setting in SETTING_OF_OUTPUT.items()}
    named = {"Fn::Sub": "secret:${IntegrationSecret}"}
    integration = {"Fn::If": ["ThereIsASecret", named, stage.integration_url]}
    return {**referred, "STAGE": {"Ref": "Stage"}, "INTEGRATION_URL": integration}


def _policy(stage: Stage, function: str) -> Json:
    return {"PolicyName": "sightline", "PolicyDocument": substituted(stage.policy(function))}


def _rest_api(stage: Stage) -> Json:
    throttling = {
        "ResourcePath": "/*",
        "HttpMethod": "*",
        "ThrottlingRateLimit": gateway.RATE,
        "ThrottlingBurstLimit": gateway.BURST,
        "MetricsEnabled": True,
    }
    return {
        "Properties": {
            "Name": {"Fn::Sub": "sightline-${Stage}"},
            # Saying it keeps SAM from making a second stage, named Stage (AWS SAM, "AWS::Serverless::Api").
            "OpenApiVersion": "2.0",
            "MethodSettings": [throttling],
            "DefinitionBody": {
                "info": {"title": {"Fn::Sub": "sightline-${Stage}"}},
                "x-amazon-apigateway-gateway-responses": gateway.swagger_extension(stage),
            },
        }
    }
