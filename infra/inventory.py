"""What an account holds of a stage, by looking: in the words in which Chalice remembers a deployment.

Chalice records what it made on the machine that ran it, and only once all of it is made. Whoever deploys from
elsewhere, or after a run that broke off, finds here what is already there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.project import API, APP, Json, Stage, on_disk

Client = Callable[[str], Any]
_ABSENT = {
    "404",
    "NoSuchBucket",
    "NoSuchEntity",
    "NotFound",
    "NotFoundException",
    "ResourceNotFoundException",
}


@dataclass(frozen=True)
class Inventory:
    """Looks through an account and region for what belongs to ``stage``."""

    client: Client
    region: str
    stage: Stage

    def entries(self, outputs: dict[str, str]) -> list[Json]:
        """Chalice's entries for roles, functions, triggers and the REST API, in the order they are made.

        ``outputs`` are those of the stage's resources, as far as there are any.
        """
        arns, found = self._functions(), list[Json]()
        mappings = self._mappings()
        for name in dict.fromkeys((*self.stage.every_function, *arns)):
            function = self.stage.full_name(name)
            found += self._role(name)
            if name in arns:
                found.append(_entry(name, "lambda_function", lambda_arn=arns[name]))
            found += [_mapping(name, one) for one in mappings if _function_of(one) == function]
            found += self._notification(name, arns.get(name, ""), outputs.get("Bucket", ""))
            found += self._subscription(name, arns.get(name, ""), outputs.get("TopicArn", ""))
            found += self._rule(name)
        return found + self._api()

    def left(self) -> list[str]:
        """All that there is of the stage but bucket and table, in words."""
        named = ("role_name", "rule_name", "lambda_arn", "rest_api_id")
        found = [
            f"{one['resource_type']} {next(one[key] for key in named if key in one)}"
            for one in self.entries({})
        ]
        found += [f"log_group {one}" for one in self.log_groups()]
        prefix = f"{self.stage.stack}-"
        alarms = self._pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=prefix)
        found += [f"alarm {one['AlarmName']}" for one in alarms if self._is_ours(one["AlarmName"])]
        for url in self._pages("sqs", "list_queues", "QueueUrls", QueueNamePrefix=prefix):
            found += [f"queue {name}" for name in (url.rpartition("/")[2],) if self._is_ours(name)]
        return found

    def log_groups(self) -> Iterator[str]:
        """The log groups of the stage's functions."""
        names = {f"/aws/lambda/{self.stage.full_name(one)}" for one in self.stage.every_function}
        prefix = f"/aws/lambda/{self.stage.stack}"
        for one in self._pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
            if one["logGroupName"] in names:
                yield one["logGroupName"]

    # ── one kind of thing each ───────────────────────────────────────────────────────────────
    def _functions(self) -> dict[str, str]:
        """ARNs by the names in ``app.py``; "sightline-dev-blue" may be the API of a stage "dev-blue"."""
        found = {}
        for one in self._pages("lambda", "list_functions", "Functions"):
            name, arn, stack = one["FunctionName"], one["FunctionArn"], self.stage.stack
            if name == stack or name.startswith(f"{stack}-"):
                tag = self.client("lambda").list_tags(Resource=arn)["Tags"].get("aws-chalice", "")
                if f":stage={self.stage.name}:" in tag:
                    found[API if name == stack else name.removeprefix(f"{stack}-")] = arn
        return found

    def _role(self, name: str) -> list[Json]:
        role = f"{self.stage.stack}-{name}"
        found = _if_there(lambda: self.client("iam").get_role(RoleName=role))
        arn = found["Role"]["Arn"] if found else ""
        return [_entry(f"{name}_role", "iam_role", role_arn=arn, role_name=role)] if found else []

    def _mappings(self) -> list[Json]:
        found = self._pages("lambda", "list_event_source_mappings", "EventSourceMappings")
        return [one for one in found if one["State"] != "Deleting"]

    def _notification(self, name: str, arn: str, bucket: str) -> list[Json]:
        if not (arn and bucket):
            return []
        told = _if_there(lambda: self.client("s3").get_bucket_notification_configuration(Bucket=bucket))
        targets = [one["LambdaFunctionArn"] for one in (told or {}).get("LambdaFunctionConfigurations", [])]
        return (
            [_entry(f"{name}-s3event", "s3_event", bucket=bucket, lambda_arn=arn)] if arn in targets else []
        )

    def _subscription(self, name: str, arn: str, topic: str) -> list[Json]:
        if not (arn and topic):
            return []
        found = self._pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
        return [
            _entry(
                f"{name}-sns-subscription",
                "sns_event",
                topic=topic,
                topic_arn=topic,
                lambda_arn=arn,
                subscription_arn=one["SubscriptionArn"],
            )
            for one in found
            if one["Endpoint"] == arn
        ]

    def _rule(self, name: str) -> list[Json]:
        rule = f"{self.stage.stack}-{name}-event"
        found = _if_there(lambda: self.client("events").describe_rule(Name=rule))
        return [_entry(f"{name}-event", "cloudwatch_event", rule_name=rule)] if found else []

    def _api(self) -> list[Json]:
        """The REST API that asks the stage's function: the APIs of all stages have one name."""
        asked = f":function:{self.stage.stack}/invocations"
        for one in self._pages("apigateway", "get_rest_apis", "items"):
            if one["name"] == APP and asked in str(self._methods(one["id"])):
                address = f"https://{one['id']}.execute-api.{self.region}.{self._suffix}"
                url = f"{address}/{self.stage.config().api_gateway_stage}/"
                return [_entry("rest_api", "rest_api", rest_api_id=one["id"], rest_api_url=url)]
        return []

    def _methods(self, api: str) -> list[Json]:
        return list(self._pages("apigateway", "get_resources", "items", restApiId=api, embed=["methods"]))

    @property
    def _suffix(self) -> str:
        return "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"

    # ── looking ──────────────────────────────────────────────────────────────────────────────
    def _pages(self, service: str, operation: str, what: str, **asked: Any) -> Iterator[Any]:
        for page in self.client(service).get_paginator(operation).paginate(**asked):
            yield from page.get(what, [])

    def _is_ours(self, name: str) -> bool:
        """Whether a name that begins like ours is not one of another stage, "dev-blue" beside "dev"."""
        others = (one for one in on_disk(self.stage.root)["stages"] if one.startswith(f"{self.stage.name}-"))
        return not any(name.startswith(f"{APP}-{one}-") for one in others)


def _entry(name: str, kind: str, **values: str) -> Json:
    return {"name": name, "resource_type": kind, **values}


def _function_of(mapping: Json) -> str:
    return str(mapping["FunctionArn"].rpartition(":")[2])


def _mapping(name: str, one: Json) -> Json:
    source = one["EventSourceArn"]
    known = {"event_uuid": one["UUID"], "lambda_arn": one["FunctionArn"]}
    if ":sqs:" in source:
        queue = source.rpartition(":")[2]
        return _entry(f"{name}-sqs-event-source", "sqs_event", queue_arn=source, queue=queue, **known)
    return _entry(f"{name}-dynamodb-event-source", "dynamodb_event", stream_arn=source, **known)


def _if_there(ask: Callable[[], Json]) -> Json | None:
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return None
        raise
