"""What watches over a stage: alarms that write to a topic, and a dashboard. CloudFormation, as data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from chalicelib import metrics
from chalicelib.metrics import Metric
from infra.project import APP, Json, Stage

QUEUES = ("uploads", "jobs", "deliveries")
DEAD = ("uploads-dead", "jobs-dead", "deliveries-dead", "events-dead", "changes-dead")
OLDEST_SECONDS = 900  # work that has waited this long is not keeping up
ERRORS = 5  # in five minutes; one by one they are tried again, and nobody need get up
FIVE_MINUTES = 300

PARAMETERS: Json = {
    "AlarmEmail": {
        "Type": "String",
        "Default": "",
        "Description": "Who is written to when an alarm goes off; empty for nobody",
    },
    "LogRetentionDays": {
        "Type": "Number",
        "Description": "How long the functions' logs are kept",
        "AllowedValues": [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653],
    },
}
CONDITIONS: Json = {"SomebodyIsTold": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]}}


def resources(stage: Stage) -> Json:
    """The functions' logs, the alarms' topic, the alarms of every queue and function, and the dashboard."""
    topic = {
        "AlarmTopic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": {"Fn::Sub": _named("alarms")}},
        },
        "AlarmSubscription": {
            "Type": "AWS::SNS::Subscription",
            "Condition": "SomebodyIsTold",
            "Properties": {
                "TopicArn": {"Ref": "AlarmTopic"},
                "Protocol": "email",
                "Endpoint": {"Ref": "AlarmEmail"},
            },
        },
    }
    return {**dict(_logs(stage)), **topic, **dict(_alarms(stage)), "Dashboard": _dashboard(stage)}


def _logs(stage: Stage) -> Iterator[tuple[str, Json]]:
    # Made here and not by Lambda or Chalice: those would keep them for ever, or under another name.
    for function in stage.functions:
        properties = {
            "LogGroupName": {"Fn::Sub": f"/aws/lambda/{stage.name_in_template(function)}"},
            "RetentionInDays": {"Ref": "LogRetentionDays"},
        }
        yield f"Logs{_camel(function)}", {"Type": "AWS::Logs::LogGroup", "Properties": properties}


def _alarms(stage: Stage) -> Iterator[tuple[str, Json]]:
    for queue in DEAD:
        reason = f"Messages lie in {queue}: docs/operations.md, dead letters"
        metric = _sqs(queue, "ApproximateNumberOfMessagesVisible")
        yield _alarm(queue, "not-empty", reason, metric, 0)
    for queue in QUEUES:
        reason = f"The oldest message of {queue} waits more than {OLDEST_SECONDS} s"
        yield _alarm(queue, "late", reason, _sqs(queue, "ApproximateAgeOfOldestMessage"), OLDEST_SECONDS)
    # In milliseconds, by function (AWS Lambda, "Types of metrics for Lambda functions").
    behind = f"Lists and counts are {OLDEST_SECONDS} s behind the records: docs/operations.md, changes"
    age = _lambda(stage, "on_image_change", "IteratorAge")
    yield _alarm("on_image_change", "late", behind, age, 1000 * OLDEST_SECONDS)
    for function in stage.functions:
        failed = f"{function} raised more than {ERRORS} times in five minutes"
        yield _alarm(function, "errors", failed, _lambda(stage, function, "Errors"), ERRORS, "Sum")
        slowed = f"{function} is throttled"
        yield _alarm(function, "throttles", slowed, _lambda(stage, function, "Throttles"), 0, "Sum")


def _sqs(queue: str, metric: str) -> list[str]:
    return ["AWS/SQS", metric, "QueueName", _named(queue)]


def _lambda(stage: Stage, function: str, metric: str) -> list[str]:
    return ["AWS/Lambda", metric, "FunctionName", stage.name_in_template(function)]


def _alarm(
    of: str, what: str, reason: str, measured: list[str], above: int, statistic: str = "Maximum"
) -> tuple[str, Json]:
    namespace, metric, dimension, value = measured
    properties = {
        "AlarmName": {"Fn::Sub": _named(f"{of}-{what}")},
        "AlarmDescription": reason,
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": dimension, "Value": {"Fn::Sub": value}}],
        "Statistic": statistic,
        "Period": FIVE_MINUTES,
        "EvaluationPeriods": 1,
        "Threshold": above,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [{"Ref": "AlarmTopic"}],
    }
    return f"Alarm{_camel(of, what)}", {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def _dashboard(stage: Stage) -> Json:
    queues = [_sqs(one, "ApproximateAgeOfOldestMessage") for one in QUEUES]
    dead = [_sqs(one, "ApproximateNumberOfMessagesVisible") for one in DEAD]
    widgets = [
        _widget("Oldest message, s", queues, "Maximum"),
        _widget("Stream, ms behind", [_lambda(stage, "on_image_change", "IteratorAge")], "Maximum"),
        _widget("Dead letters", dead, "Maximum"),
        _widget("Errors", _of_each(stage, "Errors"), "Sum"),
        _widget("Duration, ms", _of_each(stage, "Duration"), "p90"),
        _widget("Throttles", _of_each(stage, "Throttles"), "Sum"),
        _widget("Images labelled", [_search(metrics.IMAGES_LABELLED, "Sum")], "Sum"),
        _widget("Images failed, by code", [_search(metrics.IMAGES_FAILED, "Sum")], "Sum"),
        _widget("Recogniser, ms", [_search(metrics.RECOGNISER_TIME, "p90")], "p90"),
        _widget("Deliveries, by outcome", [_search(metrics.DELIVERIES, "Sum")], "Sum"),
        _widget("Waited on a queue, s", [_search(metrics.MESSAGE_AGE, "Maximum")], "Maximum"),
    ]
    placed = [{**one, "x": 8 * (i % 3), "y": 6 * (i // 3)} for i, one in enumerate(widgets)]
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            "DashboardName": {"Fn::Sub": f"{APP}-${{Stage}}"},
            "DashboardBody": {"Fn::Sub": json.dumps({"widgets": placed})},
        },
    }


def _of_each(stage: Stage, metric: str) -> list[list[str]]:
    return [_lambda(stage, one, metric) for one in stage.functions]


def _search(metric: Metric, statistic: str) -> list[Json]:
    """A line for each value that the metric's own dimension has had in this stage."""
    schema = ",".join([metrics.NAMESPACE, *metric.dimensions])
    wanted = f'{{{schema}}} MetricName="{metric.name}" stage="${{Stage}}"'
    return [{"expression": f"SEARCH('{wanted}', '{statistic}', {FIVE_MINUTES})"}]


def _widget(title: str, lines: list[list[str]] | list[list[Json]], statistic: str) -> Json:
    properties = {
        "title": title,
        "metrics": lines,
        "stat": statistic,
        "period": FIVE_MINUTES,
        "region": "${AWS::Region}",
        "view": "timeSeries",
    }
    return {"type": "metric", "width": 8, "height": 6, "properties": properties}


def _named(what: str) -> str:
    return f"{APP}-${{Stage}}-{what}"


def _camel(*names: str) -> str:
    return "".join(part.capitalize() for part in _parts(names))


def _parts(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from name.replace("_", "-").split("-")
