"""The Terraform module: every reference leads somewhere, and it makes what the SAM application makes."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.conftest import Module, SamApp
from tests.packaging.workbench import Workbench

Json = dict[str, Any]
pytestmark = pytest.mark.slow

# What is written differently for the same thing, in the SAM template and in the module.
SAME = {
    "${AWS::Partition}": "${data.aws_partition.chalice.partition}",
    "${AWS::Region}": "${data.aws_region.chalice.name}",
    "${AWS::AccountId}": "${data.aws_caller_identity.chalice.account_id}",
    "${Stage}": "prod",
}
# The one difference of the two: who tells of uploads, and so which functions there are.
ONLY_HERE = {"on_s3_upload"}


def functions(module: Module) -> dict[str, Json]:
    found: dict[str, Json] = module.blocks["resource"]["aws_lambda_function"]
    return found


def in_sam(sam: SamApp, full_name: str) -> Json:
    """The function of that name."""
    written = full_name.replace("sightline-prod", "sightline-${Stage}", 1)
    [found] = [
        one["Properties"]
        for one in sam.template["Resources"].values()
        if one["Type"] == "AWS::Serverless::Function"
        and one["Properties"]["FunctionName"]["Fn::Sub"] == written
    ]
    properties: Json = found
    return properties


def common(module: Module) -> list[tuple[str, Json]]:
    return [(name, one) for name, one in functions(module).items() if name not in ONLY_HERE]


def test_every_reference_leads_somewhere(module: Module) -> None:
    blocks = module.blocks
    text = json.dumps(blocks)
    inside = " ".join(re.findall(r"\$\{(.*?)\}", text.replace('\\\\\\"', '"').replace('\\"', '"')))

    asked = set(re.findall(r"\b(?:aws_\w+)\.[\w-]+", re.sub(r"data\.\w+\.\w+", "", inside)))
    known = {f"{kind}.{name}" for kind, made in blocks["resource"].items() for name in made}
    data = set(re.findall(r"\bdata\.(\w+\.\w+)", inside))
    outputs = set(re.findall(r'outputs\["(\w+)"\]', inside))

    assert asked
    assert asked <= known
    assert data <= {f"{kind}.{name}" for kind, made in blocks["data"].items() for name in made}
    assert outputs
    assert outputs <= set(module.resources["Outputs"])
    assert set(re.findall(r"\bvar\.(\w+)", inside)) == set(blocks["variable"])
    assert set(re.findall(r"\blocal\.(\w+)", inside)) <= set(blocks["locals"])


def test_the_address_is_told(module: Module) -> None:
    assert (
        module.blocks["output"]["EndpointURL"]["value"] == "${aws_api_gateway_deployment.rest_api.invoke_url}"
    )


def test_no_placeholder_survives(module: Module) -> None:
    assert "000000000000" not in json.dumps(module.blocks)
    for name, function in functions(module).items():
        assert function["function_name"] == "sightline-prod" + ("" if name == "api_handler" else f"-{name}")
        assert function["environment"]["variables"]["TABLE"].endswith('outputs["Table"]}')


def test_todays_versions_are_asked_for(module: Module) -> None:
    wanted = module.blocks["terraform"]

    assert "< 1.4" not in wanted["required_version"]
    assert wanted["required_providers"]["aws"]["version"] == ">= 5.70, < 6.0"
    assert set(wanted["required_providers"]) == {"aws"}


def test_the_functions_are_those_of_the_sam_application(module: Module, sam: SamApp) -> None:
    there = [one for one in sam.template["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]

    assert len(there) == len(common(module))
    for _, one in common(module):
        other = in_sam(sam, one["function_name"])
        assert one["memory_size"] == other["MemorySize"]
        assert one["timeout"] == other["Timeout"]
        assert one["handler"] == other["Handler"]
        assert one["runtime"] == other["Runtime"]
        assert one["architectures"] == other["Architectures"]
        assert set(one["environment"]["variables"]) == set(other["Environment"]["Variables"])


def test_the_integration_servers_address_is_named_and_not_told(module: Module, sam: SamApp) -> None:
    """The stage names no server here: whoever deploys may name a secret."""
    for _, one in common(module):
        here = one["environment"]["variables"]["INTEGRATION_URL"]
        there = in_sam(sam, one["function_name"])["Environment"]["Variables"]["INTEGRATION_URL"]
        assert there == {"Fn::If": ["ThereIsASecret", {"Fn::Sub": "secret:${IntegrationSecret}"}, ""]}
        assert here == '${var.integration_secret == "" ? "" : format("secret:%s", var.integration_secret)}'


def test_the_roles_may_do_the_same(module: Module, sam: SamApp) -> None:
    for name, one in common(module):
        [attached] = [
            policy
            for policy in module.blocks["resource"]["aws_iam_role_policy"].values()
            if policy["role"].startswith(one["role"].removesuffix(".arn}"))
        ]
        role = in_sam(sam, one["function_name"])["Role"]["Fn::GetAtt"][0]
        text = json.dumps(sam.template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"])
        for theirs, ours in SAME.items():
            text = text.replace(theirs, ours)
        expected = json.loads(re.sub(r'\{"Fn::Sub": ("[^"]*")\}', r"\1", text))

        assert json.loads(attached["policy"]) == expected, name


def test_the_same_queues_feed_the_same_functions(module: Module) -> None:
    mappings = module.blocks["resource"]["aws_lambda_event_source_mapping"].values()

    fed = {
        re.findall(r"aws_lambda_function\.(\w+)", one["function_name"])[0]: re.findall(
            r'"(\w+)"', one["event_source_arn"]
        )[0]
        for one in mappings
    }
    assert fed == {
        "on_upload_message": "UploadsQueueArn",
        "on_image_change": "TableStreamArn",
        "on_job_message": "JobsQueueArn",
        "on_sqs_message": "DeliveriesQueueArn",
    }


def test_the_mappings_are_those_of_the_sam_application(module: Module, sam: SamApp) -> None:
    for name, one in module.blocks["resource"]["aws_lambda_event_source_mapping"].items():
        function, _, event = name.partition("-")
        there = in_sam(sam, f"sightline-prod-{function}")["Events"]
        [mapping] = [event["Properties"] for event in there.values()]
        assert (
            one["function_response_types"] == mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        )
        if "sqs" in event:
            bound = mapping["ScalingConfig"]["MaximumConcurrency"]
            assert one["scaling_config"] == {"maximum_concurrency": bound}
    stream = module.blocks["resource"]["aws_lambda_event_source_mapping"][
        "on_image_change-dynamodb-event-source"
    ]
    [pattern] = [one["pattern"] for one in stream["filter_criteria"]["filter"]]
    assert json.loads(pattern) == {"dynamodb": {"Keys": {"sk": {"S": ["record"]}}}}
    assert stream["bisect_batch_on_function_error"] is True
    assert (stream["maximum_retry_attempts"], stream["maximum_record_age_in_seconds"]) == (20, 21_600)
    assert (stream["parallelization_factor"], stream["starting_position"]) == (1, "TRIM_HORIZON")
    assert "ChangesDeadLettersArn" in stream["destination_config"]["on_failure"]["destination_arn"]


def test_jobs_may_feed_themselves_and_nobody_else_may(module: Module) -> None:
    assert module.blocks["resource"]["aws_lambda_function_recursion_config"] == {
        "on_job_message": {
            "function_name": "${aws_lambda_function.on_job_message.function_name}",
            "recursive_loop": "Allow",
        }
    }


def test_what_cannot_be_done_is_kept(module: Module) -> None:
    left = {
        name: re.findall(r'"(\w+)"', one["destination_config"]["on_failure"]["destination"])[0]
        for name, one in module.blocks["resource"]["aws_lambda_function_event_invoke_config"].items()
    }

    assert left == {
        "on_s3_upload": "UploadsQueueArn",
        "on_sns_message": "EventsDeadLettersArn",
        "sweep": "EventsDeadLettersArn",
    }


def test_the_bucket_tells_the_labeler_of_uploads_alone(module: Module) -> None:
    [notified] = module.blocks["resource"]["aws_s3_bucket_notification"].values()
    [told] = notified["lambda_function"]

    assert 'outputs["Bucket"]' in notified["bucket"]
    assert told["filter_prefix"] == "uploads/"
    assert told["lambda_function_arn"] == "${aws_lambda_function.on_s3_upload.arn}"


def test_the_resources_are_the_same(module: Module, sam: SamApp) -> None:
    here, there = module.resources["Resources"], sam.template["Resources"]
    missing = {name for name in here if name not in there}

    # Only what watches the function that there is none of there.
    assert missing == {"LogsOnS3Upload", "AlarmOnS3UploadErrors", "AlarmOnS3UploadThrottles"}
    for name in set(here) - missing - {"Dashboard"}:
        assert here[name] == there[name], name


def test_the_api_says_and_bears_the_same(module: Module, sam: SamApp) -> None:
    api = sam.template["Resources"]["RestAPI"]["Properties"]
    swagger = json.loads(module.blocks["locals"]["chalice_api_swagger"])
    settings = module.blocks["resource"]["aws_api_gateway_method_settings"]["throttling"]["settings"]
    key = "x-amazon-apigateway-gateway-responses"

    assert swagger[key] == api["DefinitionBody"][key]
    assert set(swagger["paths"]) == set(api["DefinitionBody"]["paths"])
    assert settings["throttling_rate_limit"] == api["MethodSettings"][0]["ThrottlingRateLimit"]
    [made] = module.blocks["resource"]["aws_api_gateway_rest_api"].values()
    assert made["minimum_compression_size"] == api["MinimumCompressionSize"]
    assert settings["throttling_burst_limit"] == api["MethodSettings"][0]["ThrottlingBurstLimit"]


# ── Terraform itself, where it and its AWS provider are on the machine ───────────────────────
PROVIDERS = "registry.terraform.io/hashicorp/aws"
MIRRORS = (os.environ.get("TF_PLUGIN_DIR", ""), *glob.glob("/opt/*"), "/usr/share/terraform/plugins")


NO_TERRAFORM = "there is no terraform here with its AWS provider (say where in TF_PLUGIN_DIR)"


def plugins() -> str | None:
    """Where Terraform's AWS provider lies, if Terraform is here and may have it from there."""
    found = (one for one in MIRRORS if one and Path(one, PROVIDERS).is_dir())
    return next(found, None) if shutil.which("terraform") else None


def test_terraform_finds_it_valid(module: Module, bench: Workbench, tmp_path: Path) -> None:
    mirror = plugins()
    if not mirror:
        pytest.skip(NO_TERRAFORM)
    folder = tmp_path / "module"
    shutil.copytree(bench.project / "build" / "terraform-prod", folder)

    terraform(folder, "init", "-backend=false", f"-plugin-dir={mirror}")
    found = json.loads(terraform(folder, "validate", "-json"))

    assert found["valid"], found["diagnostics"]
    # Chalice has stage and address of the API in its deployment, which version 5 still takes.
    assert {one["summary"] for one in found["diagnostics"]} <= {
        "Argument is deprecated",
        "Deprecated attribute",
    }


def terraform(folder: Path, *arguments: str, **told: str) -> str:
    """Run a Terraform command in the folder of a module; what it printed."""
    ran = subprocess.run(  # noqa: S603 - our own
        ["terraform", *arguments],  # noqa: S607
        cwd=folder,
        env={"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1", **told},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return ran.stdout
