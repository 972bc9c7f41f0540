"""What the labelers of a stage may do for its language model: no more than that one needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.settings import last_asked

# A profile for several regions begins with where they are ("Supported Regions and models for inference
# profiles", Amazon Bedrock); one for the whole world may answer from any of them.
_REGIONS = {
    "us": "us-*",
    "us-gov": "us-gov-*",
    "eu": "eu-*",
    "apac": "ap-*",
    "jp": "ap-northeast-*",
    "au": "ap-southeast-*",
    "ca": "ca-*",
    "global": "*",
}


def statements(chosen: Mapping[str, str]) -> list[dict[str, Any]]:
    """The statements for the model and the key that a stage's variables name; none where they name none."""
    asked = last_asked(chosen.get("RECOGNISER", ""), chosen.get("CASCADE_SECOND", ""))
    if asked == "bedrock":
        return [_allowed("AskModel", "bedrock:InvokeModel", _resources(chosen["BEDROCK_MODEL"]))]
    key = chosen.get("VISION_KEY", "")
    if asked == "openai" and key.startswith("secret:"):
        secrets = "arn:aws:secretsmanager:*:*:secret:sightline-*-*"  # the stage's own
        return [_allowed("ReadKey", "secretsmanager:GetSecretValue", [secrets])]
    return []


def _resources(model: str) -> list[str]:
    """The ARNs of a model, or of a profile and of the model behind it."""
    if model.startswith("arn:"):
        return [model, "arn:aws:bedrock:*::foundation-model/*"]
    where, _, name = model.partition(".")
    if where not in _REGIONS:
        return [f"arn:aws:bedrock:*::foundation-model/{model}"]
    return [
        f"arn:aws:bedrock:*:*:inference-profile/{model}",
        f"arn:aws:bedrock:{_REGIONS[where]}::foundation-model/{name}",
    ]


def _allowed(sid: str, action: str, resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": [action], "Resource": resources}
