"""Cold starts: a new process from its start to the first event that it has handled, in the processor's time.

Each function of a deployed stage beside the least that does its work: a Chalice app of one file that makes
the same clients when it is imported and calls each of them once. All run the package that was made of them,
in a folder that is not written to, as on Lambda, with boto3 as it lies there; AWS is another process.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.deployed import PHOTO, DeployedStage, Spent, packaged, place
from benchmarks.figures import Figure, Progress, median
from local import eventbridge, sns, sqs
from tests.emulator.requests import proxy_event
from tests.packaging.journey import change_of, notification, received

Json = dict[str, Any]
ROUNDS = 9
REST, OTHERS = 1.2, 1.25
HEAD = """
import json, os, urllib.request
import boto3
from chalice import AuthResponse, Chalice

app = Chalice(app_name="peer")
KEY = {"pk": {"S": "peer"}, "sk": {"S": "peer"}}
"""
GET = 'dynamodb.get_item(TableName=os.environ["TABLE"], Key=KEY).get("Item", {})'
PUT = 'dynamodb.put_item(TableName=os.environ["TABLE"], Item=KEY)'
FETCH = 's3.get_object(Bucket=os.environ["BUCKET"], Key="peer")["Body"].read()'
STORE = 's3.put_object(Bucket=os.environ["BUCKET"], Key="peer", Body=b"{}")'
ASKED = 'MaxLabels=50, MinConfidence=55, Features=["GENERAL_LABELS"]'
IN_S3 = '{"S3Object": {"Bucket": os.environ["BUCKET"], "Name": "peer"}}'
DETECT = f"rekognition.detect_labels(Image={IN_S3}, {ASKED})"
TELL = 'sns.publish(TopicArn=os.environ["PEER_TOPIC"], Message="{}")'
SEND = 'sqs.send_message(QueueUrl=os.environ["PEER_QUEUE"], MessageBody="{}")'
COUNT = 'sqs.get_queue_attributes(QueueUrl=os.environ["PEER_QUEUE"], AttributeNames=["All"])'
POST = 'urllib.request.urlopen(os.environ["INTEGRATION_URL"], data=b"<image/>").read()'
ALLOW = 'return AuthResponse(routes=["*"], principal_id="peer")'
# What the peer of a function is registered as, what it is called, and what it does.
PEERS = {
    "api_handler": ('route("/images/{image_id}")', "handler(image_id)", [f"return {GET}"]),
    "check_token": ("authorizer()", "handler(request)", [GET, ALLOW]),
    "on_s3_upload": ('on_s3_event(bucket="b")', "handler(event)", [GET, FETCH, DETECT, PUT]),
    "on_image_change": ('on_dynamodb_record(stream_arn="s")', "handler(event)", [GET, STORE, TELL, PUT]),
    "on_sns_message": ('on_sns_message(topic="t")', "handler(event)", [GET, SEND, PUT]),
    "on_sqs_message": ('on_sqs_message(queue="q")', "handler(event)", [GET, POST, PUT]),
    "sweep": ('schedule("rate(1 minute)")', "handler(event)", [GET, COUNT]),
}
NAMES = {
    "api_handler": "the REST function, to the first GET /images/{id}",
    "check_token": "the authorizer",
    "on_s3_upload": "the labeler",
    "on_image_change": "the projection",
    "on_sns_message": "the fan-out",
    "on_sqs_message": "the worker",
    "sweep": "the sweep",
}


def figures(say: Progress) -> Iterator[Figure]:
    """A row for each function."""
    say("cold starts: a stage is deployed")
    with place() as here:
        yield from _figures(here, say)


def _figures(place: DeployedStage, say: Progress) -> Iterator[Figure]:
    runs = _Runs(place, _peers(place))
    for number in range(ROUNDS + 1):
        say(f"cold starts, round {number} of {ROUNDS}")
        runs.all(number)
    for name, what in NAMES.items():
        ours, peers = (median([one.seconds for one in runs.taken[name, who][1:]]) for who in ("ours", "peer"))
        yield Figure(
            f"cold start of {what}",
            ours / peers,
            "×",
            beside="a Chalice app of one file with the same clients",
            most=REST if name == "api_handler" else OTHERS,
            detail=f"{1000 * ours:.0f} ms beside {1000 * peers:.0f} ms of the processor",
        )


def _peers(place: DeployedStage) -> dict[str, Path]:
    package, made = packaged(place), {}
    for name, (decorator, signature, lines) in PEERS.items():
        used = [one for one in ("dynamodb", "s3", "rekognition", "sns", "sqs") if f"{one}." in "".join(lines)]
        clients = "".join(f'{one} = boto3.client("{one}")\n' for one in used)
        body = "".join(f"    {line}\n" for line in lines)
        made[name] = shutil.copytree(package, place.folder / f"peer-{name}")
        source = f"{HEAD}{clients}\n@app.{decorator}\ndef {signature}:\n{body}"
        (made[name] / "app.py").write_text(source)
    return made


@dataclass
class _Runs:
    """An image's way, each step of which a new process takes; the peer of each step comes right after it."""

    place: DeployedStage
    peers: dict[str, Path]
    taken: dict[tuple[str, str], list[Spent]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        aws, outputs = self.place.stage.aws, self.place.stage.outputs
        aws.client("s3").put_object(Bucket=outputs["Bucket"], Key="peer", Body=PHOTO)
        self.told = {
            "TABLE": outputs["Table"],
            "BUCKET": outputs["Bucket"],
            "PEER_TOPIC": aws.client("sns").create_topic(Name="peer")["TopicArn"],
            "PEER_QUEUE": aws.client("sqs").create_queue(QueueName="peer")["QueueUrl"],
            "INTEGRATION_URL": self.place.partner,
        }

    def all(self, number: int) -> None:
        stage, bucket = self.place.stage, self.place.stage.outputs["Bucket"]
        stage.forget()
        stage.put(f"uploads/{number}.jpg", PHOTO + str(number).encode())
        self._step("on_s3_upload", notification(bucket, f"uploads/{number}.jpg"))
        record = self._new_record()
        self._step("on_image_change", {"Records": [change_of(record, number)]})
        [told] = received(stage.aws.client("sqs"), stage.overheard)
        self._step("on_sns_message", sns.event([told], "arn:aws:sns:eu-west-1:1:s:1"))
        [sent] = received(stage.aws.client("sqs"), stage.outputs["DeliveriesQueueUrl"])
        self._step("on_sqs_message", sqs.event([sent], stage.outputs["DeliveriesQueueArn"]))
        header = f"Bearer {stage.token}"
        method = "arn:aws:execute-api:eu-west-1:123456789012:api/api/GET/images"
        self._step("check_token", {"type": "TOKEN", "authorizationToken": header, "methodArn": method})
        event = proxy_event("GET", f"/images/{record['pk']['S'].rpartition('#')[2]}", None, {})
        event["requestContext"]["authorizer"] = stage.admitted(header)["context"]
        self._step("api_handler", event)
        self._step("sweep", eventbridge.tick("sweep"))

    def _step(self, name: str, event: Json) -> None:
        ours = self.place.ours(name, event)
        peers = self.place.anew(self.peers[name], _handler(name), event, self.told)
        for answer in (ours.answer, peers.answer):
            if name == "api_handler" and answer["statusCode"] != 200:
                raise RuntimeError(f"The request was answered {answer}.")
        self.taken.setdefault((name, "ours"), []).append(ours)
        self.taken.setdefault((name, "peer"), []).append(peers)

    def _new_record(self) -> Json:
        table = self.place.stage.outputs["Table"]
        found = self.place.stage.aws.client("dynamodb").scan(
            TableName=table,
            FilterExpression="sk = :record",
            ExpressionAttributeValues={":record": {"S": "record"}},
        )
        [new] = [one for one in found["Items"] if one["pk"]["S"] not in self.seen]
        self.seen.add(new["pk"]["S"])
        return dict(new)


def _handler(name: str) -> str:
    return "app.app" if name == "api_handler" else "app.handler"
