"""What the offline stack takes from ``.chalice/config.json``: the local stage, moved to free ports."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from chalice.config import Config

from infra.event_sources import SOURCES
from local.loopback import ACCOUNT, REGION
from local.stream_reader import EventSourceMapping
from local.template_reader import Template

ROOT = Path(__file__).resolve().parent.parent
STAGE = "local"
# What `make run RECOGNISER=openai VISION_URL=…` chooses, in words of the environment.
CHOSEN = (
    "RECOGNISER",
    "CASCADE_SECOND",
    "CASCADE_THRESHOLD",
    "FEATURES",
    "VISION_URL",
    "VISION_MODEL",
    "VISION_KEY",
    "VISION_PRICES",
    "BEDROCK_MODEL",
    "BEDROCK_PRICES",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "VOCABULARY",
    "LANGUAGE",
    "XMP_SIDECAR",
)


@dataclass(frozen=True)
class Ports:
    """Where the three servers listen, on 127.0.0.1. The defaults are those written in ``config.json``."""

    aws: int = 5055
    partner: int = 5056
    api: int = 8000


def stage_config(function: str, *, root: Path = ROOT, stage: str = STAGE) -> Config:
    """Chalice's own view of one function (timeout, memory, variables) in a stage."""
    on_disk = json.loads((root / ".chalice" / "config.json").read_text())
    return Config(
        chalice_stage=stage,
        function_name=function,
        config_from_disk=on_disk,
        default_params={"project_dir": str(root)},
    )


def timeout_of(function: str) -> int:
    """Seconds that a function may take."""
    return int(stage_config(function).lambda_timeout or 60)


def mapping_of(function: str, *, stage: str = STAGE) -> EventSourceMapping:
    """What every route sets of a function's event source mapping, beyond Chalice's decorator."""
    source = SOURCES.get(function)
    if source is None:
        return EventSourceMapping()
    said = source.settings
    filters = said.get("FilterCriteria", {}).get("Filters", [])
    return EventSourceMapping(
        pattern=json.loads(filters[0]["Pattern"]) if filters else None,
        partial_batches="ReportBatchItemFailures" in said.get("FunctionResponseTypes", []),
        bisect=said.get("BisectBatchOnFunctionError", False),
        retries=said.get("MaximumRetryAttempts"),
        longest_age=said.get("MaximumRecordAgeInSeconds"),
        on_failure=_queue_arn(source.left_on, stage) if source.left_on else "",
    )


def _queue_arn(logical_id: str, stage: str) -> str:
    queue = Template.load(ROOT / "infra" / "resources.yaml").resources[logical_id]["Properties"]["QueueName"]
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue['Fn::Sub'].replace('${Stage}', stage)}"


def environment(ports: Ports, *, trigger: str | None = None, auth: str | None = None) -> dict[str, str]:
    """The local stage's variables, with the ports, the upload trigger and the door that were asked for."""
    moved = {str(Ports.aws): ports.aws, str(Ports.partner): ports.partner}
    pattern = re.compile(rf"\b({'|'.join(moved)})\b")
    written = stage_config("api_handler").environment_variables
    variables = {
        name: pattern.sub(lambda found: str(moved[found[0]]), value) for name, value in written.items()
    }
    if trigger:
        variables["UPLOAD_TRIGGER"] = trigger
    if auth:
        variables["AUTH"] = auth
    return {**variables, **{name: os.environ[name] for name in CHOSEN if os.environ.get(name)}}


def enter(variables: Mapping[str, str], env: MutableMapping[str, str] = os.environ) -> None:
    """Make ``variables`` this process's, and forget whatever would lead a client to a real account."""
    for name in [name for name in env if name.startswith("AWS_")]:
        del env[name]
    env.update(variables)
    # Credentials of the machine are not read even where a variable is missing.
    env.update(
        AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_EC2_METADATA_DISABLED="true"
    )
