"""``make redrive``: what ended as a dead letter gets another chance, once its cause is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from infra.project import Json
from infra.stream_redrive import NotOurs, projected_again

Client = Callable[[str], Any]
SOURCES = {f"{one}DeadLetters": f"{one}Queue" for one in ("Uploads", "Jobs", "Deliveries")}


def redrive(client: Client, outputs: dict[str, str], tell: Callable[[str], None] = print) -> dict[str, int]:
    """Move dead letters back to where they came from; answers how many, by dead-letter queue.

    Each is sent before it is deleted: an interruption can only lead to one being handled twice, which
    every function bears. What is no function's event stays where it is, and ``tell`` gets a line about it.
    """
    sqs, moved = client("sqs"), {}
    for dead, source in SOURCES.items():
        send = _sender(sqs, outputs[f"{source}Url"])
        moved[dead] = _each(sqs, outputs[f"{dead}Url"], send, tell)
    invoke = _invoker(client("lambda"))
    moved["EventsDeadLetters"] = _each(sqs, outputs["EventsDeadLettersUrl"], invoke, tell)
    project = projected_again(client, outputs["Table"])
    moved["ChangesDeadLetters"] = _each(sqs, outputs["ChangesDeadLettersUrl"], project, tell)
    return moved


def _sender(sqs: Any, url: str) -> Callable[[str], object]:
    return lambda body: sqs.send_message(QueueUrl=url, MessageBody=body)


def _each(sqs: Any, url: str, act: Callable[[str], object], tell: Callable[[str], None]) -> int:
    done = 0
    for message in _received(sqs, url):
        try:
            act(message["Body"])
        except NotOurs as reason:
            tell(f"Left in {url.rpartition('/')[2]}: message {message['MessageId']} is {reason}.")
            continue
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        done += 1
    return done


def _received(sqs: Any, url: str) -> Iterator[Json]:
    """Each message once, also one that is left and comes back meanwhile."""
    seen: set[str] = set()
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=60
    ).get("Messages"):
        new = [one for one in messages if one["MessageId"] not in seen]
        if not new:
            return
        seen.update(one["MessageId"] for one in new)
        yield from new


def _invoker(functions: Any) -> Callable[[str], object]:
    """What sends an event again to the function that failed on it."""

    def invoke(body: str) -> None:
        function, event = _failed(body)
        try:
            functions.invoke(
                FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode()
            )
        except functions.exceptions.ResourceNotFoundException:
            raise NotOurs(f"for {function}, which there is not (any more)") from None

    return invoke


def _failed(body: str) -> tuple[str, Any]:
    """The function of an invocation record, and the event that it failed on.

    (AWS Lambda, "Capturing records of Lambda asynchronous invocations")
    """
    try:
        record = json.loads(body)
        function = record["requestContext"]["functionArn"].removesuffix(":$LATEST")
        return function, record["requestPayload"]
    except ValueError:
        raise NotOurs("no JSON") from None
    except (KeyError, TypeError, AttributeError):
        raise NotOurs("no record of an invocation") from None
