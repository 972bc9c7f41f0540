"""The resources of a stage and what watches over them, as one CloudFormation template."""

from __future__ import annotations

from pathlib import Path

import yaml

from infra import alarms
from infra.project import Json, Stage

RESOURCES = Path(__file__).parent / "resources.yaml"


def resources_template(stage: Stage) -> Json:
    """``resources.yaml`` with the alarms, the dashboard and the stage's own choices as defaults."""
    body: Json = yaml.safe_load(RESOURCES.read_text(encoding="utf-8"))
    chosen = {"Stage": stage.name, "UploadTrigger": stage.trigger, "LogRetentionDays": stage.log_days}
    parameters = {
        name: {**one, **({"Default": chosen[name]} if name in chosen else {})}
        for name, one in {**body["Parameters"], **alarms.PARAMETERS}.items()
    }
    return {
        **body,
        "Parameters": parameters,
        "Conditions": {**body["Conditions"], **alarms.CONDITIONS},
        "Resources": {**body["Resources"], **alarms.resources(stage)},
    }


def import_template(stage: Stage) -> Json:
    """Bucket and table alone, as they are, for a stack that takes in what an earlier one has left.

    CloudFormation imports into a template that holds nothing else, and changes nothing in doing so
    (AWS CloudFormation, "Import AWS resources into a CloudFormation stack").
    """
    body = resources_template(stage)
    kept = {name: dict(body["Resources"][name]) for name in ("Bucket", "Table")}
    del kept["Bucket"]["DependsOn"]
    properties = kept["Bucket"]["Properties"]
    kept["Bucket"]["Properties"] = {
        name: value for name, value in properties.items() if name != "NotificationConfiguration"
    }
    return {
        "AWSTemplateFormatVersion": body["AWSTemplateFormatVersion"],
        "Parameters": {name: body["Parameters"][name] for name in ("Stage", "PageOrigin")},
        "Resources": kept,
    }


# What the functions are told, by the output of the resources that it comes from.
SETTING_OF_OUTPUT = {
    "Bucket": "BUCKET",
    "Table": "TABLE",
    "TableStreamArn": "TABLE_STREAM_ARN",
    "TopicArn": "TOPIC_ARN",
    "UploadsQueueUrl": "UPLOADS_QUEUE_URL",
    "JobsQueueUrl": "JOBS_QUEUE_URL",
    "DeliveriesQueueUrl": "DELIVERIES_QUEUE_URL",
}

# Where an asynchronous function leaves an event that it could not do in three tries. The labeler's go
# on the uploads queue, where they get five tries more.
LEFT_ON = {
    "on_s3_upload": "UploadsQueue",
    "on_sns_message": "EventsDeadLetters",
    "sweep": "EventsDeadLetters",
}
TRIES_AGAIN = 2  # after the first try, as AWS Lambda does unless it is told otherwise
