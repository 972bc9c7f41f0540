"""Whoever is at work is killed after every effect in turn: afterwards everyone has been told, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from chalicelib import pipeline
from chalicelib.delivery.delivery import INTERRUPTED
from chalicelib.model import Label
from tests.fakes.mail import Mail
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import World
from tests.pipeline.test_delivery_worker import subscribe

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
