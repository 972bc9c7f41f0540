"""The runtime against moto, with small apps whose handlers remember.

Holds `local/runtime.py`, `local/queue_poller.py`, `local/queue_worker.py`, `local/event_source.py`,
`local/activity.py`, `local/s3.py`, `local/sns.py`, `local/sqs.py`, `local/eventbridge.py`,
`local/faults.py`.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from chalice.app import Chalice

from local.event_source import Pace
from local.faults import Faults
from local.moto_server import LocalAws
from local.runtime import Runtime, StillBusy
from local.stream_reader import EventSourceMapping

Json = dict[str, Any]
NONE = Faults()
QUICK = Pace(retry_seconds=0, backoff=(0, 0), poll_seconds=0)
_numbers = itertools.count()


@dataclass
class Memory:
    """What handlers were given; ``fail`` decides by event and number of earlier calls whether to raise."""

    events: list[Json] = field(default_factory=list)
    fail: Callable[[Json, int], bool] = lambda event, calls: False
    reply: Any = None

    def __call__(self, event: Any) -> Any:
        seen = event.to_dict()
        calls = len(self.events)
        self.events.append(seen)
        if self.fail(seen, calls):
            raise RuntimeError("told to fail")
        return self.reply

    @property
    def records(self) -> list[Json]:
        return [record for event in self.events for record in event["Records"]]

    @property
    def bodies(self) -> list[str]:
        return [record["body"] for record in self.records]


class Bench:
    """An app, its resources and the runtime that a test starts on it."""

    def __init__(self, aws: LocalAws, stack: ExitStack) -> None:
        self.name = f"bench-{next(_numbers)}"
        self.app = Chalice(self.name)
        self.aws = aws
        self.s3, self.sqs, self.sns = (aws.client(one) for one in ("s3", "sqs", "sns"))
        self._stack = stack

    def run(self, faults: Faults = NONE, pace: Pace = QUICK, **says: Any) -> Runtime:
        made = Runtime(
            self.app,
            self.aws.client,
            mapping_of=lambda function: EventSourceMapping(**says),
            queues=self.aws.queues,
            faults=faults,
            pace=pace,
        )
        return self._stack.enter_context(made)

    def bucket(self) -> str:
        location = {"LocationConstraint": "eu-west-1"}
        self.s3.create_bucket(Bucket=self.name, CreateBucketConfiguration=location)
        return self.name

    def queue(self, **attributes: str) -> str:
        url: str = self.sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        return url

    def dead_letters(self, url: str, receives: int) -> str:
        dead: str = self.sqs.create_queue(QueueName=f"{self.name}-dead")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
        return dead

    def put(self, key: str, content: bytes = b"x") -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=content)

    def waiting(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


@pytest.fixture
def bench(aws: LocalAws) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(aws, stack)


def always(event: Json, calls: int) -> bool:
    return True


def the_first_time(event: Json, calls: int) -> bool:
    return calls == 0


# ── S3 ───────────────────────────────────────────────────────────────────────────────────────
def uploads(bench: Bench, memory: Memory, **options: Any) -> None:
    @bench.app.on_s3_event(bucket=bench.bucket(), **options)
    def on_upload(event: Any) -> None:
        memory(event)


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


# ── SNS ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("known_by", ["name", "arn"])
def test_a_published_message_reaches_the_handler_in_lambdas_shape(bench: Bench, known_by: str) -> None:
    memory = Memory()
    arn = bench.sns.create_topic(Name=bench.name)["TopicArn"]

    @bench.app.on_sns_message(topic=arn if known_by == "arn" else bench.name)
    def on_news(event: Any) -> None:
        memory(event)

    runtime = bench.run()
    attributes = {"kind": {"DataType": "String", "StringValue": "cat"}}
    bench.sns.publish(TopicArn=arn, Message="miaow", Subject="news", MessageAttributes=attributes)
    runtime.wait_until_idle()

    [record] = memory.records
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"].startswith(arn)
    message = record["Sns"]
    assert (message["Type"], message["TopicArn"]) == ("Notification", arn)
    assert (message["Subject"], message["Message"]) == ("news", "miaow")
    assert message["MessageAttributes"] == {"kind": {"Type": "String", "Value": "cat"}}
    assert "SigningCertUrl" in message
    assert "SigningCertURL" not in message


def test_an_sns_message_that_fails_is_tried_twice_more(bench: Bench) -> None:
    memory = Memory(fail=always)
    arn = bench.sns.create_topic(Name=bench.name)["TopicArn"]

    @bench.app.on_sns_message(topic=arn)
    def on_news(event: Any) -> None:
        memory(event)

    runtime = bench.run()
    bench.sns.publish(TopicArn=arn, Message="miaow")
    runtime.wait_until_idle()

    assert len(memory.events) == 3


# ── SQS ──────────────────────────────────────────────────────────────────────────────────────
def messages(bench: Bench, memory: Callable[[Any], Any], **options: Any) -> None:
    @bench.app.on_sqs_message(queue=bench.name, **options)
    def on_message(event: Any) -> Any:
        return memory(event)


def test_a_message_reaches_the_handler_in_lambdas_shape_and_is_gone_afterwards(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory)
    runtime = bench.run()

    attributes = {"colour": {"DataType": "String", "StringValue": "red"}}
    bench.sqs.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    runtime.wait_until_idle()

    [record] = memory.records
    assert record["body"] == "hello"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert {"SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} <= set(record["attributes"])
    assert record["messageAttributes"]["colour"]["stringValue"] == "red"
    assert record["messageAttributes"]["colour"]["dataType"] == "String"
    assert record["eventSourceARN"] == f"arn:aws:sqs:eu-west-1:123456789012:{bench.name}"
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "eu-west-1")
    assert bench.waiting(url) == 0


def test_messages_come_in_batches_of_the_size_asked_for(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    for number in range(7):
        bench.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    messages(bench, memory, batch_size=3)

    bench.run().wait_until_idle()

    assert max(len(event["Records"]) for event in memory.events) == 3
    assert sorted(memory.bodies) == [str(number) for number in range(7)]


def test_a_batch_waits_for_its_window_to_fill(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory, batch_size=2, maximum_batching_window_in_seconds=5)
    runtime = bench.run()

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    bench.sqs.send_message(QueueUrl=url, MessageBody="two")
    runtime.wait_until_idle()

    assert [len(event["Records"]) for event in memory.events] == [2]


def test_no_more_batches_run_at_once_than_the_concurrency_allows(bench: Bench) -> None:
    url = bench.queue()
    running, most, lock = 0, 0, threading.Lock()
    two_at_once = threading.Barrier(2)

    def work(event: Any) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        two_at_once.wait(timeout=30)
        with lock:
            running -= 1

    messages(bench, work, maximum_concurrency=2)
    for number in range(6):
        bench.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    bench.run().wait_until_idle()

    assert most == 2


def test_a_failed_batch_comes_again_whole_with_a_higher_receive_count(bench: Bench) -> None:
    memory = Memory(fail=the_first_time)
    url = bench.queue()
    messages(bench, memory, batch_size=2)
    for body in ("one", "two"):
        bench.sqs.send_message(QueueUrl=url, MessageBody=body)
    bench.run().wait_until_idle()

    assert sorted(memory.bodies) == ["one", "one", "two", "two"]
    counts = [record["attributes"]["ApproximateReceiveCount"] for record in memory.records]
    assert sorted(counts) == ["1", "1", "2", "2"]


def test_a_message_that_always_fails_ends_among_the_dead_letters(bench: Bench) -> None:
    memory = Memory(fail=always)
    url = bench.queue()
    dead = bench.dead_letters(url, receives=3)
    messages(bench, memory)
    runtime = bench.run()

    bench.sqs.send_message(QueueUrl=url, MessageBody="hopeless")
    runtime.wait_until_idle()

    assert len(memory.events) == 3
    assert bench.waiting(dead) == 1


def test_a_failing_message_holds_up_no_other(bench: Bench) -> None:
    memory = Memory(fail=lambda event, calls: event["Records"][0]["body"] == "bad")
    url = bench.queue()
    bench.dead_letters(url, receives=3)
    messages(bench, memory)
    for body in ("bad", "good", "good"):
        bench.sqs.send_message(QueueUrl=url, MessageBody=body)
    bench.run().wait_until_idle()

    assert memory.bodies.count("good") == 2


def test_without_a_pace_of_its_own_a_failed_message_waits_for_the_visibility_timeout(bench: Bench) -> None:
    invoked = threading.Event()
    memory = Memory(fail=lambda event, calls: invoked.set() is None)
    url = bench.queue(VisibilityTimeout="100")
    messages(bench, memory)
    runtime = bench.run(pace=Pace(retry_seconds=None, poll_seconds=0))

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")

    assert invoked.wait(30)
    with pytest.raises(StillBusy, match=bench.name):
        runtime.wait_until_idle(0.5)
    assert len(memory.events) == 1


def report(record: Json) -> Json:
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


def test_reported_failures_come_again_where_the_mapping_asks_for_reports(bench: Bench) -> None:
    bodies: list[str] = []

    def report_the_first_bad(event: Any) -> Json | None:
        records = event.to_dict()["Records"]
        bodies.extend(record["body"] for record in records)
        bad = [record for record in records if record["body"] == "bad" and bodies.count("bad") == 1]
        return report(bad[0]) if bad else None

    url = bench.queue(VisibilityTimeout="1")
    messages(bench, report_the_first_bad, batch_size=2)
    for body in ("good", "bad"):
        bench.sqs.send_message(QueueUrl=url, MessageBody=body)
    bench.run(partial_batches=True).wait_until_idle()

    assert sorted(bodies) == ["bad", "bad", "good"]


def test_a_handler_that_reports_a_message_says_when_it_comes_again(bench: Bench) -> None:
    tries: list[str] = []

    def later(event: Any) -> Json | None:
        [record] = event.to_dict()["Records"]
        tries.append(record["attributes"]["ApproximateReceiveCount"])
        if len(tries) > 1:
            return None
        bench.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
        )
        return report(record)

    url = bench.queue(VisibilityTimeout="1000")
    messages(bench, later)
    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    bench.run(pace=Pace(retry_seconds=500, poll_seconds=0), partial_batches=True).wait_until_idle(30)

    assert tries == ["1", "2"]


def test_reported_failures_are_lost_where_the_mapping_does_not_ask_for_them(bench: Bench) -> None:
    memory = Memory(reply={"batchItemFailures": [{"itemIdentifier": "anything"}]})
    url = bench.queue()
    messages(bench, memory)
    runtime = bench.run()

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    runtime.wait_until_idle()

    assert len(memory.events) == 1


def test_a_report_that_makes_no_sense_fails_the_whole_batch(bench: Bench) -> None:
    memory = Memory(reply={"batchItemFailures": [{"itemIdentifier": "nobody's"}]})
    url = bench.queue()
    dead = bench.dead_letters(url, receives=2)
    messages(bench, memory)
    runtime = bench.run(partial_batches=True)

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    runtime.wait_until_idle()

    assert len(memory.events) == 2
    assert bench.waiting(dead) == 1


# ── schedules ────────────────────────────────────────────────────────────────────────────────
def test_a_scheduled_function_gets_eventbridges_event(bench: Bench) -> None:
    memory = Memory()

    @bench.app.schedule("rate(1 minute)")
    def tidy(event: Any) -> None:
        memory(event)

    runtime = bench.run()
    runtime.fire("tidy")
    runtime.wait_until_idle()

    [event] = memory.events
    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert event["resources"] == ["arn:aws:events:eu-west-1:123456789012:rule/tidy"]


def test_a_cron_schedule_is_refused_with_a_sentence(bench: Bench) -> None:
    @bench.app.schedule("cron(0 12 * * ? *)")
    def lunch(event: Any) -> None:
        """Never called."""

    with pytest.raises(ValueError, match=r"lunch: the offline stack runs rate\(...\) schedules only"):
        bench.run()


def test_a_trigger_that_the_stack_cannot_fire_is_refused_with_a_sentence(bench: Bench) -> None:
    @bench.app.on_kinesis_record(stream="river")
    def on_drop(event: Any) -> None:
        """Never called."""

    with pytest.raises(ValueError, match="on_drop: the offline stack has no KinesisEventConfig triggers"):
        bench.run()


# ── misbehaviour ─────────────────────────────────────────────────────────────────────────────
def test_a_duplicated_message_is_delivered_twice_under_one_id(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory)
    runtime = bench.run(Faults(duplicate=1))

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    runtime.wait_until_idle()

    assert [record["body"] for record in memory.records] == ["one", "one"]
    assert len({record["messageId"] for record in memory.records}) == 1


def test_a_reordered_event_comes_after_its_successor(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory)
    for body in ("first", "second"):
        bench.sqs.send_message(QueueUrl=url, MessageBody=body)
    bench.run(Faults(reorder=1)).wait_until_idle()

    assert memory.bodies == ["second", "first"]


def test_a_message_held_back_with_no_successor_is_delivered_all_the_same(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory)
    runtime = bench.run(Faults(reorder=1))

    bench.sqs.send_message(QueueUrl=url, MessageBody="lonely")
    runtime.wait_until_idle()

    assert memory.bodies == ["lonely"]


def test_after_a_crash_the_work_is_done_again(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    messages(bench, memory)
    dead = bench.dead_letters(url, receives=2)
    runtime = bench.run(Faults(crash=1))

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    runtime.wait_until_idle()

    assert memory.bodies == ["one", "one"]
    assert bench.waiting(dead) == 1


def test_a_throttled_batch_goes_back_to_its_queue_unseen(bench: Bench) -> None:
    memory = Memory()
    url = bench.queue()
    dead = bench.dead_letters(url, receives=2)
    messages(bench, memory)
    runtime = bench.run(Faults(throttle=1))

    bench.sqs.send_message(QueueUrl=url, MessageBody="one")
    runtime.wait_until_idle()

    assert memory.events == []
    assert bench.waiting(dead) == 1


def test_a_throttled_s3_event_waits_and_loses_no_try(bench: Bench) -> None:
    memory = Memory(fail=lambda event, calls: calls < 2)
    uploads(bench, memory)
    runtime = bench.run(Faults(throttle=0.5))

    bench.put("one")
    runtime.wait_until_idle()

    assert len(memory.events) == 3


def test_faults_are_read_from_a_line() -> None:
    assert Faults.parse("duplicate=0.3, crash=1,seed=7") == Faults(duplicate=0.3, crash=1.0, seed=7)
    assert Faults.parse("") == Faults()


@pytest.mark.parametrize(
    ("line", "sentence"), [("rain=1", "'rain' is no fault"), ("crash=often", "crash should hold a number")]
)
def test_a_fault_that_makes_no_sense_gets_a_sentence(line: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Faults.parse(line)


def test_the_same_seed_throws_the_same_dice() -> None:
    def throws(seed: int) -> list[bool]:
        dice = Faults(crash=0.5, seed=seed).dice("sweep")
        return [dice.says("crash") for _ in range(20)]

    assert throws(1) == throws(1)
    assert throws(1) != throws(2)


# ── idleness ─────────────────────────────────────────────────────────────────────────────────
def test_waiting_follows_an_event_through_every_trigger_it_sets_off(bench: Bench) -> None:
    """S3 → SNS → SQS: at rest means that the last handler is done, whichever came first."""
    memory = Memory()
    url = bench.queue()
    topic = bench.sns.create_topic(Name=bench.name)["TopicArn"]

    @bench.app.on_s3_event(bucket=bench.bucket())
    def on_upload(event: Any) -> None:
        bench.sns.publish(TopicArn=topic, Message="uploaded")

    @bench.app.on_sns_message(topic=topic)
    def on_news(event: Any) -> None:
        bench.sqs.send_message(QueueUrl=url, MessageBody="told")

    messages(bench, memory)
    runtime = bench.run()
    for round_number in range(1, 11):
        bench.put("one")
        runtime.wait_until_idle()
        assert len(memory.events) == round_number
