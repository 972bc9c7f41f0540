"""What ``.chalice/config.json`` says of a stage: its functions, their limits and their variables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalice.config import Config

from chalicelib.settings import source_buckets
from infra import model_policies

ROOT = Path(__file__).resolve().parent.parent
APP = "sightline"
API = "api_handler"  # Chalice's name for the function behind the REST API
READS_SOURCES = ("on_upload_message", "on_job_message")
RESERVED = {API: "API_CONCURRENCY", "on_s3_upload": "LABELER_CONCURRENCY"}
Json = dict[str, Any]


class Refused(Exception):
    """What was asked for cannot be done; the message is one sentence for the person who asked."""


@dataclass(frozen=True)
class Stage:
    """One stage of the project under ``root``, with an upload ``trigger`` (s3 or queue)."""

    name: str
    trigger: str
    root: Path = ROOT

    @property
    def stack(self) -> str:
        """The name of its CloudFormation stack, and the beginning of every name in it."""
        return f"{APP}-{self.name}"

    @property
    def functions(self) -> tuple[str, ...]:
        """Every function that is deployed with this trigger, as ``app.py`` calls it."""
        asked = self.config().environment_variables.get("AUTH", "token") == "token"
        left_out = {"on_s3_upload": self.trigger != "s3", "check_token": not asked}
        return tuple(name for name in on_disk(self.root)["lambda_functions"] if not left_out.get(name))

    @property
    def every_function(self) -> tuple[str, ...]:
        """Every function that the project knows, whatever the stage has chosen."""
        return tuple(on_disk(self.root)["lambda_functions"])

    def full_name(self, function: str) -> str:
        """What the function is called in the account, whichever route brought it there."""
        return self.stack if function == API else f"{self.stack}-{function}"

    def name_in_template(self, function: str) -> str:
        """The same for ``Fn::Sub``, where the stage is a parameter."""
        return self.full_name(function).replace(self.stack, f"{APP}-${{Stage}}", 1)

    @property
    def reserved(self) -> dict[str, int]:
        """How much of the account's concurrency the stage reserves, by function: none unless it says so."""
        chosen = self.config().environment_variables
        wanted = {name: int(chosen.get(setting, 0)) for name, setting in RESERVED.items()}
        return {name: number for name, number in wanted.items() if number and name in self.functions}

    @property
    def recogniser(self) -> str:
        """Which one its functions will ask."""
        return str(self.config().environment_variables.get("RECOGNISER", "rekognition"))

    @property
    def integration_url(self) -> str:
        """The server that gets the XML, or the secret that holds its address, as the stage has it."""
        return str(self.config().environment_variables.get("INTEGRATION_URL", ""))

    @property
    def cors_origin(self) -> str:
        """The origin whose pages may call the API; empty where those of no other may."""
        return str(self.config().environment_variables.get("CORS_ORIGIN", ""))

    @property
    def architecture(self) -> str:
        """Of the processors that its functions run on: x86_64 or arm64."""
        return str(self.config().lambda_architecture)

    @property
    def log_days(self) -> int:
        """How long its functions' logs are kept."""
        return int(self.config().log_retention_in_days)

    def config(self, function: str = API) -> Config:
        """Chalice's own view of one function."""
        return Config(
            chalice_stage=self.name,
            function_name=function,
            config_from_disk=on_disk(self.root),
            default_params={"project_dir": str(self.root)},
        )

    def policy(self, function: str) -> Json:
        """The function's policy, written for every stage at once, with what the stage's settings add."""
        path = self.root / ".chalice" / self.config(function).iam_policy_file
        written = dict(json.loads(path.read_text(encoding="utf-8")))
        more = [*self._of_key(written), *(self._of_sources() if function in READS_SOURCES else ())]
        if any(one["Sid"] == "Recognise" for one in written["Statement"]):
            more += model_policies.statements(self.config().environment_variables)
        return {**written, "Statement": [*written["Statement"], *more]}

    def _of_key(self, written: Json) -> list[Json]:
        """Who may read the parameter that the stage's key encrypts may use it, through SSM alone."""
        key = str(self.config().environment_variables.get("SIGNING_KMS_KEY", ""))
        if not key or all(one["Sid"] != "SigningRoot" for one in written["Statement"]):
            return []
        region = key.split(":")[3]
        return [
            {
                "Sid": "SigningKey",
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:Encrypt"],
                "Resource": [key],
                "Condition": {"StringEquals": {"kms:ViaService": f"ssm.{region}.amazonaws.com"}},
            }
        ]

    def _of_sources(self) -> list[Json]:
        """Jobs read the buckets that the stage names, or folders in them."""
        named = source_buckets(str(self.config().environment_variables.get("SOURCE_BUCKETS", "")))
        if not named:
            return []
        objects = [f"arn:aws:s3:::{bucket}/{folder}*" for bucket, folder in named]
        buckets = dict.fromkeys(f"arn:aws:s3:::{bucket}" for bucket, _ in named)
        return [
            {"Sid": "Sources", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": objects},
            {"Sid": "ListSources", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": list(buckets)},
        ]


def on_disk(root: Path = ROOT) -> Json:
    """The whole of ``config.json``."""
    return dict(json.loads((root / ".chalice" / "config.json").read_text(encoding="utf-8")))


def stage(name: str, trigger: str, root: Path = ROOT) -> Stage:
    """:raises Refused: there is no such stage to deploy."""
    known = [one for one in on_disk(root)["stages"] if one != "local"]
    if name not in known:
        raise Refused(f"There is no stage {name!r} to deploy; .chalice/config.json has {', '.join(known)}.")
    return Stage(name, trigger, root)
