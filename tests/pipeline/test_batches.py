"""A message that failed comes back alone, whether the trigger takes reports of failures or not.

Holds `chalicelib/queues.py`.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.errors import ComesAgain, Misconfigured, Unavailable
from chalicelib.pipeline.batches import Message, each_message, pause_after
from chalicelib.queues import LONGEST_HIDDEN, Queue
from tests.fakes.aws import FakeQueue
from tests.fakes.mail import raw_sqs_event


def acting(message: Message) -> float | None:
    """What becomes of a message by its body: done, later, an outage, or a fault of ours."""
    match message.body:
        case "later":
            return 7.0
        case "outage":
            raise Unavailable("DynamoDB did not answer.", retry_after=3)
        case "fault":
            raise KeyError(message.text)
    return None


def act(queue: FakeQueue, *bodies: str, reports: bool, tries: int = 1) -> Any:
    event = raw_sqs_event([body if body == "no JSON" else f'"{body}"' for body in bodies], tries)
    return each_message(event, acting, queue, reports=reports, at_once=4)  # type: ignore[arg-type]


def test_where_all_are_done_nothing_comes_again() -> None:
    queue = FakeQueue()
    for reports in (True, False):
        assert act(queue, "done", "done", reports=reports) == {"batchItemFailures": []}
    assert (queue.hidden, queue.deleted) == ({}, [])


def test_what_is_to_come_again_is_hidden_until_then_and_reported() -> None:
    queue = FakeQueue()
    answer = act(queue, "done", "later", "done", reports=True)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert (queue.hidden, queue.deleted) == ({"1": 7.0}, [])


def test_where_reports_may_be_ignored_the_batch_fails_and_the_done_are_deleted_first() -> None:
    queue = FakeQueue()
    with pytest.raises(ComesAgain):
        act(queue, "done", "later", "done", reports=False)
    assert (queue.hidden, queue.deleted) == ({"1": 7.0}, ["0", "2"])


@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize(
    ("bad", "raised"), [("no JSON", ValueError), ("fault", KeyError), ("outage", Unavailable)]
)
def test_a_fault_is_felt_and_takes_no_other_message_along(
    reports: bool, bad: str, raised: type[Exception]
) -> None:
    queue = FakeQueue()
    with pytest.raises(raised):
        act(queue, "done", bad, "later", "done", reports=reports)
    assert queue.deleted == ["0", "3"]
    assert queue.hidden == {"2": 7.0, **({"1": 3} if bad == "outage" else {})}


def test_what_comes_again_is_deleted_as_soon_as_it_is_done_in_case_its_batch_crashes_again() -> None:
    queue, deleted = FakeQueue(), threading.Event()
    queue.delete = lambda receipt: deleted.set() if receipt == "0" else None  # type: ignore[method-assign]

    class Killed(BaseException):
        pass

    def crash(message: Message) -> None:
        if message.body == "killer" and deleted.wait(30):
            raise Killed

    event = raw_sqs_event(['"settled"', '"killer"'], tries=2)
    with pytest.raises(Killed):
        each_message(event, crash, queue, reports=True, at_once=2)  # type: ignore[arg-type]
    assert deleted.is_set()


def test_pauses_grow_and_end_below_a_queues_own_timeout() -> None:
    assert [pause_after(tries) for tries in (1, 2, 3, 4, 5, 1000)] == [5, 20, 80, 320, 320, 320]


class Sqs:
    """A client that notes its calls, or refuses them with a code."""

    def __init__(self, refused: str = "") -> None:
        self.calls: list[dict[str, Any]] = []
        self._refused = refused

    def change_message_visibility(self, **call: Any) -> None:
        self.calls.append(call)
        if self._refused:
            raise ClientError({"Error": {"Code": self._refused}}, "ChangeMessageVisibility")


@pytest.mark.parametrize(("seconds", "asked"), [(0.2, 1), (-3.0, 0), (90_000.0, LONGEST_HIDDEN)])
def test_a_queue_hides_a_message_for_whole_seconds_within_its_limits(seconds: float, asked: int) -> None:
    sqs = Sqs()
    Queue(sqs, "url").hide("r", seconds)
    assert [one["VisibilityTimeout"] for one in sqs.calls] == [asked]


def test_a_message_that_is_somebody_elses_by_now_is_let_be_and_a_missing_right_is_not() -> None:
    for code in ("ReceiptHandleIsInvalid", "MessageNotInflight", "ThrottlingException"):
        Queue(Sqs(code), "url").hide("r", 5)
    with pytest.raises(Misconfigured):
        Queue(Sqs("AccessDenied"), "url").hide("r", 5)
