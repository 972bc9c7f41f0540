"""Functions are killed in processes of their own, after every effect: nothing is lost or done twice."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.delivery_log import by_destination
from chalicelib.errors import SightlineError
from chalicelib.library.query import Query
from chalicelib.library.streams import TOP
from local.moto_server import LocalAws
from tests.fakes.mail import sns_event
from tests.fakes.world import CAT
from tests.pipeline.dying import KILLED, STEPS, bring_waiting, killed_after, services_of
from tests.stubs.hostile_http import BEHAVIOURS, Connection, HostileServer
from tests.stubs.stage import make_stage

pytestmark = pytest.mark.slow
KEY = "uploads/cat.jpg"
UPLOADED = {
    "Records": [
        {"body": json.dumps({"Records": [{"s3": {"object": {"key": KEY, "eTag": "", "sequencer": ""}}}]})}
    ]
}
AT_ONCE = 3
HOUR = 3600.0


class Partner:
    """Answers the first request of each stage as told, the next with success; remembers the ids that came."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._lock = threading.Lock()
        self.ids: dict[str, list[str]] = {}

    def behave(self, connection: Connection) -> None:
        with self._lock:
            came = self.ids.setdefault(connection.argument, [])
            came.append(connection.request.headers["webhook-id"])
            status = self._first if len(came) == 1 else 200
        connection.answer(status, **({"Retry_After": "3600"} if status == 429 else {}))


class Life:
    """An image's way through a stage of its own, on which ``step`` is where the function dies."""

    def __init__(self, aws: LocalAws, step: str, number: int, partner: str, folder: Path) -> None:
        self.number = str(number)
        self._step = step
        self._aws = aws
        self._news: list[Any] = []
        calls = folder / self.number
        calls.touch()
        self.stage = make_stage(aws, aws.url, INTEGRATION_URL=partner, CALLS=str(calls))
        queue = aws.client("sqs").create_queue(QueueName=f"news-{step.replace(' ', '-')}-{id(self)}")
        self._listening = queue["QueueUrl"]
        arn = f"arn:aws:sqs:eu-west-1:123456789012:{self._listening.rpartition('/')[2]}"
        aws.client("sns").subscribe(TopicArn=self.stage["TOPIC_ARN"], Protocol="sqs", Endpoint=arn)

    @property
    def calls(self) -> int:
        """How often the recogniser was asked."""
        return len(Path(self.stage["CALLS"]).read_text().splitlines())

    def killed_after(self, effects: int) -> int:
        """Come to the step, and run it in a process that dies; how that ended."""
        event = self._come_to_the_step()
        ahead = 2 * HOUR if self._step == "sweep" else 0
        return killed_after(effects, self._step, event, {**self.stage, "AHEAD": str(ahead)})

    def _come_to_the_step(self) -> Any:
        """Do all that lies before it; the event for it. The secret is there, as after a first delivery."""
        services = services_of(self.stage, 0)
        services.objects.put(KEY, CAT, "image/jpeg")
        services.keyring.get("default", "owner")
        event: Any = UPLOADED
        for step in itertools.takewhile(lambda one: one != self._step, STEPS):
            STEPS[step](event, services)
            event = sns_event(self._heard()) if step == "project" else None
        return event

    def _heard(self) -> list[Any]:
        """Everything that was published so far."""
        found = self._aws.client("sqs").receive_message(QueueUrl=self._listening, MaxNumberOfMessages=10)
        self._news += [json.loads(json.loads(one["Body"])["Message"]) for one in found.get("Messages", [])]
        return self._news

    def go_on(self) -> Any:
        """Let time pass: the event comes again, results are told again, the sweep runs; the services."""
        services = services_of(self.stage, 200)
        for _ in range(3):
            with contextlib.suppress(SightlineError):  # it is still claimed by the dead: then it comes later
                pipeline.label_messages(UPLOADED, services)
            services.project()
            pipeline.fan_out(sns_event(self._heard()), services)
            pipeline.sweep(services)
            bring_waiting(None, services)
            services.ahead += HOUR
        return services


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


# What each does at least. For labelling: lookup, claim, a call of the recogniser, thumbnail, record; for the
# projection: entries, sidecar, news, and the transaction of counts and marker; for a delivery: claim, POST,
# breaker, record, and then its message is deleted, or hidden until the next try.
@pytest.mark.parametrize(
    ("step", "first", "fewest"),
    [
        ("label", 200, 6),
        ("project", 200, 4),
        pytest.param("fan out", 200, 2, marks=pytest.mark.nightly),
        pytest.param("deliver", 200, 4, marks=pytest.mark.nightly),
        pytest.param("deliver", 500, 5, marks=pytest.mark.nightly),
        ("sweep", 429, 2),
    ],
)
def test_whatever_a_function_had_done_when_it_was_killed_all_comes_right(
    step: str, first: int, fewest: int, aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = Partner(first)
    monkeypatch.setitem(BEHAVIOURS, "partner", partner.behave)
    with HostileServer() as server, ThreadPoolExecutor(AT_ONCE) as side_by_side:
        lives: list[Life] = []
        codes: list[int] = []
        while 0 not in codes:
            numbers = range(len(lives) + 1, len(lives) + 1 + AT_ONCE)
            more = [Life(aws, step, one, server.url(f"/partner/{one}"), tmp_path) for one in numbers]
            for name, value in more[0].stage.items():
                monkeypatch.setenv(name, value)
            codes += side_by_side.map(Life.killed_after, more, numbers)
            lives += more
        survived = codes.index(0)
        assert survived >= fewest
        assert set(codes[:survived]) == {KILLED}
        for life in lives[: survived + 1]:
            assert_all_is_well(life, partner.ids, f"killed after effect {life.number}")
            assert len(partner.ids[life.number]) <= (first != 200) + 2


def assert_all_is_well(life: Life, ids: dict[str, list[str]], when: str) -> None:
    """The image is labelled and counted once, asked about twice at most, and told of under one id."""
    services = life.go_on()
    [image] = services.search.page("default", Query(), limit=9, at=TOP).images
    assert (image.status, image.result) == ("labelled", 1), when
    counts = services.labels.by_name("default", prefix="", limit=9, after=None).counts
    assert [(one.name, one.count) for one in counts] == [("cat", 1)], when
    assert life.calls <= 2, when
    page = services.deliveries.page("default", by_destination("integration"), limit=9, after=None)
    [delivery] = page.deliveries
    assert delivery.status == "delivered", when
    assert not any(attempt.under_way for attempt in delivery.attempts), when
    assert set(ids[life.number]) == {delivery.id}, when
