"""A worker is killed between every two effects: afterwards everyone has been told, under one id each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.delivery.attempts import INTERRUPTED
from chalicelib.delivery.deliveries import by_destination
from chalicelib.model import Label
from local.aws import LocalAws
from tests.fakes.mail import Mail, sns_event
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, World
from tests.pipeline.dying_worker import KILLED
from tests.pipeline.test_telling import subscribe
from tests.stubs.hostile_http import BEHAVIOURS, Connection, HostileServer
from tests.stubs.stage import StageServices, make_stage

ROOT = Path(__file__).parents[2]
KEY = "uploads/cat.jpg"
PARTNER = "https://partner.example/labels"


class Killed(BaseException):
    """What no handler catches."""


class Mortal:
    """Kills whoever has made so many effects on a world; ``dead`` tells whether it came to that."""

    def __init__(self, world: Any, effects: int) -> None:
        self.dead = False
        self._left = effects
        self._lock = threading.Lock()
        self._undo: list[Callable[[], None]] = []
        for owner, name in (
            (world.table, "transact"),
            (world.deliveries_queue, "send"),
            (world.outbound, "post"),
        ):
            self._watch(owner, name)

    def _watch(self, owner: Any, name: str) -> None:
        genuine = getattr(owner, name)

        def deadly(*args: Any, **kwargs: Any) -> Any:
            done = genuine(*args, **kwargs)
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    self.dead = True
                    raise Killed
            return done

        setattr(owner, name, deadly)
        self._undo.append(lambda: setattr(owner, name, genuine))

    def immortal(self) -> None:
        """Let everybody live from now on."""
        for undo in self._undo:
            undo()


def waiting_world() -> Any:
    """An image has been labelled; a partner and a subscriber are to be told, and fail at first."""
    world: Any = World(INTEGRATION_URL=PARTNER)
    world.recogniser = FakeRecogniser(Label("Cat", 93.0))
    world.outbound = FakeReceiver(500, 503, 204)
    pipeline.label_image(world.drop(KEY), world)
    subscribe(world, id="01JD3Y7V4M8B5WZ0QX6T2K9RCA")
    return world


def test_killed_after_any_effect_of_the_whole_way_everyone_is_told_in_the_end() -> None:
    points = 0
    while True:
        world = waiting_world()
        mail = Mail(world)
        mortal = Mortal(world, points + 1)
        try:
            mail.run()
        except Killed:
            points += 1
        finally:
            mortal.immortal()
        mail.run()
        deliveries = [*mail.log("integration"), *mail.log("01JD3Y7V4M8B5WZ0QX6T2K9RCA")]
        assert [one.status for one in deliveries] == ["delivered", "delivered"], (
            f"killed after {points} effects"
        )
        assert set(world.outbound.ids) == {one.id for one in deliveries}
        # A kill costs one more try at most, and every try that was made is in the log.
        assert len(world.outbound.posted) <= 4 + mortal.dead
        assert sum(len(one.attempts) for one in deliveries) >= len(world.outbound.posted)
        assert not any(attempt.under_way for one in deliveries for attempt in one.attempts)
        if not mortal.dead:
            break
    assert points > 15


def test_a_worker_that_dies_at_every_try_is_given_up_on_in_the_end() -> None:
    world = waiting_world()
    mail = Mail(world)
    mail.announce()
    for _ in range(40):
        mortal = Mortal(world, 10**9)
        world.outbound = FakeReceiver(during=_die)
        try:
            mail.forward(100)
        except Killed:
            continue
        finally:
            mortal.immortal()
    assert {one.status for one in mail.log("integration")} == {"parked"}
    assert len(mail.log("integration")[0].attempts) == 10
    assert mail.log("integration")[0].attempts[0].error == INTERRUPTED


def _die() -> None:
    raise Killed


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


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
        connection.answer(status)


@pytest.mark.slow
@pytest.mark.parametrize("first", [200, 500])
def test_a_process_killed_after_any_effect_is_recovered_from(
    aws: LocalAws, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = Partner(first)
    monkeypatch.setitem(BEHAVIOURS, "partner", partner.behave)
    points = 4 if first == 200 else 6  # claim, send, (standing), record, (message planned), message deleted
    with HostileServer() as server, ThreadPoolExecutor(3) as side_by_side:
        stages = [
            make_stage(aws, aws.url, INTEGRATION_URL=server.url(f"/partner/{number}"))
            for number in range(1, points + 2)
        ]
        for name, value in stages[0].items():
            monkeypatch.setenv(name, value)
        for stage in stages:
            announce(stage)
        codes = list(side_by_side.map(killed_after, range(1, points + 2), stages))
        assert codes == [KILLED] * points + [0]
        for number, stage in enumerate(stages, 1):
            recover(StageServices(stage, ahead=200), f"killed after effect {number}")
            ids = partner.ids[str(number)]
            assert len(set(ids)) == 1
            assert len(ids) <= (first == 500) + 2


def announce(stage: dict[str, str]) -> None:
    """Label an image and fan it out; the secret is there, as it is after the first delivery of all."""
    services: Any = StageServices(stage)
    services.recogniser = FakeRecogniser(Label("Cat", 93.0))
    heard = []
    services.topic.publish = lambda message, attributes: heard.append(message)
    services.objects.put(KEY, CAT, "image/jpeg")
    pipeline.label_messages(_queued(KEY), services)
    services.keyring.get("default", "owner")
    pipeline.fan_out(sns_event(heard), services)


def killed_after(effects: int, stage: dict[str, str]) -> int:
    """Run the dying worker; how it ended."""
    child = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "tests.pipeline.dying_worker", str(effects)],
        cwd=ROOT,
        env={**os.environ, **stage},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert child.returncode in (0, KILLED), child.stderr
    return child.returncode


def recover(services: Any, when: str) -> None:
    """Let time pass: the sweep runs, messages come, until nothing is due."""
    for _ in range(3):
        pipeline.sweep(services)
        while messages := services.waiting():
            event = {"Records": [{"body": message["Body"]} for message in messages]}
            pipeline.deliver(event, services)
            services.take_off(messages)
        services.ahead += 400
    page = services.deliveries.page("default", by_destination("integration"), limit=9, after=None)
    [delivery] = page.deliveries
    assert delivery.status == "delivered", when
    assert not any(attempt.under_way for attempt in delivery.attempts), when


def _queued(key: str) -> Any:
    notification = {"Records": [{"s3": {"object": {"key": key, "eTag": "", "sequencer": ""}}}]}
    return {"Records": [{"body": json.dumps(notification)}]}
