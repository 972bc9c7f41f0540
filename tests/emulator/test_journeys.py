"""The whole service on an AWS that we did not write, every function with the rights of its own role alone."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from infra import project
from tests.emulator.conftest import ACCOUNTS, World
from tests.emulator.journey import Journey

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("trigger", ACCOUNTS)
def test_everything_arrives_and_nothing_is_refused(
    trigger: str, journeys: dict[str, Future[Journey]]
) -> None:
    journeys[trigger].result()


def test_the_journey_asks_for_every_route(journeys: dict[str, Future[Journey]]) -> None:
    import app

    # What is answered to GET is answered to HEAD, by the same code.
    routes = {
        (method, route) for route, methods in app.app.routes.items() for method in methods if method != "HEAD"
    }

    left = [f"{method} {route}" for method, route in sorted(routes - journeys["s3"].result().asked)]
    assert not left, f"tests/emulator/journey.py does not ask for {', '.join(left)}: give each a line there."


def test_nothing_is_allowed_that_nobody_needs(
    worlds: dict[str, World], journeys: dict[str, Future[Journey]]
) -> None:
    """Whatever is needed is missed: a journey ends as soon as a role is refused anything."""
    for journey in journeys.values():
        journey.result()
    unused = set.intersection(*(set(unneeded(world)) for world in worlds.values()))

    assert not unused, "Allowed, and never needed on the journeys:\n" + "\n".join(sorted(unused))


def unneeded(world: World) -> list[str]:
    """The rights that no function of the stage has made use of, without the account in them."""
    waiting = ("on_image_change", "on_job_message")  # their rights come into use with the projection
    used = {(function, one.action, one.resource) for function, one in world.stage.decisions() if one.allowed}
    rights = [right for right in world.stage.rights if right.function not in waiting]
    left = [right for right in rights if not any(right.covers(*one) for one in used)]
    return [str(right).replace(world.stage.account, "*") for right in left]


def test_a_log_is_written_by_its_own_function_alone() -> None:
    every = project.Stage("*", "s3")
    for function in project.on_disk()["lambda_functions"]:
        [logs] = [one for one in every.policy(function)["Statement"] if one["Sid"] == "Logs"]

        assert logs["Resource"] == [f"arn:aws:logs:*:*:log-group:/aws/lambda/{every.full_name(function)}:*"]
