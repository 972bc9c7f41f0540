"""``make redrive``: what ended as a dead letter gets another chance, once its cause is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from infra.project import Json, Refused

Client = Callable[[str], Any]
SOURCES = {"UploadsDeadLetters": "UploadsQueue", "DeliveriesDeadLetters": "DeliveriesQueue"}


def redrive(client: Client, outputs: dict[str, str]) -> dict[str, int]:
    """Move dead letters back to where they came from; answers how many, by dead-letter queue.

    Each is sent before it is deleted: an interruption can only lead to one being handled twice, which
    every function bears.

    :raises Refused: the stage has not been deployed.
    """
    if "EventsDeadLettersUrl" not in outputs:
        raise Refused("This stage has no dead letters: it has not been deployed from here.")
    sqs, moved = client("sqs"), {}
    for dead, source in SOURCES.items():
        send = _sender(sqs, outputs[f"{source}Url"])
        moved[dead] = _each(sqs, outputs[f"{dead}Url"], send)
    moved["EventsDeadLetters"] = _each(
        sqs, outputs["EventsDeadLettersUrl"], lambda body: _invoke(client("lambda"), json.loads(body))
    )
    return moved


def _sender(sqs: Any, url: str) -> Callable[[str], object]:
    return lambda body: sqs.send_message(QueueUrl=url, MessageBody=body)


def _each(sqs: Any, url: str, act: Callable[[str], object]) -> int:
    done = 0
    for message in _received(sqs, url):
        act(message["Body"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        done += 1
    return done


def _received(sqs: Any, url: str) -> Iterator[Json]:
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=60
    ).get("Messages"):
        yield from messages


def _invoke(functions: Any, failed: Json) -> None:
    """Send an event again to the function that failed on it (AWS Lambda, "invocation record")."""
    functions.invoke(
        FunctionName=failed["requestContext"]["functionArn"].removesuffix(":$LATEST"),
        InvocationType="Event",
        Payload=json.dumps(failed["requestPayload"]).encode(),
    )
