"""The labelers may ask the stage's own language model and no other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.policies import Location, narrowed, substituted
from infra.project import ROOT, Stage

HERE = Location("aws", "eu-west-1", "123456789012", "dev")
LABELERS = ("on_s3_upload", "on_upload_message")


def stage(folder: Path, **variables: str) -> Stage:
    shutil.copytree(ROOT / ".chalice", folder / ".chalice")
    path = folder / ".chalice" / "config.json"
    config = json.loads(path.read_text())
    config["stages"]["dev"]["environment_variables"] |= variables
    path.write_text(json.dumps(config))
    return Stage("dev", "s3", folder)


def allowed(policy: dict[str, Any], action: str) -> list[Any]:
    return [arn for one in policy["Statement"] if action in one["Action"] for arn in one["Resource"]]


@pytest.mark.parametrize(
    ("model", "resources"),
    [
        ("amazon.nova-lite-v1:0", ["arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0"]),
        (
            "eu.amazon.nova-lite-v1:0",
            [
                "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
                "arn:aws:bedrock:eu-*::foundation-model/amazon.nova-lite-v1:0",
            ],
        ),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc",
            [
                "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc",
                "arn:aws:bedrock:*::foundation-model/*",
            ],
        ),
    ],
)
def test_a_model_or_a_profile_in_its_regions_is_allowed_to_the_labelers(
    tmp_path: Path, model: str, resources: list[str]
) -> None:
    ours = stage(tmp_path, RECOGNISER="cascade", CASCADE_SECOND="bedrock", BEDROCK_MODEL=model)
    for function in LABELERS:
        policy = narrowed(ours.policy(function), HERE)
        assert allowed(policy, "bedrock:InvokeModel") == resources
    assert not allowed(ours.policy("api_handler"), "bedrock:InvokeModel")
    filled = allowed(substituted(ours.policy("on_s3_upload")), "bedrock:InvokeModel")[0]["Fn::Sub"]
    assert filled.startswith("arn:${AWS::Partition}:bedrock:")


def test_a_key_that_is_a_secret_may_be_read_and_who_asks_no_model_gets_no_right(tmp_path: Path) -> None:
    ours = stage(tmp_path / "a", RECOGNISER="openai", VISION_KEY="secret:sightline-dev-vision")
    policy = narrowed(ours.policy("on_upload_message"), HERE)
    secrets = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:sightline-dev-*"
    assert allowed(policy, "secretsmanager:GetSecretValue") == [secrets]
    plain = stage(tmp_path / "b", BEDROCK_MODEL="amazon.nova-lite-v1:0").policy("on_s3_upload")
    assert not allowed(plain, "bedrock:InvokeModel")
    assert not allowed(plain, "secretsmanager:GetSecretValue")
