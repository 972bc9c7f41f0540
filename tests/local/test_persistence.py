"""What moto was told to store is there again after a restart.

Holds `local/persistence.py`, `local/item_journal.py`, `local/moto_objects.py`, `local/queue_messages.py`.
A restart is played: bucket, table and queue are taken from moto, as a new process would not have them, and
made anew.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.s3.models import s3_backends

from chalicelib.model import ObjectUploaded
from chalicelib.pipeline.batches import event_of
from local import queue_messages
from local.folder import Folder
from local.journal import Journal
from local.moto_server import ACCOUNT, REGION, LocalAws
from local.moto_streams import shard_of
from local.persistence import Keeping, Restored

_numbers = itertools.count()
SMALL = {"pk": {"S": "p"}, "sk": {"S": "s"}}
EVERYTHING = {
    "pk": {"S": "ä\n"},
    "sk": {"S": "b"},
    "body": {"B": b"\x00\xffzip"},
    "number": {"N": "12345678901234567890.5"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "list": {"L": [{"S": ""}, {"M": {"deep": {"B": b"\x80"}}}]},
    "map": {"M": {"n": {"N": "1"}, "l": {"L": []}}},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2.5"]},
    "bytes": {"BS": [b"\xfe", b"\xff"]},
}


class Machine:
    """A stack's AWS that can be stopped, or killed, and started again on its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"kept-{next(_numbers)}"
        self._running = ExitStack()
        self.set_aside: list[str] = []
        self.caught_up = True
        self.start()

    def start(self) -> Restored:
        folder = self._running.enter_context(closing(Folder(self.folder)))
        self.keeping = Keeping(folder, self.name)
        aws = self._running.enter_context(LocalAws(0, self.keeping.around))
        self.s3, self.table, self.sqs = (aws.client(one) for one in ("s3", "dynamodb", "sqs"))
        self.s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.table.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.table.update_time_to_live(
            TableName=self.name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
        )
        self.queue = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        restored = self.keeping.restore()
        self.keeping.restore_messages()
        self.set_aside = folder.set_aside
        return restored

    def stop(self, *, killed: bool = False) -> None:
        if not killed:
            self.keeping.start(lambda: self.caught_up)
            self.keeping.stop()
        s3_backends[ACCOUNT]["aws"].buckets.pop(self.name)
        s3_backends.bucket_accounts.pop(self.name)
        self.table.delete_table(TableName=self.name)
        self.sqs.delete_queue(QueueUrl=self.queue)
        self._running.close()

    def restart(self, *, killed: bool = False) -> Restored:
        self.stop(killed=killed)
        return self.start()

    def put(self, key: str, content: bytes = b"photo", **more: Any) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=content, **more)

    def object(self, key: str) -> Any:
        return self.s3.get_object(Bucket=self.name, Key=key)

    def keys(self) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def items(self) -> list[Any]:
        return list(self.table.scan(TableName=self.name)["Items"])


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.stop()


def test_what_signing_secrets_are_derived_from_is_the_same_at_every_start(machine: Machine) -> None:
    given = []

    class Parameters:
        def put_parameter(self, **parameter: str) -> None:
            given.append(parameter)

    for _ in range(2):
        machine.keeping.restore_signing_root(Parameters(), "a-root")
        machine.restart()
    assert given[0] == given[1]
    assert (len(given[0]["Value"]), given[0]["Name"], given[0]["Type"]) == (64, "a-root", "SecureString")
    assert (machine.folder / "signing-root").stat().st_mode & 0o077 == 0


class TestItems:
    def test_what_has_expired_is_gone_after_a_restart_and_from_the_folder_too(self, machine: Machine) -> None:
        for sk, end in (("over", 1_700_000_000), ("not yet", 4_000_000_000), ("never", None)):
            expiry = {} if end is None else {"expires_at": {"N": str(end)}}
            machine.table.put_item(TableName=machine.name, Item={**SMALL, "sk": {"S": sk}, **expiry})
        for _ in range(2):
            restored = machine.restart()
            assert sorted(one["sk"]["S"] for one in machine.items()) == ["never", "not yet"]
            assert len(restored.items[machine.name]) == 2
        lines = Journal(machine.folder / "table.jsonl").read().values
        gone = [key for line in lines for key in line.get("gone", ())]
        assert gone == [{"pk": SMALL["pk"], "sk": {"S": "over"}}]

    def test_an_item_of_every_type_is_there_again_though_nobody_could_stop(self, machine: Machine) -> None:
        machine.table.put_item(TableName=machine.name, Item=EVERYTHING)

        machine.restart(killed=True)

        assert machine.items() == [EVERYTHING]

    @pytest.mark.parametrize(
        "write",
        [
            lambda table, name: table.delete_item(TableName=name, Key=SMALL),
            lambda table, name: table.update_item(
                TableName=name,
                Key=SMALL,
                UpdateExpression="SET #a = :a ADD #n :n",
                ExpressionAttributeNames={"#a": "a", "#n": "n"},
                ExpressionAttributeValues={":a": {"S": "new"}, ":n": {"N": "2"}},
            ),
            lambda table, name: table.batch_write_item(
                RequestItems={
                    name: [
                        {"PutRequest": {"Item": {**SMALL, "sk": {"S": "t"}}}},
                        {"DeleteRequest": {"Key": SMALL}},
                    ]
                }
            ),
            lambda table, name: table.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": name, "Item": {**SMALL, "sk": {"S": "u"}}}},
                    {"Delete": {"TableName": name, "Key": SMALL}},
                    {
                        "ConditionCheck": {
                            "TableName": name,
                            "Key": {**SMALL, "sk": {"S": "none"}},
                            "ConditionExpression": "attribute_not_exists(pk)",
                        }
                    },
                ]
            ),
        ],
        ids=["delete", "update", "batch", "transaction"],
    )
    def test_every_kind_of_write_is_kept(self, machine: Machine, write: Callable[[Any, str], Any]) -> None:
        machine.table.put_item(TableName=machine.name, Item={**SMALL, "n": {"N": "1"}})
        write(machine.table, machine.name)
        there = machine.items()

        machine.restart(killed=True)

        assert machine.items() == there

    def test_a_write_that_was_refused_is_not_kept(self, machine: Machine) -> None:
        machine.table.put_item(TableName=machine.name, Item=SMALL)
        size = (machine.folder / "table.jsonl").stat().st_size
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            machine.table.put_item(
                TableName=machine.name,
                Item={**SMALL, "a": {"S": "b"}},
                ConditionExpression="attribute_not_exists(pk)",
            )

        assert size == (machine.folder / "table.jsonl").stat().st_size
        machine.restart(killed=True)
        assert machine.items() == [SMALL]

    def test_the_file_does_not_grow_with_writes_to_the_same_item(self, machine: Machine) -> None:
        for number in range(50):
            machine.table.put_item(TableName=machine.name, Item={**SMALL, "n": {"N": str(number)}})
        before = (machine.folder / "table.jsonl").stat().st_size

        machine.restart()

        assert (machine.folder / "table.jsonl").stat().st_size < before / 10
        assert machine.items() == [{**SMALL, "n": {"N": "49"}}]

    def test_a_damaged_file_is_set_aside_and_named_and_the_rest_of_it_is_used(self, machine: Machine) -> None:
        for name in "abc":
            machine.table.put_item(TableName=machine.name, Item={**SMALL, "sk": {"S": name}})
        path = machine.folder / "table.jsonl"
        damaged = path.read_bytes().replace(b'"sk":{"S":"b"}', b'"sk":{"S":"B"}')
        machine.stop(killed=True)
        path.write_bytes(damaged)

        restored = machine.start()

        assert not restored.whole
        assert [one["sk"]["S"] for one in machine.items()] == ["a", "c"]
        assert [Path(one).read_bytes() for one in machine.set_aside] == [damaged]
        assert machine.restart().whole  # what could be read was written anew
        assert [one["sk"]["S"] for one in machine.items()] == ["a", "c"]


class TestStream:
    def write(self, machine: Machine, number: int) -> None:
        machine.table.put_item(TableName=machine.name, Item={**SMALL, "n": {"N": str(number)}})

    def told(self, machine: Machine) -> list[tuple[str, Any, Any]]:
        """What the stream tells after a start: each change with the numbers before and after."""
        changes = [one.event for one in shard_of(machine.name).after(0)]
        images = [(one["eventName"], one["dynamodb"]) for one in changes]
        return [(name, _number(it.get("OldImage")), _number(it.get("NewImage"))) for name, it in images]

    def test_what_nobody_had_seen_when_it_ended_is_told_after_the_start(self, machine: Machine) -> None:
        self.write(machine, 1)
        machine.restart()  # the first change was handed over, and a mark says so
        assert self.told(machine) == []
        self.write(machine, 2)
        self.write(machine, 3)
        machine.table.delete_item(TableName=machine.name, Key=SMALL)

        machine.restart(killed=True)

        assert self.told(machine) == [("MODIFY", "1", "2"), ("MODIFY", "2", "3"), ("REMOVE", "3", None)]

    def test_it_is_told_until_it_has_been_seen(self, machine: Machine) -> None:
        self.write(machine, 1)
        machine.caught_up = False
        for _ in range(2):
            machine.restart()
            assert self.told(machine) == [("INSERT", None, "1")]
        machine.caught_up = True
        machine.restart()
        machine.restart()
        assert self.told(machine) == []

    def test_it_is_told_though_the_file_was_written_anew(self, machine: Machine) -> None:
        for number in range(9):
            self.write(machine, number)
        machine.restart()
        self.write(machine, 10)
        machine.caught_up = False
        before = (machine.folder / "table.jsonl").stat().st_size

        for _ in range(2):
            machine.restart()
            assert self.told(machine) == [("MODIFY", "8", "10")]
        assert (machine.folder / "table.jsonl").stat().st_size <= before


def _number(image: Any) -> Any:
    return image and image["n"]["N"]


class TestObjects:
    @pytest.mark.parametrize(
        "key",
        [
            "uploads/a b+c/é%2F.jpg",
            "uploads/../../outside.jpg",
            "/absolute",
            "uploads//double",
            "uploads/folder/",
            "uploads/tab\tstop",
            "uploads/decomposed-e\u0301.jpg",
            f"uploads/{'long' * 60}.jpg",
            "~/tilde",
            "uploads/.hidden.jpg",
            "uploads/back\\slash",
        ],
    )
    def test_an_object_with_any_key_is_there_again(self, machine: Machine, key: str, tmp_path: Path) -> None:
        machine.put(key, b"photo", ContentType="image/jpeg", Metadata={"from": "anna"})
        before = machine.object(key)

        machine.restart(killed=True)

        after = machine.object(key)
        assert after["Body"].read() == b"photo"
        for name in ("ETag", "LastModified", "ContentType", "Metadata", "ContentLength"):
            assert after[name] == before[name]
        assert machine.keys() == [key]
        assert not list(tmp_path.parent.rglob("outside.jpg"))

    def test_a_photo_is_a_file_with_its_name(self, machine: Machine) -> None:
        machine.put("uploads/holiday/ü 1.jpg", b"bytes")

        assert (machine.folder / "objects" / "uploads" / "holiday" / "ü 1.jpg").read_bytes() == b"bytes"

    def test_keys_that_some_file_systems_take_for_one_have_files_of_their_own(self, machine: Machine) -> None:
        keys = ["uploads/A.jpg", "uploads/a.jpg", "uploads/x", "uploads/x/y", "uploads/x/Y", "uploads"]
        for key in keys:
            machine.put(key, key.encode())

        machine.restart(killed=True)

        assert {key: machine.object(key)["Body"].read() for key in keys} == {
            key: key.encode() for key in keys
        }
        names = [str(one).casefold() for one in (machine.folder / "objects").rglob("*") if one.is_file()]
        assert len(set(names)) == len(keys)

    def test_what_was_overwritten_copied_or_deleted_stays_so(self, machine: Machine) -> None:
        machine.put("uploads/a", b"one")
        machine.put("uploads/a", b"two")
        machine.s3.copy_object(Bucket=machine.name, Key="copy", CopySource=f"{machine.name}/uploads/a")
        machine.put("uploads/deep/b", b"three")
        machine.s3.delete_object(Bucket=machine.name, Key="uploads/deep/b")

        machine.restart(killed=True)

        assert machine.keys() == ["copy", "uploads/a"]
        assert machine.object("copy")["Body"].read() == b"two"
        assert not (machine.folder / "objects" / "uploads" / "deep").exists()

    def test_an_upload_in_parts_keeps_its_etag(self, machine: Machine) -> None:
        where = {"Bucket": machine.name, "Key": "uploads/big"}
        upload = {**where, "UploadId": machine.s3.create_multipart_upload(**where)["UploadId"]}
        parts = [
            {"PartNumber": n, "ETag": machine.s3.upload_part(**upload, PartNumber=n, Body=body)["ETag"]}
            for n, body in ((1, b"a" * 5_300_000), (2, b"b"))
        ]
        machine.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        etag = machine.object("uploads/big")["ETag"]
        assert etag.endswith('-2"')

        machine.restart(killed=True)

        there = machine.object("uploads/big")
        assert (there["ETag"], there["ContentLength"]) == (etag, 5_300_001)

    def test_the_files_are_the_truth(self, machine: Machine) -> None:
        for name in ("stays", "changes", "goes"):
            machine.put(f"uploads/{name}", b"one", ContentType="image/png")
        machine.stop()
        uploads = machine.folder / "objects" / "uploads"
        (uploads / "changes").write_bytes(b"two, longer")
        (uploads / "goes").unlink()
        (uploads / "new.jpg").write_bytes(b"new")
        (uploads / ".DS_Store").write_bytes(b"a desktop's")

        restored = machine.start()

        assert (
            sorted(restored.etags)
            == machine.keys()
            == ["uploads/changes", "uploads/new.jpg", "uploads/stays"]
        )
        changed, new = machine.object("uploads/changes"), machine.object("uploads/new.jpg")
        assert (changed["Body"].read(), changed["ContentType"]) == (b"two, longer", "image/png")
        assert (new["Body"].read(), new["ContentType"]) == (b"new", "image/jpeg")
        assert restored.etags["uploads/changes"] == changed["ETag"].strip('"')

    def test_without_what_is_known_of_them_photos_keep_their_keys_and_others_are_set_aside(
        self, machine: Machine
    ) -> None:
        machine.put("uploads/a.jpg", b"one")
        machine.put("uploads/..", b"two")
        machine.stop()
        (machine.folder / "objects.jsonl").write_bytes(b"00000000 nonsense\n")

        machine.start()

        assert machine.keys() == ["uploads/a.jpg"]
        assert sorted(Path(one).read_bytes() for one in machine.set_aside) == [b"00000000 nonsense\n", b"two"]


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
