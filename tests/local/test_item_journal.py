"""What was put into the table is there again after a restart, and its stream goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.journal import Journal
from local.moto_streams import shard_of
from tests.local.machine import SMALL, Machine

pytestmark = pytest.mark.slow  # moto starts anew for each

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
