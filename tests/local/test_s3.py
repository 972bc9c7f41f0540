"""A bucket as a trigger: the runtime against moto, with small apps whose handlers remember.

Holds `local/s3.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from local.runtime import Runtime
from tests.local.small_app import Bench, Memory, always, the_first_time, uploads


def test_an_upload_reaches_the_handler_as_s3s_own_notification(bench: Bench) -> None:
    memory = Memory()
    uploads(bench, memory)
    runtime = bench.run()

    bench.put("holiday/a b+c é&d.jpg", b"four")
    runtime.wait_until_idle()

    [record] = memory.records
    assert record["eventSource"] == "aws:s3"
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["bucket"]["name"] == bench.name
    assert record["s3"]["object"]["key"] == "holiday/a+b%2Bc+%C3%A9%26d.jpg"
    assert record["s3"]["object"]["size"] == 4
    assert int(record["s3"]["object"]["sequencer"], 16) > 0


def test_only_keys_with_the_prefix_and_suffix_are_announced(bench: Bench) -> None:
    memory = Memory()
    uploads(bench, memory, prefix="uploads/", suffix=".jpg")
    runtime = bench.run()

    for key in ("uploads/one.jpg", "uploads/one.json", "metadata/one.jpg"):
        bench.put(key)
    runtime.wait_until_idle()

    assert [record["s3"]["object"]["key"] for record in memory.records] == ["uploads/one.jpg"]


def test_only_the_events_asked_for_are_announced(bench: Bench) -> None:
    memory = Memory()
    uploads(bench, memory, events=["s3:ObjectRemoved:*"])
    runtime = bench.run()

    bench.put("one")
    bench.s3.delete_object(Bucket=bench.name, Key="one")
    runtime.wait_until_idle()

    assert [record["eventName"] for record in memory.records] == ["ObjectRemoved:Delete"]


def test_a_bucket_keeps_the_notifications_it_had(bench: Bench) -> None:
    uploads(bench, Memory())
    topic = bench.sns.create_topic(Name=bench.name)["TopicArn"]
    existing = {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}
    bench.s3.put_bucket_notification_configuration(Bucket=bench.name, NotificationConfiguration=existing)

    bench.run()
    bench.run()

    found = bench.s3.get_bucket_notification_configuration(Bucket=bench.name)
    assert [one["TopicArn"] for one in found["TopicConfigurations"]] == [topic]
    assert len(found["QueueConfigurations"]) == 1


@pytest.mark.parametrize("way", ["put", "post form", "multipart", "copy"])
def test_every_way_of_writing_an_object_is_announced_by_its_name(bench: Bench, way: str) -> None:
    memory = Memory()
    uploads(bench, memory, prefix="in/")
    runtime = bench.run()
    bench.put("elsewhere")

    def post() -> None:
        form = bench.s3.generate_presigned_post(bench.name, "in/x")
        requests.post(form["url"], data=form["fields"], files={"file": b"x"}, timeout=30).raise_for_status()

    def multipart() -> None:
        where = {"Bucket": bench.name, "Key": "in/x"}
        upload = bench.s3.create_multipart_upload(**where)["UploadId"]
        tag = bench.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
        bench.s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)

    ways: dict[str, tuple[Callable[[], object], set[str]]] = {
        "put": (lambda: bench.put("in/x"), {"Put"}),
        "post form": (post, {"Post"}),
        # S3 sends the second of these only; moto's extra event is one more duplicate to be idempotent about.
        "multipart": (multipart, {"Put", "CompleteMultipartUpload"}),
        "copy": (
            lambda: bench.s3.copy_object(Bucket=bench.name, Key="in/x", CopySource=f"{bench.name}/elsewhere"),
            {"Copy"},
        ),
    }
    write, names = ways[way]
    write()
    runtime.wait_until_idle()

    assert {record["eventName"] for record in memory.records} == {f"ObjectCreated:{name}" for name in names}


def test_later_writes_have_greater_sequencers(bench: Bench) -> None:
    memory = Memory()
    uploads(bench, memory)
    runtime = bench.run()

    for number in range(3):
        bench.put("one", str(number).encode())
        runtime.wait_until_idle()

    sequencers = [record["s3"]["object"]["sequencer"] for record in memory.records]
    assert len(set(sequencers)) == 3
    assert sequencers == sorted(sequencers)


def test_an_s3_event_that_fails_is_tried_twice_more_and_then_dropped(bench: Bench) -> None:
    memory = Memory(fail=always)
    uploads(bench, memory)
    runtime = bench.run()

    bench.put("one")
    runtime.wait_until_idle()

    assert len(memory.events) == 3


def test_an_s3_event_that_fails_once_is_done_at_the_second_try(bench: Bench) -> None:
    memory = Memory(fail=the_first_time)
    uploads(bench, memory)
    runtime = bench.run()

    bench.put("one")
    runtime.wait_until_idle()

    assert len(memory.events) == 2


def test_an_event_left_by_a_stopped_runtime_is_delivered_by_the_next(bench: Bench) -> None:
    memory = Memory()
    uploads(bench, memory)
    with Runtime(bench.app, bench.aws.client):
        pass
    bench.put("one")
    assert memory.events == []

    bench.run().wait_until_idle()

    assert len(memory.events) == 1
