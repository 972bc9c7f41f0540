"""An image's way through deployed functions: the tests carry the events, as AWS would."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.access.tokens import SCOPES, Tokens
from chalicelib.table import Table
from local import eventbridge, s3, sns, sqs
from local.moto_server import LocalAws
from local.partner import Partner
from tests.emulator.requests import proxy_event
from tests.packaging.cloud import lose_messages, unpack, variables
from tests.packaging.functions import Deployed, Failed, Running
from tests.packaging.workbench import Workbench
from tests.stubs.endpoint import EndpointStub
from tests.stubs.rekognition import RekognitionStub

Json = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """A deployed stage: its functions by their names in ``app.py``, its resources by their outputs."""

    aws: LocalAws
    functions: dict[str, Running]
    outputs: dict[str, str]
    partner: Partner
    rekognition: RekognitionStub
    overheard: str
    token: str

    def request(self, method: str, path: str, body: Json | None = None, **query: str) -> Json:
        """Ask the REST API through its authorizer and its function; API Gateway's view of the reply.

        Raises :exc:`~tests.packaging.functions.Failed` where the authorizer turns the token away.
        """
        event = proxy_event(method, path, body, query)
        event["requestContext"]["authorizer"] = self.admitted(f"Bearer {self.token}")["context"]
        return dict(self.functions["api_handler"](event))

    def admitted(self, header: str) -> Json:
        """What the authorizer makes of a header."""
        method = "arn:aws:execute-api:eu-west-1:123456789012:api/api/GET/images"
        event = {"type": "TOKEN", "authorizationToken": header, "methodArn": method}
        return dict(self.functions["check_token"](event))

    def put(self, key: str, content: bytes) -> None:
        """Drop an object into the bucket, as any S3 client may."""
        self.aws.client("s3").put_object(Bucket=self.outputs["Bucket"], Key=key, Body=content)

    def upload(self, filename: str, content: bytes) -> str:
        """Announce a JPEG and send it where the answer says; the image's id."""
        image = json.loads(self.request("POST", "/images", {"filename": filename})["body"])
        headers = {"Content-Type": "image/jpeg"}
        put = urllib.request.Request(image["upload"]["url"], data=content, method="PUT", headers=headers)
        urllib.request.urlopen(put, timeout=30).close()
        return str(image["id"])

    def notify(self, key: str) -> None:
        """Hand S3's notification of an object to the labeler."""
        self.functions["on_s3_upload"](notification(self.outputs["Bucket"], key))

    def lose(self, output: str) -> None:
        """Let every message of a queue be lost."""
        lose_messages(self.outputs[f"{output}Url"])

    def forget(self) -> None:
        """Let nothing wait on any queue, now or later: a test counts only what it has caused itself."""
        for output in ("UploadsQueue", "JobsQueue", "DeliveriesQueue"):
            self.lose(output)
        lose_messages(self.overheard)

    def _url(self, output: str) -> str:
        name = self.outputs[f"{output}Url"].rpartition("/")[2]
        return str(self.aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])

    def drain(self, output: str, function: str) -> int:
        """Give every visible message of a queue to its function; answers how many there were."""
        client, url, count = self.aws.client("sqs"), self._url(output), 0
        while messages := received(client, url):
            count += 1
            try:
                answer = self.functions[function](sqs.event(messages, self.outputs[f"{output}Arn"]))
            except Failed as error:
                if "ComesAgain" not in str(error):
                    raise
                continue  # the function has hidden it
            if not answer["batchItemFailures"]:
                client.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
        return count

    def project(self) -> None:
        """Give every record to the projection, as the table's stream would."""
        asked = {
            "FilterExpression": "sk = :record",
            "ExpressionAttributeValues": {":record": {"S": "record"}},
        }
        items = self.aws.client("dynamodb").scan(TableName=self.outputs["Table"], **asked)["Items"]
        records = [change_of(item, place) for place, item in enumerate(items)]
        assert self.functions["on_image_change"]({"Records": records}) == {"batchItemFailures": []}

    def hear(self, times: int = 1) -> int:
        """Give what was published on the topic to the fan-out, so many times; how many results there were."""
        self.project()
        client, count = self.aws.client("sqs"), 0
        while messages := received(client, self.overheard):
            for _ in range(times):
                self.functions["on_sns_message"](sns.event(messages, "arn:aws:sns:eu-west-1:1:s:1"))
            client.delete_message(QueueUrl=self.overheard, ReceiptHandle=messages[0]["ReceiptHandle"])
            count += 1
        return count

    def tick(self) -> None:
        """Let the schedule be due."""
        self.functions["sweep"](eventbridge.tick("sweep"))


@contextmanager
def started(
    functions: dict[str, Json],
    outputs: dict[str, str],
    aws: LocalAws,
    bench: Workbench,
    folder: Path,
    partner: Partner,
) -> Iterator[Stage]:
    """A stage whose functions, described as Lambda's GetFunction does, run on the code that was deployed."""
    libraries = bench.libraries(folder / "libraries")
    with ExitStack() as open_, RekognitionStub() as rekognition, EndpointStub() as endpoint:
        recognisers = {
            "AWS_ENDPOINT_URL_REKOGNITION": rekognition.url,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": endpoint.url,
        }
        around = {**variables(aws), **recognisers}
        running = {}
        for name, described in functions.items():
            deployed = _unpacked(name, described, folder)
            running[name] = open_.enter_context(Running(deployed, bench.python, libraries, around))
        overheard = _overhear(aws, outputs["TopicArn"], folder.name)
        yield Stage(aws, running, outputs, partner, rekognition, overheard, _token(aws, outputs["Table"]))


def change_of(item: Json, place: int) -> Json:
    """What the table's stream tells of an item that is new."""
    change = {
        "Keys": {"pk": item["pk"], "sk": item["sk"]},
        "NewImage": {name: _in_json(value) for name, value in item.items()},
        "SequenceNumber": str(10**21 + place),
    }
    return {"eventSource": "aws:dynamodb", "dynamodb": change}


def _in_json(value: Json) -> Json:
    """A value of an item as Lambda gets it, where binary ones are text."""
    return {kind: base64.b64encode(raw).decode() if kind == "B" else raw for kind, raw in value.items()}


def _token(aws: LocalAws, table: str) -> str:
    """For the owner of what is dropped into the bucket."""
    tokens = Tokens(Table(aws.client("dynamodb"), table), time.time)
    return tokens.issue("default", SCOPES, days=1)[1]


def notification(bucket: str, key: str) -> Json:
    """What S3 tells of an object that was put."""
    described = {"key": key, "size": 1, "eTag": "", "sequencer": "0065A0F0C0FFEE0001"}
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": described},
    }
    message = {"Body": json.dumps({"Records": [record]}), "Attributes": {"SentTimestamp": "1700000000000"}}
    event = s3.event([message])
    assert event is not None
    return event


def _unpacked(name: str, described: Json, folder: Path) -> Deployed:
    configuration = described["Configuration"]
    code = folder / name / "code"
    unpack(configuration["FunctionName"], code)
    told = configuration.get("Environment", {}).get("Variables", {})
    return Deployed(configuration["FunctionName"], code, configuration["Handler"], told)


def _overhear(aws: LocalAws, topic: str, name: str) -> str:
    url = aws.client("sqs").create_queue(QueueName=f"overheard-{name}")["QueueUrl"]
    arn = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return str(url)


def received(client: Any, url: str) -> list[Json]:
    """The next message of a queue, as Lambda would get it; none where nothing waits."""
    return list(
        client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=1, AttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages", [])
    )
