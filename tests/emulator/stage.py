"""A stage of this source in the emulator: resources, roles, functions and triggers as a deployment has them.

Functions, triggers and policies are read from the app object and ``.chalice``: what is new comes by itself.
"""

from __future__ import annotations

import copy
import fnmatch
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.access.tokens import SCOPES, Tokens
from chalicelib.table import Table
from infra import beyond_chalice, project
from infra.cloudformation import Stack
from infra.policies import Location, narrowed
from infra.project import API
from infra.stack_template import SETTING_OF_OUTPUT, resources_template
from local.config import ROOT
from local.loopback import REGION
from tests.emulator.emulator import Decision, Emulator
from tests.emulator.requests import proxy_event

Json = dict[str, Any]

ASSUMED_BY_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@dataclass(frozen=True)
class Right:
    """An action of a function's policy, on one of the resources it is allowed for (a pattern)."""

    function: str
    sid: str
    action: str
    pattern: str

    def covers(self, function: str, action: str, resource: str) -> bool:
        """Whether this is the right that a function made use of."""
        # A table's pattern must not pass for its index, nor for its stream.
        same_kind = self.pattern.count("/") == resource.count("/") or ":table/" not in resource
        return (self.function, self.action) == (function, action) and (
            same_kind and fnmatch.fnmatchcase(resource, self.pattern)
        )

    def __str__(self) -> str:
        return f"{self.function}: {self.action} on {self.pattern} ({self.sid})"


@dataclass
class Stage:
    """A stage at work: its resources by their outputs, and a token for the owner of what is dropped in."""

    emulator: Emulator
    account: str
    configured: project.Stage
    outputs: dict[str, str] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    token: str = ""
    log: Path = Path()

    # ── what anybody can do ──────────────────────────────────────────────────────────────────
    def client(self, service: str) -> Any:
        """A boto3 client for the account's root, whom nothing is refused."""
        return self.emulator.client(self.account, service)

    def request(
        self, method: str, path: str, body: Json | str | None = None, *, token: str = "", **query: str
    ) -> Json:
        """Ask the REST API through its authorizer and its function; API Gateway's view of the reply."""
        event = proxy_event(method, path, body, query)
        arn = f"arn:aws:execute-api:{REGION}:{self.account}:api/api/{method}{path}"
        admitted = self.invoke(
            "check_token",
            {"type": "TOKEN", "authorizationToken": f"Bearer {token or self.token}", "methodArn": arn},
        )
        event["requestContext"]["authorizer"] = admitted["context"]
        return self.invoke(API, event)

    def invoke(self, function: str, event: Json) -> Json:
        """Call a function and wait for its answer."""
        answer = self.client("lambda").invoke(
            FunctionName=self.configured.full_name(function), Payload=json.dumps(event)
        )
        said: Json = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise AssertionError(f"{function} failed: {said}\n{self.tail()}")
        return said

    def put(self, key: str, content: bytes) -> None:
        """Drop an object into the bucket, as any S3 client may."""
        self.client("s3").put_object(Bucket=self.outputs["Bucket"], Key=key, Body=content)

    def queue(self, output: str, event: Json) -> None:
        """Put an event on a queue."""
        url = self.outputs[f"{output}Url"]
        self.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(event))

    def waiting(self, output: str) -> int:
        """How many messages lie on a queue."""
        url, asked = self.outputs[f"{output}Url"], "ApproximateNumberOfMessages"
        found = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[asked])
        return int(found["Attributes"][asked])

    def tell_again(self) -> None:
        """Let the topic tell something that it has told before."""
        url = self.outputs["OverheardUrl"]
        [heard] = self.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
        told = json.loads(heard["Body"])["Message"]
        self.client("sns").publish(TopicArn=self.outputs["TopicArn"], Message=told)

    def runs(self, function: str) -> int:
        """How often a function has run to its end: MiniStack gives each run a stream of its log."""
        group = f"/aws/lambda/{self.configured.full_name(function)}"
        pages = self.client("logs").get_paginator("describe_log_streams").paginate(logGroupName=group)
        return sum(len(page["logStreams"]) for page in pages)

    def tail(self) -> str:
        """The end of what the functions have written."""
        return self.log.read_text()[-4000:]

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Meanwhile nothing sets a function off but a direct call, and what was sent to a queue is lost."""
        lambda_, s3, bucket = self.client("lambda"), self.client("s3"), self.outputs["Bucket"]
        mappings = [one["UUID"] for one in lambda_.list_event_source_mappings()["EventSourceMappings"]]
        told = s3.get_bucket_notification_configuration(Bucket=bucket)
        told.pop("ResponseMetadata")
        for mapping in mappings:
            lambda_.update_event_source_mapping(UUID=mapping, Enabled=False)
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
        try:
            yield
        finally:
            for output, url in self.outputs.items():
                if output.endswith("QueueUrl"):
                    self.client("sqs").purge_queue(QueueUrl=url)
            s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)
            for mapping in mappings:
                lambda_.update_event_source_mapping(UUID=mapping, Enabled=True)

    def make_due(self) -> None:
        """Let everything that waits for the sweep have waited since long ago."""
        table, dynamodb = self.outputs["Table"], self.client("dynamodb")
        for item in dynamodb.scan(TableName=table, FilterExpression="attribute_exists(due_at)")["Items"]:
            dynamodb.update_item(
                TableName=table,
                Key={"pk": item["pk"], "sk": item["sk"]},
                UpdateExpression="SET due_at = :then",
                ConditionExpression="attribute_exists(due_at)",
                ExpressionAttributeValues={":then": {"S": "2001-01-01T00:00:00.000Z"}},
            )

    # ── rights ───────────────────────────────────────────────────────────────────────────────
    def decisions(self, after: int = 0) -> Iterator[tuple[str, Decision]]:
        """What was decided on roles of this stage, by function, without the first ``after`` of all."""
        named = {self.configured.full_name(name): name for name in self.policies}
        for one in self.emulator.decisions(after):
            if one.account == self.account and one.role in named:
                yield named[one.role], one

    @property
    def rights(self) -> list[Right]:
        """Every right of every policy."""
        return [
            Right(function, statement["Sid"], action, pattern)
            for function, policy in self.policies.items()
            for statement in policy["Statement"]
            for action in statement["Action"]
            for pattern in statement["Resource"]
        ]

    @contextmanager
    def without(self, right: Right) -> Iterator[None]:
        """Meanwhile the function's role has not this right."""
        policy = copy.deepcopy(self.policies[right.function])
        for statement in list(policy["Statement"]):
            if statement["Sid"] == right.sid and right.action in statement["Action"]:
                others = [one for one in statement["Resource"] if one != right.pattern]
                statement["Action"].remove(right.action)
                if others:
                    left = {**statement, "Sid": "", "Action": [right.action], "Resource": others}
                    policy["Statement"].append(left)
        policy["Statement"] = [one for one in policy["Statement"] if one["Action"]]
        self._write(right.function, policy)
        try:
            yield
        finally:
            self._write(right.function, self.policies[right.function])

    def _write(self, function: str, policy: Json) -> None:
        self.client("iam").put_role_policy(
            RoleName=self.configured.full_name(function),
            PolicyName="rights",
            PolicyDocument=json.dumps(policy),
        )

    # ── how it comes into being ──────────────────────────────────────────────────────────────
    def make_resources(self) -> None:
        """Create the stack, as a deployment does."""
        stack = Stack(
            self.client("cloudformation"),
            self.configured.stack,
            lambda line: None,
            lambda s: time.sleep(0.05),
        )
        parameters = {
            "Stage": self.configured.name,
            "UploadTrigger": self.configured.trigger,
            "AlarmEmail": "",
            "LogRetentionDays": str(self.configured.log_days),
        }
        self.outputs = stack.bring_up(resources_template(self.configured), parameters)
        # MiniStack's CloudFormation leaves it out.
        self.client("dynamodb").update_time_to_live(
            TableName=self.outputs["Table"],
            TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True},
        )
        self.token = self.token_of("default")
        arn = f"arn:aws:sqs:{REGION}:{self.account}:overheard"
        anybody = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        self.outputs["OverheardUrl"] = self.client("sqs").create_queue(
            QueueName="overheard", Attributes={"Policy": json.dumps({"Statement": [anybody]})}
        )["QueueUrl"]
        self.client("sns").subscribe(TopicArn=self.outputs["TopicArn"], Protocol="sqs", Endpoint=arn)

    def token_of(self, owner: str) -> str:
        """A new token of an owner."""
        tokens = Tokens(Table(self.client("dynamodb"), self.outputs["Table"]), time.time)
        return tokens.issue(owner, SCOPES, days=1)[1]

    def make_role(self, function: str) -> dict[str, str]:
        """A function's role with its narrowed policy; answers the credentials of its session."""
        place = Location("aws", REGION, self.account, self.configured.name)
        name = self.configured.full_name(function)
        role = self.client("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps(ASSUMED_BY_LAMBDA), MaxSessionDuration=43200
        )
        self.policies[function] = narrowed(self.configured.policy(function), place)
        self._write(function, self.policies[function])
        made = self.client("sts").assume_role(
            RoleArn=role["Role"]["Arn"], RoleSessionName="lambda", DurationSeconds=43200
        )["Credentials"]
        self.emulator.sessions[made["AccessKeyId"]] = (self.account, name)
        return {
            "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
            "AWS_SESSION_TOKEN": made["SessionToken"],
        }

    def variables(self, function: str) -> dict[str, str]:
        """What a deployment tells a function, and what leads it to the emulator."""
        return {
            **self.configured.config(function).environment_variables,
            **{setting: self.outputs[output] for output, setting in SETTING_OF_OUTPUT.items()},
            "STAGE": self.configured.name,
            "UPLOAD_TRIGGER": self.configured.trigger,
            "AWS_LAMBDA_FUNCTION_NAME": self.configured.full_name(function),
            **self.emulator.variables(self.account),
        }

    def make_function(self, function: str) -> str:
        """A function whose events are posted to its process; its ARN."""
        config = self.configured.config(function)
        made = self.client("lambda").create_function(
            FunctionName=self.configured.full_name(function),
            Runtime="python3.12",
            Handler="app.app" if function == API else f"app.{function}",
            Role=f"arn:aws:iam::{self.account}:role/{self.configured.full_name(function)}",
            Code={"ZipFile": _zip()},
            MemorySize=config.lambda_memory_size,
            Timeout=config.lambda_timeout,
            Environment={"Variables": {"MINISTACK_LAMBDA_PROXY_URL": self.address(function)}},
        )
        return str(made["FunctionArn"])

    def address(self, process: str) -> str:
        """Where a function's process listens."""
        return f"http://127.0.0.1:{self.ports[process]}/"

    @contextmanager
    def led_to(self, function: str, process: str) -> Iterator[None]:
        """Meanwhile a function's events are posted to another process."""
        self._lead(function, process)
        try:
            yield
        finally:
            self._lead(function, function)

    def _lead(self, function: str, process: str) -> None:
        self.client("lambda").update_function_configuration(
            FunctionName=self.configured.full_name(function),
            Environment={"Variables": {"MINISTACK_LAMBDA_PROXY_URL": self.address(process)}},
        )

    def make_trigger(self, source: Json) -> None:
        """Connect a function to what sets it off, as Chalice does."""
        function = self.configured.full_name(source["name"])
        arn = f"arn:aws:lambda:{REGION}:{self.account}:function:{function}"
        match source["kind"]:
            case "S3EventConfig":
                rules = [{"Name": "prefix", "Value": source["prefix"]}]
                told = {
                    "LambdaFunctionArn": arn,
                    "Events": source["events"],
                    "Filter": {"Key": {"FilterRules": rules}},
                }
                self.client("s3").put_bucket_notification_configuration(
                    Bucket=source["bucket"],
                    NotificationConfiguration={"LambdaFunctionConfigurations": [told]},
                )
            case "SNSEventConfig":
                self.client("sns").subscribe(TopicArn=source["topic"], Protocol="lambda", Endpoint=arn)
            case "ScheduledEventConfig":
                rule = {"Name": function, "ScheduleExpression": source["schedule_expression"]}
                self.client("events").put_rule(**rule)
                self.client("events").put_targets(Rule=function, Targets=[{"Id": "1", "Arn": arn}])
            case "SQSEventConfig":
                self.client("lambda").create_event_source_mapping(
                    EventSourceArn=f"arn:aws:sqs:{REGION}:{self.account}:{source['queue']}",
                    FunctionName=function,
                    BatchSize=source["batch_size"],
                    ScalingConfig={"MaximumConcurrency": source["maximum_concurrency"] or 2},
                )
            case "DynamoDBEventConfig":
                self.client("lambda").create_event_source_mapping(
                    EventSourceArn=source["stream_arn"],
                    FunctionName=function,
                    BatchSize=source["batch_size"],
                    StartingPosition=source["starting_position"],
                )
            case kind:
                raise ValueError(f"Nobody connects a {kind}: see tests/emulator/stage.py.")


@contextmanager
def started(
    emulator: Emulator,
    account: str,
    configured: project.Stage,
    folder: Path,
    *,
    chosen: Mapping[str, str],
    variants: Mapping[str, Mapping[str, str]] = {},
) -> Iterator[Stage]:
    """Bring a stage up; its functions are told ``chosen``, too.

    ``variants`` are further processes, by names like ``on_s3_upload@other``, that are told otherwise.
    """
    stage = Stage(emulator, account, configured, log=folder / f"{account}.log")
    stage.make_resources()
    credentials = {function: stage.make_role(function) for function in configured.functions}
    told = {name: {**stage.variables(name), **made, **chosen} for name, made in credentials.items()}
    for name, more in variants.items():
        told[name] = {**told[name.partition("@")[0]], **more}
    with _hosted(told, stage.log) as host:
        stage.ports = host["ports"]
        for function in configured.functions:
            stage.make_function(function)
        for source in host["sources"]:
            stage.make_trigger(source)
        beyond_chalice.leave_failures(stage.client, configured, stage.outputs)
        beyond_chalice.set_up_sources(
            stage.client, configured, stage.outputs, sleep=lambda seconds: time.sleep(0.05)
        )
        beyond_chalice.let_go_in_circles(stage.client, configured)
        yield stage


@contextmanager
def _hosted(functions: Mapping[str, Mapping[str, str]], log: Path) -> Iterator[Json]:
    """The functions' processes."""
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.emulator.host"],
            cwd=ROOT,
            env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps({"functions": functions}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, f"The functions do not start:\n{log.read_text()}"
            yield json.loads(line)
        finally:
            process.stdin.close()
            process.wait()
            process.stdout.close()


def _zip() -> bytes:
    """Code that is never run: the function's process has the source."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("app.py", "")
    return content.getvalue()
