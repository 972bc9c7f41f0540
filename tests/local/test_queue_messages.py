"""What waited in a queue is there again after a restart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.model import ObjectUploaded
from chalicelib.pipeline.batches import event_of
from local import queue_messages
from tests.local.machine import Machine

pytestmark = pytest.mark.slow  # moto starts anew for each


class TestMessages:
    def test_what_waited_and_what_was_in_flight_can_be_received(self, machine: Machine) -> None:
        attributes = {
            "text": {"DataType": "String", "StringValue": "é"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\xff"},
        }
        machine.sqs.send_message(
            QueueUrl=machine.queue, MessageBody="in flight", MessageAttributes=attributes
        )
        machine.sqs.receive_message(QueueUrl=machine.queue, VisibilityTimeout=600)
        machine.sqs.send_message(QueueUrl=machine.queue, MessageBody="waits")
        machine.sqs.send_message(QueueUrl=machine.queue, MessageBody="later", DelaySeconds=600)

        machine.restart()

        received = machine.sqs.receive_message(
            QueueUrl=machine.queue,
            MaxNumberOfMessages=10,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )["Messages"]
        tries = {one["Body"]: one["Attributes"]["ApproximateReceiveCount"] for one in received}
        assert tries == {"in flight": "2", "waits": "1"}
        assert received[0]["MessageAttributes"] == attributes

    def test_which_photos_they_tell_of_is_known_and_dead_letters_tell_of_none(self) -> None:
        told = event_of(ObjectUploaded("uploads/ä b+c.jpg"))
        wrapped = {"requestPayload": event_of(ObjectUploaded("uploads/2"))}
        envelope = {"Message": json.dumps(event_of(ObjectUploaded("uploads/3")))}
        bodies = [{"body": json.dumps(one)} for one in (told, wrapped, envelope, {"key": "uploads/4"})]
        dead = [{"body": json.dumps(event_of(ObjectUploaded("uploads/5")))}]

        keys = queue_messages.keys_in({"uploads": bodies, "uploads-dead": dead})

        assert keys == {"uploads/ä b+c.jpg", "uploads/2", "uploads/3"}

    def test_a_damaged_file_is_set_aside(self, machine: Machine) -> None:
        machine.sqs.send_message(QueueUrl=machine.queue, MessageBody="x")
        machine.stop()
        (machine.folder / "queues.json").write_text('{"half')

        machine.start()

        assert [Path(one).read_text() for one in machine.set_aside] == ['{"half']
